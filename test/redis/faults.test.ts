/** CASES' Redis table on real servers: what passes is retried, what does not ends the run, every row is told. */
import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type StartOptions, startRedis, type TestRedis } from '../support/redis-server.ts';
import {
  commitRows,
  createTally,
  type OpenOptions,
  openWriter,
  plainRows,
  storedFields,
  storedHashes,
  type Tally,
  writeAll,
} from '../support/writing.ts';

const XY = { fields: ['x', 'y'] };
const MODES = [
  ['script', 'merge'],
  ['pipeline', 'merge'],
  ['script', 'replace'],
  ['pipeline', 'replace'],
  ['restore', 'merge'],
  ['restore', 'replace'],
] as const;

const opened: { close(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function server(options: StartOptions = {}): Promise<TestRedis> {
  const redis = await startRedis(options);
  opened.push({ close: () => redis.stop() });
  return redis;
}

function clientOf(redis: TestRedis): Redis {
  const client = new Redis(redis.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on('error', () => {});
  opened.push({ close: () => client.disconnect() });
  return client;
}

async function writer(redis: TestRedis, options: Partial<OpenOptions>, tally: Tally) {
  const made = await openWriter(redis.url, { ...XY, ...options }, tally);
  opened.push(made);
  return made;
}

/** Makes Redis be over its memory limit now; `relax` lifts it. */
async function full(redis: TestRedis): Promise<void> {
  await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
}
const relax = (redis: TestRedis): Promise<unknown> => redis.cli('CONFIG', 'SET', 'maxmemory', '0');

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(MODES)('%s %s: out of memory', (path, mode) => {
  it('nothing changes; after retryForMs the run ends with REDIS_LOST', async () => {
    const redis = await server();
    const client = clientOf(redis);
    await client.hset('k:1', 'x', 'old');
    await client.expire('k:1', 50);
    const tally = createTally();
    const target = await writer(redis, { path, mode, retryForMs: 600 }, tally);
    await full(redis);
    await commitRows(target, plainRows(20));
    const started = performance.now();
    await expect(target.drain()).rejects.toMatchObject({
      code: 'REDIS_LOST',
      message: expect.stringMatching(/OOM/),
    });
    expect(performance.now() - started).toBeLessThan(2_500);
    await target.abandon(0);
    expect(tally.codes()).toEqual({ UNSETTLED: 20 });
    expect(tally.total()).toBe(20);
    const stored = await storedHashes(client);
    expect(Object.keys(stored)).toEqual(['k:1']);
    expect({ ...stored['k:1']?.fields }).toEqual({ x: 'old' });
    if (path !== 'pipeline' || mode !== 'merge') expect(stored['k:1']?.ttlMs).toBeLessThanOrEqual(50_000);
  });

  it('goes on when memory is there again', async () => {
    const redis = await server();
    const tally = createTally();
    const target = await writer(redis, { path, mode, chunkRows: 10 }, tally);
    await commitRows(target, plainRows(50));
    await full(redis);
    setTimeout(() => void relax(redis), 250);
    await commitRows(target, plainRows(300, 'w', 20), 50);
    await target.drain();
    expect(tally.told).toMatchObject({ written: 350, failed: new Map() });
    expect(tally.told.retries.join()).toMatch(/OOM/);
    const stored = await storedHashes(clientOf(redis));
    expect(Object.keys(stored)).toHaveLength(320);
    expect(stored['k:20']?.fields.x).toBe('w20');
    for (const { ttlMs } of Object.values(stored)) expect(ttlMs).toBeGreaterThan(3_000_000);
  });
});

describe.each(MODES)('%s %s: a server in trouble', (path, mode) => {
  it('NOREPLICAS and MISCONF for a while', async () => {
    const redis = await server();
    const tally = createTally();
    const target = await writer(redis, { path, mode, chunkRows: 10 }, tally);
    await redis.cli('CONFIG', 'SET', 'min-replicas-to-write', '1');
    setTimeout(() => void redis.cli('CONFIG', 'SET', 'min-replicas-to-write', '0'), 150);
    await commitRows(target, plainRows(50));
    await target.drain();
    expect(tally.told.retries.join()).toMatch(/NOREPLICAS/);
    tally.told.retries.length = 0;
    await pause(1_000);
    // Its folder is gone, so it cannot save, and does not want to write.
    rmSync(redis.dir, { recursive: true });
    await redis.cli('CONFIG', 'SET', 'save', '3600 1');
    await redis.cli('BGSAVE');
    while (!/last_bgsave_status:err/.test(String(await redis.cli('INFO', 'persistence')))) await pause(10);
    setTimeout(() => void redis.cli('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no'), 150);
    await commitRows(target, plainRows(50, 'w', 25), 50);
    await target.drain();
    expect(tally.told.retries.join()).toMatch(/MISCONF/);
    expect(tally.told).toMatchObject({ written: 100, failed: new Map() });
    const stored = await storedFields(clientOf(redis));
    for (let i = 0; i < 75; i++) expect(stored[`k:${i}`]?.x).toBe(i < 25 ? `v${i}` : `w${i}`);
  });

  it('READONLY for a while', async () => {
    const redis = await server();
    const tally = createTally();
    const target = await writer(redis, { path, mode, chunkRows: 10, connections: 2 }, tally);
    await commitRows(target, plainRows(50));
    await target.drain();
    // A master that does not answer: the replica stays as it is, read-only.
    await redis.cli('REPLICAOF', '127.0.0.1', '1');
    setTimeout(() => void redis.cli('REPLICAOF', 'NO', 'ONE'), 300);
    await commitRows(target, plainRows(200, 'w', 20), 50);
    await target.drain();
    expect(tally.told).toMatchObject({ written: 250, failed: new Map() });
    expect(tally.told.retries.join()).toMatch(/READONLY/);
    const stored = await storedFields(clientOf(redis));
    for (let i = 20; i < 220; i++) expect(stored[`k:${i}`]?.x).toBe(`w${i}`);
  });

  /** Rows until the server was killed, then it is started again while more follow; what comes of it. */
  async function killedInTheMiddle(redis: TestRedis, tally: Tally): Promise<unknown> {
    const target = await writer(redis, { path, mode, chunkRows: 20, connections: 2, rate: 20_000 }, tally);
    const killing = pause(120).then(async () => {
      await redis.kill();
      await pause(50);
      await redis.restart();
    });
    const ending = await commitRows(target, plainRows(6000))
      .then(() => target.drain())
      .catch((error: unknown) => error);
    await killing;
    await target.abandon(0);
    return ending;
  }

  it('killed and restarted, empty, in the middle of a load: REDIS_DATA_LOSS', async () => {
    const redis = await server();
    const tally = createTally();
    expect(await killedInTheMiddle(redis, tally)).toMatchObject({ code: 'REDIS_DATA_LOSS' });
    expect(tally.told.written).toBeGreaterThan(0);
    expect(tally.total()).toBe(tally.told.written + tally.told.failed.size);
  });

  it('killed and restarted with what it had saved before the load, keys and all: REDIS_DATA_LOSS', async () => {
    const redis = await server();
    const client = clientOf(redis);
    for (let i = 0; i < 6000; i += 1) client.hset(`k:${i}`, 'x', 'old').catch(() => {});
    for (let i = 0; i < 6000; i += 1) client.pexpire(`k:${i}`, 1_800_000).catch(() => {});
    await client.ping();
    await redis.cli('SAVE');
    expect(await killedInTheMiddle(redis, createTally())).toMatchObject({ code: 'REDIS_DATA_LOSS' });
  });

  it('killed and restarted with all that it took: goes on', async () => {
    const redis = await server({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    const tally = createTally();
    expect(await killedInTheMiddle(redis, tally)).toBeUndefined();
    expect(tally.told).toMatchObject({ written: 6000, failed: new Map() });
    const stored = await storedHashes(clientOf(redis));
    expect(Object.keys(stored)).toHaveLength(6000);
    for (const { ttlMs } of Object.values(stored)) expect(ttlMs).toBeGreaterThan(0);
  });
});

describe.each([MODES[0], MODES[1]])('%s %s: a server without end', (path, mode) => {
  it('gone for good: REDIS_LOST in time, the rest UNSETTLED', async () => {
    const redis = await server();
    const tally = createTally();
    const target = await writer(redis, { path, mode, connections: 3, retryForMs: 500 }, tally);
    await commitRows(target, plainRows(100));
    await target.drain();
    await redis.kill();
    const started = performance.now();
    const rest = commitRows(target, plainRows(500), 100).then(() => target.drain());
    await expect(rest).rejects.toMatchObject({ code: 'REDIS_LOST' });
    expect(performance.now() - started).toBeLessThan(2_000);
    await target.abandon(0);
    expect(tally.told.written).toBe(100);
    expect(tally.codes().UNSETTLED).toBe(tally.total() - 100);
  });

  it('never answers: REDIS_LOST within the bound', async () => {
    const redis = await server();
    const tally = createTally();
    const target = await writer(redis, { path, mode, retryForMs: 500 }, tally);
    await redis.cli('CLIENT', 'PAUSE', '1500', 'ALL');
    await commitRows(target, plainRows(100));
    const started = performance.now();
    await expect(target.drain()).rejects.toMatchObject({ code: 'REDIS_LOST' });
    expect(performance.now() - started).toBeLessThan(1_400);
    await target.abandon(0);
    expect(tally.codes()).toEqual({ UNSETTLED: 100 });
  });
});

describe('a server in trouble', () => {
  it('SCRIPT FLUSH in the middle of a load', async () => {
    const redis = await server();
    const tally = createTally();
    const target = await writer(redis, { chunkRows: 10, connections: 2 }, tally);
    for (let i = 0; i < 10; i++) {
      await commitRows(target, plainRows(100, 'v', i * 100), i * 100);
      await redis.cli('SCRIPT', 'FLUSH');
    }
    await target.drain();
    expect(tally.told).toMatchObject({ written: 1000, failed: new Map() });
    expect(Object.keys(await storedFields(clientOf(redis)))).toHaveLength(1000);
  });

  it('busy for less than retryForMs: rows are written once it answers', async () => {
    const redis = await server({ args: ['--enable-debug-command', 'yes'] });
    const tally = createTally();
    const target = await writer(redis, { retryForMs: 5_000 }, tally);
    const busy = redis.cli('DEBUG', 'SLEEP', '0.7');
    await commitRows(target, plainRows(100));
    await target.drain();
    await busy;
    expect(tally.told).toMatchObject({ written: 100, failed: new Map() });
  });

  it('LOADING: waits until the data set is read', async () => {
    const redis = await server({ args: ['--enable-debug-command', 'yes', '--key-load-delay', '300'] });
    const client = clientOf(redis);
    await client.call('DEBUG', 'POPULATE', '3000', 'filler', '10');
    const tally = createTally();
    const target = await writer(redis, { retryForMs: 20_000 }, tally);
    const loading = client.call('DEBUG', 'RELOAD');
    await pause(50);
    await commitRows(target, plainRows(100));
    await target.drain();
    await loading;
    expect(tally.told).toMatchObject({ written: 100, failed: new Map() });
    expect(Object.keys((await client.keys('k:*')).sort())).toHaveLength(100);
  });

  it('trouble is told at most about once a second', async () => {
    const redis = await server();
    const tally = createTally();
    const target = await writer(redis, { connections: 3, retryForMs: 1_500 }, tally);
    await full(redis);
    await commitRows(target, plainRows(50));
    await expect(target.drain()).rejects.toMatchObject({ code: 'REDIS_LOST' });
    expect(tally.told.retries.length).toBeGreaterThan(0);
    expect(tally.told.retries.length).toBeLessThanOrEqual(3);
  });

  it.each(['-evalsha', '-hset', '-pexpireat'])(
    'one lane of several that dies ends the run (%s)',
    async (revoked) => {
      const redis = await server();
      await redis.cli('ACL', 'SETUSER', 'loader', 'on', '>secret', '~*', '+@all');
      const tally = createTally();
      const url = redis.url.replace('//', '//loader:secret@');
      const target = await openWriter(url, { ...XY, connections: 3, retryForMs: 1_000 }, tally);
      opened.push(target);
      await commitRows(target, plainRows(300));
      await target.drain();
      await redis.cli('ACL', 'SETUSER', 'loader', revoked);
      const rest = commitRows(target, plainRows(300), 300).then(() => target.drain());
      await expect(rest).rejects.toMatchObject({ code: 'REDIS_AUTH' });
      await target.abandon(0);
      expect(tally.told.written).toBe(300);
      expect(tally.total()).toBe(300 + (tally.codes().UNSETTLED ?? 0));
    },
  );
});

it('a second load of the same rows in mode newer is unchanged, row by row', async () => {
  const redis = await server();
  const options = { fields: ['x', 'at'], mode: 'newer', eventTimeField: 1 } as const;
  const rows = Array.from({ length: 120 }, (_, i) => ({
    key: `k:${i}`,
    values: ['v', '2024-01-01'],
    eventTime: '2024-01-01',
  }));
  expect((await writeAll(redis.url, options, rows)).told.written).toBe(120);
  expect((await writeAll(redis.url, options, rows)).told).toMatchObject({
    written: 0,
    skipped: { unchanged: 120 },
  });
});
