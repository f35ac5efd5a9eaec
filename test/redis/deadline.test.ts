/** RESTORE says when a key expires, by the server's clock: the TTL must be the one that was asked for all the same. */
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sleep } from '../../src/redis/ask.ts';
import { putNumber } from '../../src/redis/resp.ts';
import { createServerClock } from '../../src/redis/server-clock.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { startProxy } from '../support/resp-proxy.ts';
import { useRedis } from '../support/use-redis.ts';
import { commitRow, createTally, type OpenOptions, openWriter, writeAll } from '../support/writing.ts';

const HOUR_MS = 3_600_000;

let server: TestRedis;
let client: Redis;
useRedis((redis) => {
  ({ server, client } = redis);
});
beforeEach(async () => {
  await client.flushall();
  await client.config('SET', 'slowlog-log-slower-than', 0);
  await client.config('SET', 'slowlog-max-len', 2000);
  await client.slowlog('RESET');
});

afterEach(() => vi.restoreAllMocks());

const X = { fields: ['x'], path: 'restore' } as const;

/** The words of every RESTORE of a key that was written, but for key, time and payload. */
async function restores(): Promise<string[]> {
  const entries = (await client.slowlog('GET', 2000)) as [number, number, number, string[]][];
  const words = entries
    .map((entry) => entry[3])
    .filter(([name, key]) => name === 'RESTORE' && key !== 'k:probe');
  return [...new Set(words.map((each) => each.slice(4).join(' ')))].sort();
}

async function lives(key: string, ttlMs: number, lessMs = 500): Promise<void> {
  const left = await client.pttl(key);
  expect(left).toBeLessThanOrEqual(ttlMs);
  expect(left).toBeGreaterThan(ttlMs - lessMs);
}

it.each([
  ['merge', HOUR_MS, ['ABSTTL']],
  ['replace', HOUR_MS, ['REPLACE ABSTTL']],
  ['newer', 400 * 24 * HOUR_MS, ['ABSTTL']],
  ['merge', HOUR_MS - 1, ['']],
  ['replace', HOUR_MS - 1, ['REPLACE']],
] as const)('mode %s, a TTL of %i ms: %j', async (mode, ttlMs, words) => {
  const options = { ...X, mode, eventTimeField: mode === 'newer' ? 0 : null };
  await writeAll(server.url, options, [{ key: 'k:1', values: ['1'], ttlMs, eventTime: '1' }]);
  await lives('k:1', ttlMs);
  expect(await restores()).toEqual(words);
});

it('no TTL stays none', async () => {
  await writeAll(server.url, { ...X, mode: 'replace' }, [{ key: 'k:1', values: ['1'], ttlMs: 0 }]);
  expect(await client.pttl('k:1')).toBe(-1);
});

it('every row has its own, shorter and longer than an hour', async () => {
  const ttls = Array.from({ length: 500 }, (_, i) => HOUR_MS - 250_000 + 1000 * i + (i % 7));
  const rows = ttls.map((ttlMs, i) => ({ key: `k:${i}`, values: ['1'], ttlMs }));
  await writeAll(server.url, { ...X, mode: 'replace' }, rows);
  for (const [i, ttlMs] of ttls.entries()) await lives(`k:${i}`, ttlMs, 2000);
  expect(await restores()).toEqual(['REPLACE', 'REPLACE ABSTTL']);
});

it('a key that exists gets the whole TTL by the script', async () => {
  await client.hset('k:1', 'x', 'old');
  await writeAll(server.url, X, [{ key: 'k:1', values: ['new'], ttlMs: 2 * HOUR_MS }]);
  expect(await client.hget('k:1', 'x')).toBe('new');
  await lives('k:1', 2 * HOUR_MS);
});

it('a user who may not ask for the time writes in how long', async () => {
  await client.call('ACL', 'SETUSER', 'timeless', 'on', '>secret', '~*', '+@all', '-time');
  const url = server.url.replace('redis://', 'redis://timeless:secret@');
  await writeAll(url, { ...X, mode: 'replace' }, [{ key: 'k:1', values: ['1'] }]);
  await lives('k:1', HOUR_MS);
  expect(await restores()).toEqual(['REPLACE']);
});

it.each([-HOUR_MS, -1500, 1500, HOUR_MS])('clocks that are %i ms apart: rows say in how long', async (ms) => {
  const now = Date.now;
  vi.spyOn(Date, 'now').mockImplementation(() => now() + ms);
  await writeAll(server.url, { ...X, mode: 'replace' }, [{ key: 'k:1', values: ['1'] }]);
  await lives('k:1', HOUR_MS);
  expect(await restores()).toEqual(['REPLACE']);
});

/** Text, nil, a number, words and no numbers, an error of another kind than for what is unknown. */
it.each(['UNWATCH', 'RANDOMKEY', 'LASTSAVE', 'ROLE', 'ECHO'])(
  'TIME that answers as %s does',
  async (name) => {
    const args = ['--rename-command', 'TIME', '', '--rename-command', name, 'TIME'];
    const odd = await startRedis({ args });
    const own = new Redis(odd.url, { enableReadyCheck: false });
    try {
      const clock = createServerClock();
      await clock.read(own, 1000);
      expect(clock.isSure()).toBe(false);
      expect(Math.abs(clock.now() - Date.now())).toBeLessThan(200);
      await writeAll(odd.url, { ...X, mode: 'replace' }, [{ key: 'k:1', values: ['1'] }]);
      expect(await own.pttl('k:1')).toBeGreaterThan(HOUR_MS - 500);
    } finally {
      own.disconnect();
      await odd.stop();
    }
  },
);

/** Three rows are committed, then so much time passes before they are sent. */
async function writeLate(url: string, options: OpenOptions, wait: () => Promise<unknown>): Promise<void> {
  const tally = createTally();
  const writer = await openWriter(url, options, tally);
  for (let i = 0; i < 3; i += 1) commitRow(writer, { key: `k:${i}`, values: ['1'], ttlMs: HOUR_MS + i }, i);
  await wait();
  await writer.drain();
  await writer.close();
  expect(tally.told.written).toBe(3);
}

it.each(['merge', 'replace'] as const)('mode %s: rows that wait to be sent keep their TTL', async (mode) => {
  await writeLate(server.url, { ...X, mode }, () => sleep(1600));
  for (let i = 0; i < 3; i += 1) await lives(`k:${i}`, HOUR_MS + i);
});

it.each([-2, 2])('rows that wait while our clock is set by %i h keep their TTL', async (hours) => {
  const now = Date.now;
  const options = { ...X, fields: ['x', 'y'], mode: 'replace' } as const;
  const tally = createTally();
  const writer = await openWriter(server.url, options, tally);
  const ttls = [HOUR_MS, 1000 * HOUR_MS, 30_000, HOUR_MS + 1, 87_600 * HOUR_MS, 0, 2 * HOUR_MS];
  const rows = ttls.map((ttlMs, i) => ({
    key: `k:${'x'.repeat(3 * i)}`,
    values: ['1'.repeat(i), `v${i}`],
    ttlMs,
  }));
  for (const [i, row] of rows.entries()) commitRow(writer, row, i);
  vi.spyOn(Date, 'now').mockImplementation(() => now() + hours * HOUR_MS);
  await writer.drain();
  await writer.close();
  expect(tally.told).toMatchObject({ written: rows.length, failed: new Map() });
  for (const { key, values, ttlMs } of rows) {
    expect(await client.hgetall(key)).toEqual({ x: values[0], y: values[1] });
    if (ttlMs > 0) await lives(key, ttlMs);
    else expect(await client.pttl(key)).toBe(-1);
  }
});

it('rows that are sent again keep their TTL', async () => {
  const proxy = await startProxy(server.port);
  const tally = createTally();
  const writer = await openWriter(proxy.url, { ...X, mode: 'replace', retryForMs: 20_000 }, tally);
  // The connection ends before the first row is whole, and no other is taken for a while.
  proxy.arm([{ direction: 'request', at: 5 }]);
  await client.config('SET', 'maxclients', '1');
  const rows = [0, 1, 2].map((i) => ({ key: `k:${i}`, values: ['1'], ttlMs: HOUR_MS + i }));
  for (const [i, row] of rows.entries()) commitRow(writer, row, i);
  const drained = writer.drain();
  await sleep(1800);
  await client.config('SET', 'maxclients', '100');
  await drained;
  for (const { key, ttlMs } of rows) await lives(key, ttlMs, 1500);
  expect(tally.told).toMatchObject({ written: 3, failed: new Map() });
  await writer.close();
  await proxy.close();
});

it("a clock that was read is the server's", async () => {
  const clock = createServerClock();
  expect(clock.isSure()).toBe(false);
  await clock.read(client, 1000);
  expect(clock.isSure()).toBe(true);
  const [seconds, micros] = await client.time();
  const server = Number(seconds) * 1000 + Number(micros) / 1000;
  expect(Math.abs(clock.now() - server)).toBeLessThan(200);
});

it('numbers of every length', () => {
  const buffer = Buffer.alloc(32);
  for (let digits = 1; digits <= 15; digits += 1) {
    for (const value of [10 ** digits - 1, 10 ** (digits - 1), Math.floor(10 ** digits / 7)]) {
      expect(buffer.latin1Slice(0, putNumber(buffer, 0, value))).toBe(String(value));
    }
  }
});
