/** Getting to Redis: users and rights, refusals, unix socket, TLS, Sentinel. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.js';
import type { FeaturectlError } from '../../src/core/errors.ts';
import { type ConnectOptions, connect, createWriter } from '../../src/redis/index.ts';
import { certificates } from '../support/certificates.ts';
import { startSentinel } from '../support/redis-sentinel.ts';
import { type StartOptions, startRedis, type TestRedis } from '../support/redis-server.ts';
import { start } from '../support/spawn.ts';
import {
  commitRows,
  createTally,
  DEFAULTS,
  type OpenOptions,
  openWriter,
  plainRows,
  storedHashes,
  writeAll,
} from '../support/writing.ts';

const XY = { fields: ['x', 'y'] };
const opened: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function server(options: StartOptions = {}): Promise<TestRedis> {
  const redis = await startRedis(options);
  opened.push(() => redis.stop());
  return redis;
}

/** A server with a user `loader` of these rights, and the URL of that user. */
async function withUser(...rights: string[]): Promise<{ redis: TestRedis; url: string }> {
  const redis = await server();
  await redis.cli('ACL', 'SETUSER', 'loader', 'on', '>s3cret', ...rights);
  return { redis, url: redis.url.replace('//', '//loader:s3cret@') };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function refusal(work: Promise<unknown>): Promise<FeaturectlError> {
  return work.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: FeaturectlError) => error,
  );
}

async function writeWith(options: ConnectOptions, writing: Partial<OpenOptions> = {}) {
  const tally = createTally();
  const connection = await connect(options);
  opened.push(() => connection.close());
  const writer = await createWriter(connection, { ...DEFAULTS, ...XY, ...writing }, tally);
  await commitRows(writer, plainRows(300));
  await writer.drain();
  await writer.close();
  expect(tally.told.written).toBe(300);
  return writer.plan;
}

describe('rights', () => {
  it.each([
    ['script', 'merge', '-pexpireat'],
    ['script', 'merge', '-time'],
    ['script', 'merge', '-hset'],
    ['script', 'replace', '-pexpireat'],
    ['script', 'newer', '-pexpireat'],
    ['script', 'newer', '-hget'],
    ['script', 'replace', '-del'],
    ['pipeline', 'merge', '-expire'],
    ['pipeline', 'merge', '-pexpire'],
  ] as const)('%s %s with %s is refused before the first write', async (path, mode, missing) => {
    const { redis, url } = await withUser('~*', '+@all', missing);
    const error = await refusal(openWriter(url, { ...XY, mode, eventTimeField: 0, path }, createTally()));
    expect(error).toMatchObject({ code: 'REDIS_AUTH', message: expect.stringContaining(missing.slice(1)) });
    expect(error.message).not.toContain('s3cret');
    expect(await redis.cli('DBSIZE')).toBe(0);
  });

  it('a missing DEL is found without transactions too', async () => {
    const { redis, url } = await withUser('~*', '+@all', '-del', '-multi', '-restore');
    const error = await refusal(openWriter(url, { ...XY, mode: 'replace' }, createTally()));
    expect(error).toMatchObject({ code: 'REDIS_AUTH', message: expect.stringContaining('del') });
    expect(await redis.cli('DBSIZE')).toBe(0);
  });

  it('--write pipeline: PEXPIRE is not needed where every TTL is in whole seconds', async () => {
    const { redis, url } = await withUser('~*', '+@all', '-pexpire');
    await writeWith({ url, retryForMs: 1000 }, { millis: false, path: 'pipeline' });
    expect(await redis.cli('DBSIZE')).toBe(300);
  });

  it.each(['-evalsha', '-script'])('%s: pipeline is chosen, and the plan says why', async (missing) => {
    const { redis, url } = await withUser('~*', '+@all', missing);
    const tally = createTally();
    const writer = await openWriter(url, XY, tally);
    await commitRows(writer, plainRows(50));
    await writer.drain();
    await writer.close();
    expect(writer.plan.path).toBe('pipeline');
    expect(writer.plan.why).toContain(`'${missing === '-script' ? 'script|load' : 'evalsha'}'`);
    expect(writer.plan.warnings).toHaveLength(1);
    expect(await redis.cli('DBSIZE')).toBe(50);
    const newer = refusal(openWriter(url, { ...XY, mode: 'newer', eventTimeField: 0 }, createTally()));
    expect(await newer).toMatchObject({
      code: 'REDIS_SERVER',
      message: expect.stringMatching(/may run scripts/),
    });
  });

  it('no more than what the message tells to grant is needed', async () => {
    const rights = '+hset +hget +hdel +del +pexpireat +time +evalsha +script|load';
    const { url } = await withUser('~k:*', ...rights.split(' '));
    for (const mode of ['merge', 'replace', 'newer'] as const) {
      const options = { ...XY, mode, eventTimeField: 1, connections: 2 };
      const rows = plainRows(300, mode, 1).map((row) => ({ ...row, eventTime: row.values[1] ?? '' }));
      expect((await writeAll(url, options, rows)).told.failed.size).toBe(0);
    }
  });

  it.each(['merge', 'replace', 'newer'] as const)(
    '%s: a user of other keys is refused before the first write',
    async (mode) => {
      const { redis, url } = await withUser('~other:*', '+@all');
      const error = await refusal(openWriter(url, { ...XY, mode, eventTimeField: 1 }, createTally()));
      expect(error).toMatchObject({
        code: 'REDIS_AUTH',
        message: expect.stringContaining('expected a user that may write keys such as k:probe'),
      });
      expect(await redis.cli('DBSIZE')).toBe(0);
    },
  );

  it('replace without scripts and transactions is refused before the first write', async () => {
    const { redis, url } = await withUser('~*', '+@all', '-evalsha', '-restore', '-multi');
    const error = await refusal(openWriter(url, { ...XY, mode: 'replace' }, createTally()));
    expect(error).toMatchObject({ code: 'REDIS_AUTH', message: expect.stringMatching(/MULTI/) });
    expect(await redis.cli('DBSIZE')).toBe(0);
  });

  it.each([
    ['script', 'merge'],
    ['script', 'newer'],
    ['pipeline', 'merge'],
  ] as const)('%s %s: keys outside the pattern of the user fail alone', async (path, mode) => {
    const { redis, url } = await withUser('~k:*', '+@all');
    // Some rows lack a field, TTLs differ: a call that is taken apart gives each row its own.
    const rows = plainRows(230).map((row, i) => ({
      key: i % 60 === 7 ? `other:${i}` : row.key,
      values: i % 5 === 3 ? [undefined, row.values[1]] : row.values,
      ttlMs: i % 3 === 0 ? 5_000_000 : 9_000_000,
      eventTime: row.values[1] ?? '',
    }));
    const options = { ...XY, path, mode, eventTimeField: mode === 'newer' ? 1 : null, chunkRows: 75 };
    const tally = await writeAll(url, options, rows);
    expect(tally.told.written).toBe(226);
    expect(tally.codes()).toEqual({ NOPERM: 4 });
    expect([...tally.told.failed.keys()]).toEqual([7, 67, 127, 187]);
    const client = new Redis(redis.url);
    const stored = await storedHashes(client);
    client.disconnect();
    expect(Object.keys(stored)).toHaveLength(226);
    for (const [i, { key, values, ttlMs }] of rows.entries()) {
      if (key.startsWith('other')) continue;
      const [x, y] = values;
      expect({ ...stored[key]?.fields }).toEqual(x === undefined ? { y } : { x, y });
      expect(Math.ceil((stored[key]?.ttlMs ?? 0) / 1_000_000), `row ${i}`).toBe(ttlMs / 1_000_000);
    }
  });
});

describe('an interrupt ends the waiting at once', () => {
  it.each([
    ['for a connection', 'ALL'],
    ['for the answers before the first row', 'WRITE'],
  ])('%s', async (_what, paused) => {
    const redis = await server();
    await redis.cli('CLIENT', 'PAUSE', 1_500, paused);
    const stop = new AbortController();
    const interrupt = setTimeout(() => stop.abort(new Error('SIGINT')), 150);
    const started = performance.now();
    const writing = connect({ url: redis.url, retryForMs: 20_000, signal: stop.signal }).then(
      (connection) => {
        opened.push(() => connection.close());
        return createWriter(connection, { ...DEFAULTS, ...XY, retryForMs: 20_000 }, createTally());
      },
    );
    expect((await refusal(writing)).message).toBe('SIGINT');
    expect(performance.now() - started).toBeLessThan(1_000);
    clearTimeout(interrupt);
  });
});

describe('several connections', () => {
  it('those after the first are waited for as the first is', async () => {
    const redis = await server();
    const clients = Number(/connected_clients:(\d+)/.exec(String(await redis.cli('INFO', 'clients')))?.[1]);
    await redis.cli('CONFIG', 'SET', 'maxclients', clients + 2);
    const more = setTimeout(() => void redis.cli('CONFIG', 'SET', 'maxclients', 100), 300);
    const tally = await writeAll(redis.url, { ...XY, connections: 4 }, plainRows(300));
    clearTimeout(more);
    expect(tally.told.written).toBe(300);
    expect(tally.told.retries.join()).toMatch(/max number of clients/);
  });

  it('REDIS_LOST where they never come, and no connection stays behind', async () => {
    const redis = await server();
    const clients = async (): Promise<number> =>
      Number(/connected_clients:(\d+)/.exec(String(await redis.cli('INFO', 'clients')))?.[1]);
    const before = await clients();
    await redis.cli('CONFIG', 'SET', 'maxclients', before + 2);
    const lost = refusal(openWriter(redis.url, { ...XY, connections: 4, retryForMs: 400 }, createTally()));
    expect((await lost).code).toBe('REDIS_LOST');
    await pause(50);
    expect(await clients()).toBe(before);
  });
});

it('the process ends as soon as the run has: no timer and no socket is left', async () => {
  const redis = await server();
  const csv = join(redis.dir, 'in.csv');
  writeFileSync(csv, `id,x\n${Array.from({ length: 500 }, (_, i) => `${i},v`).join('\n')}\n`);
  const argv = ['ingest', csv, '--key', 'id', '--prefix', 'k:', '--ttl', '1h', '--retry-for', '500ms'];
  const env = { REDIS_URL: redis.url };
  const started = performance.now();
  expect((await start([...argv, '--connections', '2'], env).done).code).toBe(0);
  const usual = performance.now() - started;
  await redis.cli('CLIENT', 'PAUSE', 20_000, 'WRITE');
  const again = performance.now();
  const { code, stderr } = await start(argv, env).done;
  expect(code, stderr).toBe(4);
  expect(stderr).toMatch(/REDIS_LOST/);
  expect(performance.now() - again).toBeLessThan(usual + 1_800);
});

describe('refusals', () => {
  it.each([
    ['a wrong password', '//:wr0ng-pass@'],
    ['a wrong user', '//nobody:wr0ng-pass@'],
    ['no password', '//'],
  ])('%s is REDIS_AUTH at once', async (_what, user) => {
    const redis = await server({ args: ['--requirepass', 's3cret'] });
    const started = performance.now();
    const url = redis.url.replace('//', user);
    const error = await refusal(connect({ url, retryForMs: 20_000 }));
    expect(error.code).toBe('REDIS_AUTH');
    expect(error.message).not.toMatch(/wr0ng|s3cret/);
    expect(JSON.stringify(error)).not.toMatch(/wr0ng|s3cret/);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('a password that changes in the middle of a load ends the run', async () => {
    const { redis, url } = await withUser('~*', '+@all');
    const tally = createTally();
    const writer = await openWriter(url, XY, tally);
    opened.push(() => writer.close());
    await commitRows(writer, plainRows(50));
    await writer.drain();
    await redis.cli('ACL', 'SETUSER', 'loader', 'resetpass', '>other');
    await redis.cli('CLIENT', 'KILL', 'USER', 'loader');
    const error = await refusal(commitRows(writer, plainRows(50), 50).then(() => writer.drain()));
    expect(error.code).toBe('REDIS_AUTH');
    expect(error.message).not.toContain('s3cret');
  });

  it('nobody listens: REDIS_CONNECT after retryForMs', async () => {
    const told: string[] = [];
    const url = `redis://me:s3cret@127.0.0.1:${await freePort()}`;
    const started = performance.now();
    const error = await refusal(connect({ url, retryForMs: 700, retrying: (text) => told.push(text) }));
    expect(error.code).toBe('REDIS_CONNECT');
    expect(error.message).toMatch(/ECONNREFUSED/);
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(told.length).toBeGreaterThan(0);
    expect(`${told.join()} ${error.message}`).not.toContain('s3cret');
  });

  it.each(['redis://', 'redis://me:s3cret@'])('listens but never answers (%s)', async (head) => {
    const redis = await server();
    await redis.cli('ACL', 'SETUSER', 'me', 'on', '>s3cret', '~*', '+@all');
    await redis.cli('CLIENT', 'PAUSE', '2000', 'ALL');
    const started = performance.now();
    const error = await refusal(connect({ url: redis.url.replace('redis://', head), retryForMs: 400 }));
    expect(error.code).toBe('REDIS_CONNECT');
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  it('a database that the server does not have is refused, not taken for 0', async () => {
    const redis = await server();
    const error = await refusal(connect({ url: `${redis.url}/99`, retryForMs: 5_000 }));
    expect(error).toMatchObject({ code: 'REDIS_SERVER', message: expect.stringContaining('database 99') });
  });

  it('another database than 0', async () => {
    const redis = await server();
    await writeWith({ url: `${redis.url}/3`, retryForMs: 5_000 });
    expect(await redis.cli('INFO', 'keyspace')).toMatch(/db3:keys=300/);
    expect(await redis.cli('DBSIZE')).toBe(0);
  });
});

it('unix socket', async () => {
  const redis = await server({ unixsocket: true });
  await writeWith({ url: `unix://${redis.socketPath}`, retryForMs: 5_000 }, { connections: 2 });
  expect(await redis.cli('DBSIZE')).toBe(300);
});

describe('TLS', () => {
  it('a CA of our own and a client certificate; refused without either', async () => {
    const redis = await server();
    const pem = certificates(redis.dir);
    const tlsPort = await freePort();
    await redis.cli('CONFIG', 'SET', ...Object.entries(pem.config).flat(), 'tls-port', tlsPort);
    const url = `rediss://localhost:${tlsPort}`;
    await writeWith({ url, tls: pem.client, retryForMs: 5_000 }, { connections: 2 });
    expect(await redis.cli('DBSIZE')).toBe(300);
    const unknown = await refusal(connect({ url, retryForMs: 300 }));
    expect(unknown).toMatchObject({ code: 'REDIS_CONNECT', message: expect.stringMatching(/certificate/i) });
    const anonymous = await refusal(connect({ url, tls: { ca: pem.client.ca }, retryForMs: 300 }));
    expect(anonymous.code).toBe('REDIS_CONNECT');
  });
});

describe('Sentinel', () => {
  it('finds the master, follows a failover in the middle of a load, ignores a dead Sentinel', async () => {
    const redis = await server({ args: ['--repl-diskless-sync-delay', '0'] });
    const replica = await server({ args: ['--replicaof', '127.0.0.1', String(redis.port)] });
    const sentinel = await startSentinel(redis.port);
    opened.push(() => sentinel.stop());
    const connection = await connect({
      url: 'redis://',
      sentinels: [`127.0.0.1:${await freePort()}`, `127.0.0.1:${sentinel.port}`],
      sentinelName: 'main',
      retryForMs: 20_000,
    });
    const tally = createTally();
    const writer = await createWriter(connection, { ...DEFAULTS, ...XY, retryForMs: 20_000 }, tally);
    opened.push(() => writer.close());
    await commitRows(writer, plainRows(200));
    await writer.drain();
    // What the replica does not have yet would be lost with the master, whoever wrote it.
    while ((await replica.cli('DBSIZE')) !== 200) await pause(20);
    await redis.kill();
    await commitRows(writer, plainRows(300, 'w', 200), 200);
    await writer.drain();
    expect(tally.told).toMatchObject({ written: 500, failed: new Map() });
    expect(await replica.cli('ROLE')).toMatchObject({ 0: 'master' });
    expect(await replica.cli('DBSIZE')).toBe(500);
  });

  it('a master that was only silent goes on taking rows: they go to the new one as soon as it is named', async () => {
    const debug = ['--enable-debug-command', 'yes'];
    const redis = await server({ args: ['--repl-diskless-sync-delay', '0', ...debug] });
    const replica = await server({ args: ['--replicaof', '127.0.0.1', String(redis.port)] });
    const sentinel = await startSentinel(redis.port);
    opened.push(() => sentinel.stop());
    const connection = await connect({
      url: 'redis://',
      sentinels: [`127.0.0.1:${sentinel.port}`],
      sentinelName: 'main',
      retryForMs: 20_000,
    });
    const tally = createTally();
    const writer = await createWriter(connection, { ...DEFAULTS, ...XY, retryForMs: 20_000 }, tally);
    opened.push(() => writer.close());
    await commitRows(writer, plainRows(200));
    await writer.drain();
    while ((await replica.cli('DBSIZE')) !== 200) await pause(20);
    await redis.cli('DEBUG', 'SLEEP', '1');
    while ((await sentinel.masterPort()) !== replica.port) await pause(20);
    await pause(200);
    expect(await redis.cli('ROLE')).toMatchObject({ 0: 'master' });
    await commitRows(writer, plainRows(300, 'w', 200), 200);
    await writer.drain();
    expect(tally.told).toMatchObject({ written: 500, failed: new Map() });
    expect(await replica.cli('DBSIZE')).toBe(500);
    expect(await redis.cli('DBSIZE')).toBe(200);
  });
});
