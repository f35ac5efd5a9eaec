/** The built program as a process: signals, workers, load, and Redis killed under it. */
import autocannon from 'autocannon';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.js';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';
import { type Running, start } from '../support/spawn.ts';
import { client, type Served, until } from './support.ts';

let desk: Desk;
let running: Running | null = null;
let schema: string;

beforeAll(async () => {
  desk = await openDesk();
  desk.client.on('error', () => {});
  schema = await desk.file('s.yaml', schemaText({ x: '\n  x: string\n  y: float64' }));
});
beforeEach(() => desk.client.hset('k:1', 'x', 'v', 'y', '0.5'));
afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.done;
});
afterAll(() => desk.close());

async function spawnServer(...flags: string[]): Promise<Omit<Served, 'stop'> & { running: Running }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  running = start(['serve', '--schema', schema, '--port', String(port), ...flags], {
    REDIS_URL: desk.redis.url,
  });
  const asked = client(url);
  await until(async () => (await asked.get('/health/ready')).status === 200);
  return { url, port, running, ...asked };
}

async function signalled(which: Running, signal: NodeJS.Signals): Promise<{ code: number; stderr: string }> {
  which.child.kill(signal);
  return which.done;
}

it.each(['SIGTERM', 'SIGINT'] as const)('%s: what is on the way is answered, then exit 0', async (signal) => {
  const server = await spawnServer('--redis-timeout', '5s');
  await desk.client.client('PAUSE', 500, 'ALL');
  const onTheWay = server.post('/features', { entity_key: '1' });
  await until(async () => /in_flight 1\n/.test((await server.get('/metrics')).text));
  const { code, stderr } = await signalled(server.running, signal);
  const { status, json } = await onTheWay;
  expect([status, json.features]).toEqual([200, { x: 'v', y: '0.5' }]);
  expect(code, stderr).toBe(0);
  await expect(server.get('/health')).rejects.toThrow();
});

it('requests that take longer than --shutdown-grace are cut off', async () => {
  const server = await spawnServer('--redis-timeout', '20s', '--shutdown-grace', '100ms');
  await desk.client.client('PAUSE', 1500, 'ALL');
  const onTheWay = server.post('/features', { entity_key: '1' }).catch(() => 'cut');
  await until(async () => /in_flight 1\n/.test((await server.get('/metrics')).text));
  const { code } = await signalled(server.running, 'SIGTERM');
  expect(await onTheWay).toBe('cut');
  expect(code).toBe(0);
});

it('starts while Redis is away, and serves once it is there', async () => {
  await desk.redis.kill();
  const port = await freePort();
  running = start(['serve', '--schema', schema, '--port', String(port)], { REDIS_URL: desk.redis.url });
  const server = client(`http://127.0.0.1:${port}`);
  await until(async () => (await server.get('/health/live')).status === 200);
  expect((await server.get('/health/ready')).status).toBe(503);
  const away = await server.post('/features', { entity_key: '1' });
  expect([away.status, away.json.code]).toEqual([503, 'REDIS_AWAY']);
  await desk.redis.restart();
  await until(async () => (await server.get('/health/ready')).status === 200);
  expect((await server.post('/features', { entity_key: '1' })).status).toBe(404);
  const { stderr } = await signalled(running, 'SIGTERM');
  expect(stderr).toMatch(/listening on \S+; Redis does not answer yet: [\s\S]*connected to Redis/);
});

it('who can connect is answered: the port opens once Redis is connected', async () => {
  const server = await spawnServer();
  const { stderr } = await signalled(server.running, 'SIGTERM');
  expect(stderr).toMatch(/connected to Redis[\s\S]*listening on http:\S+\n/);
});

it('Redis killed and restarted under load: only 503 meanwhile, then it is served again', async () => {
  const server = await spawnServer();
  const statuses = new Map<number, number>();
  let isOver = false;
  const bodies = [{ entity_key: '1' }, { entity_keys: ['1', '2'] }];
  const load = Array.from({ length: 8 }, async (_, i) => {
    while (!isOver) {
      const { status } = await server.post(i % 2 ? '/features/batch' : '/features', bodies[i % 2]);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  for (let round = 0; round < 3; round += 1) {
    await until(() => (statuses.get(200) ?? 0) > 50 * (round + 1));
    await desk.redis.kill();
    const before = statuses.get(503) ?? 0;
    await until(() => (statuses.get(503) ?? 0) > before + 50);
    // Resolves when Redis answers PING.
    await desk.redis.restart();
    const backAt = performance.now();
    await until(async () => (await server.post('/features', { entity_key: '1' })).status !== 503);
    // What is promised to callers, on a slow machine too.
    expect(performance.now() - backAt).toBeLessThan(2000);
    await desk.client.hset('k:1', 'x', 'v', 'y', '0.5');
  }
  await until(async () => (await server.post('/features', { entity_key: '1' })).status === 200);
  isOver = true;
  // Each request is answered: one that hangs would hang here.
  await Promise.all(load);
  // Between the restart and the new row an entity is missing.
  expect([...statuses.keys()].filter((status) => ![200, 404, 503].includes(status))).toEqual([]);
  expect((await signalled(server.running, 'SIGTERM')).code).toBe(0);
});

it('nothing is left behind by many requests: handles, files, heap', async () => {
  const server = await spawnServer();
  const load = async (amount: number): Promise<number> => {
    const done = await autocannon({
      url: server.url,
      connections: 8,
      amount,
      requests: [
        {
          method: 'POST',
          path: '/features',
          headers: { 'content-type': 'application/json' },
          body: '{"entity_key":"1"}',
        },
        {
          method: 'POST',
          path: '/features',
          headers: { 'content-type': 'application/json' },
          body: '{"entity_ke',
        },
        {
          method: 'POST',
          path: '/features/batch',
          headers: { 'content-type': 'application/json' },
          body: '{"entity_keys":["1","2"]}',
        },
      ],
    });
    expect(done['4xx']).toBe(amount / 3);
    return done['2xx'];
  };
  const measured = async (): Promise<{ handles: number; fds: number; heap: number; inFlight: number }> => {
    const { text } = await server.get('/metrics');
    const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    return {
      handles: value('nodejs_active_handles_total'),
      fds: value('process_open_fds'),
      heap: value('nodejs_heap_size_used_bytes'),
      inFlight: value('featurectl_reads_in_flight'),
    };
  };
  await load(6_000);
  const before = await measured();
  expect(await load(30_000)).toBe(20_000);
  // A leak would be of thousands; a connection to ask with may come or go.
  await until(async () => (await measured()).fds <= before.fds + 2);
  const after = await measured();
  expect(after.handles).toBeLessThanOrEqual(before.handles + 2);
  expect(after.inFlight).toBe(0);
  expect(after.heap - before.heap).toBeLessThan(30e6);
}, 60_000);

it('--workers: processes share the port, metrics are theirs together, one that dies is replaced', async () => {
  const server = await spawnServer('--workers', '2', '--log', 'json');
  const lines = () =>
    server.running
      .stderr()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const pids = () => [
    ...new Set(
      lines()
        .filter(({ message }) => /connected/.test(message))
        .map(({ pid }) => pid),
    ),
  ];
  await until(() => pids().length === 2);
  for (let i = 0; i < 30; i += 1)
    expect((await server.post('/features', { entity_key: '1' })).status).toBe(200);
  const { text } = await server.get('/metrics');
  expect(text).toMatch(
    /featurectl_http_requests_total\{method="POST",route="\/features",status="200"\} 30\n/,
  );
  process.kill(pids()[0], 'SIGKILL');
  await until(() => pids().length === 3);
  await until(async () => (await server.post('/features', { entity_key: '1' })).status === 200);
  const { code, stderr } = await signalled(server.running, 'SIGTERM');
  expect(code, stderr).toBe(0);
  const alive = pids().filter((pid) => isAlive(pid));
  expect(alive).toEqual([]);
});

it('--workers: a stop while they start is not lost', async () => {
  running = start(['serve', '--schema', schema, '--port', '0', '--workers', '2', '--log', 'json'], {
    REDIS_URL: desk.redis.url,
  });
  const which = running;
  await until(() => /connected to Redis/.test(which.stderr()));
  const { code, stderr } = await signalled(which, 'SIGTERM');
  expect(code, stderr).toBe(0);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('--workers that cannot come up end the command', async () => {
  const taken = await spawnServer();
  const second = start(['serve', '--schema', schema, '--port', String(taken.port), '--workers', '2'], {
    REDIS_URL: desk.redis.url,
  });
  const { code, stderr } = await second.done;
  expect(stderr).toMatch(/cannot listen on .*the port is taken/);
  expect(code).toBe(4);
});
