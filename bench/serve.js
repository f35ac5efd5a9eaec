/**
 * node bench/serve.js [--seconds 6] [--rounds 3] [--only featurectl]
 * Feature servers side by side, one process each, driven over 16 connections: single reads and batches of 100, the
 * servers in turn in every round. Then the latency of single reads at half of what featurectl can do. FastAPI takes
 * part where /usr/bin/python3 or python3 has fastapi, uvicorn and redis. Load comes from wrk where there is one.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { rows, SCHEMA } from './data.js';
import { median } from './measure.js';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const seconds = Number(flags.seconds);
const ENTITIES = 20_000;
const CONNECTIONS = 16;
const BATCH = 100;
const here = (name) => new URL(name, import.meta.url).pathname;
const hasWrk = spawnSync('wrk', ['-v']).error === undefined;

const dir = mkdtempSync(join(tmpdir(), 'featurectl-bench-'));
const children = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const redisPort = await freePort();
await startRedis();
await load();
const servers = [];
for (const [name, command] of serverCommands().filter(([name]) => name.includes(flags.only))) {
  const port = await freePort();
  const [program, ...args] = command(port);
  children.push(spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }));
  servers.push({ name, port, single: [], batch: [] });
  await untilUp(port);
}
const bodies = makeBodies();
for (let round = 0; round < Number(flags.rounds); round += 1) {
  for (const server of servers) {
    for (const kind of ['single', 'batch']) server[kind].push(await drive(server.port, kind, seconds));
  }
}
await print();
process.exit(0);

/** Requests a second. Any answer but 200 is an error of the bench. */
async function drive(port, kind, duration) {
  const path = kind === 'single' ? '/features' : '/features/batch';
  return hasWrk
    ? wrk(port, kind, path, duration)
    : (await cannon(port, kind, path, duration)).requests.average;
}

function wrk(port, kind, path, duration) {
  const script = join(dir, `${kind}.lua`);
  const list = bodies[kind].map((body) => `[==[${body}]==]`).join(',\n');
  writeFileSync(
    script,
    `local bodies = {${list}}\nlocal i = 0\nwrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n` +
      `local made = {}\nfunction init() for n, b in ipairs(bodies) do made[n] = wrk.format(nil, '${path}', nil, b) end end\n` +
      'function request() i = i % #made + 1 return made[i] end\n',
  );
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${duration}s`, '-s', script, `http://127.0.0.1:${port}`];
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.once('close', () => {
      const rate = /Requests\/sec:\s+([\d.]+)/.exec(out)?.[1];
      if (rate === undefined || /Non-2xx|Socket errors/.test(out)) return reject(new Error(out));
      resolve(Number(rate));
    });
  });
}

async function cannon(port, kind, path, duration) {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections: CONNECTIONS,
    duration,
    requests: bodies[kind].map((body) => ({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json' },
      body,
    })),
  });
  if (result.non2xx + result.errors > 0)
    throw new Error(`${result.non2xx} answers but 200, ${result.errors} errors`);
  return result;
}

function makeBodies() {
  const id = (i) => `u${String((i * 7919) % ENTITIES).padStart(8, '0')}`;
  return {
    single: Array.from({ length: 1000 }, (_, i) => JSON.stringify({ entity_key: id(i) })),
    batch: Array.from({ length: 100 }, (_, i) =>
      JSON.stringify({ entity_keys: Array.from({ length: BATCH }, (_, k) => id(i * BATCH + k)) }),
    ),
  };
}

function serverCommands() {
  const redis = String(redisPort);
  const commands = [
    [
      'featurectl serve',
      (port) => [
        process.execPath,
        ...[here('../bin/featurectl.js'), 'serve', '--schema', join(dir, 'schema.yaml'), '--quiet'],
        ...['--port', String(port), '--redis', `redis://127.0.0.1:${redis}`],
      ],
    ],
    ['fastify + ioredis', (port) => [process.execPath, here('baseline-fastify.js'), String(port), redis]],
  ];
  const python = ['/usr/bin/python3', 'python3'].find(
    (name) => spawnSync(name, ['-c', 'import fastapi, uvicorn, redis']).status === 0,
  );
  if (python) {
    const fastapi = (kind) => (port) => [python, here('baseline-fastapi.py'), String(port), redis, kind];
    commands.push(
      ['FastAPI, def and redis-py', fastapi('sync')],
      ['FastAPI, async def and redis.asyncio', fastapi('async')],
    );
  }
  return commands;
}

async function startRedis() {
  const args = [
    '--port',
    String(redisPort),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    dir,
  ];
  children.push(spawn(process.env.REDIS_SERVER ?? 'redis-server', args, { stdio: 'ignore' }));
  while (spawnSync('redis-cli', ['-p', String(redisPort), 'ping']).status !== 0) await pause(50);
}

/** The same answer of all servers: no event time, since only featurectl would tell the age. */
async function load() {
  writeFileSync(join(dir, 'schema.yaml'), SCHEMA.replace(/^event_time.*\n/m, ''));
  const names =
    'user_id,avg_session_duration,total_purchases,days_since_last_login,lifetime_value,churn_score,preferred_category,last_seen';
  const lines = [...rows(ENTITIES)].map(
    (row) => `${row.slice(0, 7).join(',')},${new Date(row[7]).toISOString()}`,
  );
  writeFileSync(join(dir, 'users.csv'), `${names}\n${lines.join('\n')}\n`);
  const args = ['ingest', join(dir, 'users.csv'), '--schema', join(dir, 'schema.yaml'), '--quiet'];
  const url = `redis://127.0.0.1:${redisPort}`;
  const done = spawnSync(process.execPath, [here('../bin/featurectl.js'), ...args, '--redis', url], {
    stdio: 'inherit',
  });
  if (done.status !== 0) throw new Error('the load failed');
}

async function untilUp(port) {
  for (let i = 0; i < 200; i += 1) {
    const isUp = await fetch(`http://127.0.0.1:${port}/health`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isUp) return;
    await pause(50);
  }
  throw new Error('a server did not come up in 10 s');
}

async function print() {
  const base = servers.find(({ name }) => name.startsWith('FastAPI'));
  console.log(
    `${cpus().length} cores (${cpus()[0]?.model}), node ${process.version}, ${hasWrk ? 'wrk' : 'autocannon'}`,
  );
  console.log(`${CONNECTIONS} connections, ${seconds} s a run, median of ${flags.rounds}\n`);
  console.log(
    '| server | single, requests/s | ratio | batch of 100, requests/s | ratio |\n|---|---|---|---|---|',
  );
  for (const { name, single, batch } of servers) {
    const ratio = (kind, own) => (base ? (median(own) / median(base[kind])).toFixed(2) : '');
    const rate = (own) => Math.round(median(own)).toLocaleString('en-US');
    console.log(
      `| ${name} | ${rate(single)} | ${ratio('single', single)} | ${rate(batch)} | ${ratio('batch', batch)} |`,
    );
  }
  const own = servers.find(({ name }) => name.startsWith('featurectl'));
  if (!own) return;
  const half = Math.round(median(own.single) / 2);
  const file = join(dir, 'bodies.json');
  writeFileSync(file, JSON.stringify(bodies.single));
  const args = [here('paced.js'), own.port, '/features', half, seconds + 1, CONNECTIONS, file].map(String);
  const { stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { rate, p50, p99, p999 } = JSON.parse(stdout);
  console.log(
    `\nsingle reads at half of that (asked ${half}/s, got ${Math.round(rate)}/s), from when each was due:`,
  );
  console.log(`p50 ${p50} ms, p99 ${p99} ms, p99.9 ${p999} ms`);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
