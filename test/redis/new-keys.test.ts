/** RESTORE for keys that are new and a script for those that exist, mixed in every way: the state is the script's. */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import {
  type OpenOptions,
  plainRows,
  storedFields,
  storedHashes,
  type TestRow,
  writeAll,
} from '../support/writing.ts';

let server: TestRedis;
let client: Redis;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});
beforeEach(() => client.flushall());

const XY = { fields: ['x', 'y'], path: 'restore' } as const;

/** Calls of each command since the server's counts were reset. */
async function calls(name: string): Promise<number> {
  const stats = await client.info('commandstats');
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

async function load(rows: readonly TestRow[], options: Partial<OpenOptions> = {}): Promise<void> {
  await client.config('RESETSTAT');
  const { told } = await writeAll(server.url, { ...XY, ...options }, rows);
  expect(told).toMatchObject({ written: rows.length, failed: new Map(), retries: [] });
}

async function exist(rows: readonly TestRow[]): Promise<void> {
  const pipeline = client.pipeline();
  for (const { key } of rows) pipeline.hset(key, 'x', 'old', 'z', 'kept');
  await pipeline.exec();
}

describe('which way rows go', () => {
  it('new keys by RESTORE, but for those sent while a trial is unanswered', async () => {
    await load(plainRows(5000));
    expect(await calls('hset')).toBeLessThan(1000);
    expect(await client.dbsize()).toBe(5000);
  });

  it('keys that exist by the script, after a trial', async () => {
    const rows = plainRows(5000);
    await exist(rows);
    await load(rows);
    expect(await calls('hset')).toBeGreaterThan(4999);
    expect(await client.hgetall('k:4321')).toEqual({ x: 'v4321', y: '4321', z: 'kept' });
  });

  it('a few that exist among new ones one by one', async () => {
    const rows = plainRows(5000);
    await exist(rows.filter((_, i) => i % 50 === 7));
    await load(rows);
    expect(await calls('hset')).toBeLessThan(1100);
    expect(await client.hgetall('k:57')).toEqual({ x: 'v57', y: '57', z: 'kept' });
    expect(await client.hgetall('k:58')).toEqual({ x: 'v58', y: '58' });
  });

  it('--write script: never by RESTORE', async () => {
    await load(plainRows(500), { path: 'script' });
    expect(await calls('restore')).toBe(0);
  });

  it('a user who may not RESTORE: by the script', async () => {
    await client.call('ACL', 'SETUSER', 'plain', 'on', '>secret', '~*', '+@all', '-restore');
    const url = server.url.replace('redis://', 'redis://plain:secret@');
    const { told } = await writeAll(url, { ...XY, path: 'auto' }, plainRows(500));
    expect(told.written).toBe(500);
    await expect(writeAll(url, XY, plainRows(1))).rejects.toMatchObject({ code: 'REDIS_SERVER' });
    await client.call('ACL', 'DELUSER', 'plain');
  });

  it('a user who may not run scripts cannot have --write restore', async () => {
    await client.call('ACL', 'SETUSER', 'plain', 'on', '>secret', '~*', '+@all', '-@scripting');
    const url = server.url.replace('redis://', 'redis://plain:secret@');
    await expect(writeAll(url, XY, plainRows(1))).rejects.toMatchObject({
      code: 'REDIS_SERVER',
      message: expect.stringContaining('--write restore'),
    });
    await client.call('ACL', 'DELUSER', 'plain');
  });
});

it('a row of a key that expires between two of its rows is not written over a later one', async () => {
  await load(plainRows(3000));
  // About the time that the rows in between take: before, within and after.
  for (let ms = 1; ms < 40; ms += 2) {
    const key = `dying:${ms}`;
    await client.hset(key, 'x', 'old', 'y', 'old');
    const between = plainRows(4000, 'w', 10_000 * ms);
    const rows = [
      ...plainRows(2000, 'u', 10_000 * ms + 4000),
      { key, values: ['first', 'first'] },
      ...between,
      { key, values: [undefined, 'second'] },
    ];
    await client.pexpire(key, ms);
    await load(rows, { chunkRows: 1000, chunkBytes: 1 << 18, inFlight: 16 });
    expect(await client.hgetall(key)).toEqual({ x: 'first', y: 'second' });
    expect(await client.pttl(key)).toBeGreaterThan(1000);
  }
});

it('any rows over any keys: what the script makes of them', async () => {
  const value = fc.option(fc.oneof(fc.string(), fc.integer().map(String)), { nil: undefined });
  const row = fc.record({
    key: fc.integer({ min: 0, max: 3000 }),
    x: value,
    ttlMs: fc.constantFrom(0, 5000, 60_001),
  });
  const scenario = fc.record({
    rows: fc.array(row, { minLength: 1, maxLength: 1500, size: 'max' }),
    spread: fc.constantFrom(1, 30, 3001),
    existing: fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 400, size: 'max' }),
    chunkRows: fc.integer({ min: 1, max: 300 }),
    inFlight: fc.integer({ min: 1, max: 16 }),
    connections: fc.constantFrom(1, 1, 3),
    mode: fc.constantFrom('merge', 'newer'),
  });
  const run = async ({ rows, spread, existing, ...sizes }: Scenario, path: 'script' | 'restore') => {
    await client.flushall();
    await exist(existing.map((key) => ({ key: `k:${key}`, values: [] })));
    const written = rows.map(({ key, x, ttlMs }, i) => {
      const text = x === undefined ? undefined : Buffer.from(x, 'utf8').toString('latin1');
      return { key: `k:${key % spread}`, values: [text, String(i)], ttlMs, eventTime: String(i) };
    });
    const { told } = await writeAll(server.url, { ...XY, ...sizes, eventTimeField: 1, path }, written);
    expect(told).toMatchObject({ written: rows.length, failed: new Map(), skipped: {} });
    return [await storedFields(client), await timed()];
  };
  type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;
  await fc.assert(
    fc.asyncProperty(scenario, async (each) => {
      expect(await run(each, 'restore')).toEqual(await run(each, 'script'));
    }),
    { numRuns: 40 },
  );
});

/** Which keys have a TTL. */
async function timed(): Promise<Record<string, boolean>> {
  return Object.fromEntries(
    Object.entries(await storedHashes(client)).map(([key, { ttlMs }]) => [key, ttlMs > 0]),
  );
}
