/** Faults of every kind at random moments of a load: counts exact, Redis as after a clean run, no key untimed. */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { startProxy } from '../support/resp-proxy.ts';
import {
  commitRows,
  createTally,
  type Hash,
  openWriter,
  PLANS,
  storedHashes,
  type TestRow,
} from '../support/writing.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What goes wrong, and for some of it until when. */
const FAULTS = {
  cut: (redis: TestRedis) => redis.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
  flush: (redis: TestRedis) => redis.cli('SCRIPT', 'FLUSH'),
  freeze: (redis: TestRedis) => redis.cli('CLIENT', 'PAUSE', '60', 'WRITE'),
  memory: async (redis: TestRedis) => {
    await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
    await pause(40);
    await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
  },
  readonly: async (redis: TestRedis) => {
    await redis.cli('REPLICAOF', '127.0.0.1', '1');
    await pause(40);
    await redis.cli('REPLICAOF', 'NO', 'ONE');
  },
  replicas: async (redis: TestRedis) => {
    await redis.cli('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await pause(40);
    await redis.cli('CONFIG', 'SET', 'min-replicas-to-write', '0');
  },
} as const;

const ROWS: readonly TestRow[] = Array.from({ length: 3000 }, (_, i) => ({
  key: `k:${(i * 7) % 900}`,
  values: [i % 11 === 0 ? undefined : `v${i}`, String(i)],
  eventTime: String(i),
}));

/**
 * For mode newer: an error that passes while rows are on the way lets a later row of a key be written first, and
 * the earlier one is stale then. Only where the later one lacks fields does that show.
 */
const FULL_ROWS: readonly TestRow[] = ROWS.map((row, i) => ({ ...row, values: [`v${i}`, String(i)] }));

const FOREIGN = 'k:13';

const load = fc.record({
  plan: fc.constantFrom(...PLANS),
  faults: fc.array(
    fc.record({
      what: fc.constantFrom(...(Object.keys(FAULTS) as (keyof typeof FAULTS)[])),
      afterMs: fc.integer({ min: 0, max: 60 }),
    }),
    { minLength: 2, maxLength: 6 },
  ),
  chunkRows: fc.integer({ min: 5, max: 200 }),
  inFlight: fc.integer({ min: 1, max: 8 }),
  connections: fc.integer({ min: 1, max: 3 }),
  pieceBytes: fc.constantFrom(Infinity, Infinity, 1000),
});

type Load = typeof load extends fc.Arbitrary<infer T> ? T : never;

async function run({ plan: [path, mode], faults, pieceBytes, ...sizes }: Load): Promise<string[]> {
  const redis = await startRedis();
  const client = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => {});
  const proxy = await startProxy(redis.port, pieceBytes);
  const tally = createTally();
  try {
    await redis.cli('SET', FOREIGN, 'foreign', 'EX', '50');
    const options = { fields: ['x', 'at'], eventTimeField: 1, path, mode, ...sizes } as const;
    const writer = await openWriter(proxy.url, { ...options, retryForMs: 15_000, rate: 12_000 }, tally);
    const trouble = (async () => {
      for (const { what, afterMs } of faults) {
        await pause(afterMs);
        await FAULTS[what](redis);
      }
    })();
    await commitRows(writer, mode === 'newer' ? FULL_ROWS : ROWS);
    await writer.drain();
    await trouble;
    await writer.close();
    expect(tally.total()).toBe(ROWS.length);
    const foreign = ROWS.filter(({ key }) => key === FOREIGN).length;
    expect(tally.codes()).toEqual(mode === 'replace' ? {} : { WRONGTYPE: foreign });
    if (mode !== 'newer') expect(tally.told.written).toBe(ROWS.length - tally.told.failed.size);
    if (mode !== 'replace') {
      expect(await client.get(FOREIGN)).toBe('foreign');
      if (path === 'script') expect(await client.ttl(FOREIGN)).toBeLessThanOrEqual(50);
      await client.del(FOREIGN);
    }
    const stored = await storedHashes(client);
    const untimed = Object.keys(stored).filter((key) => (stored[key]?.ttlMs ?? 0) <= 0);
    expect(untimed).toEqual([]);
    return lines(stored);
  } finally {
    client.disconnect();
    await proxy.close();
    await redis.stop();
  }
}

/** One text a key. The order of fields is no part of a hash: it tells which row of a key came first. */
function lines(stored: Record<string, Hash>): string[] {
  return Object.entries(stored).map(
    ([key, { fields }]) => `${key} ${JSON.stringify(Object.entries(fields).sort())}`,
  );
}

it('loads with several faults each', async () => {
  const clean = new Map<string, Promise<string[]>>();
  const samples = fc.sample(load, 30);
  const work = async (): Promise<void> => {
    for (let sample = samples.pop(); sample; sample = samples.pop()) {
      const { plan } = sample;
      const name = plan[1];
      if (!clean.has(name)) clean.set(name, run({ ...sample, faults: [] }));
      try {
        const [found, expected] = [await run(sample), (await clean.get(name)) ?? []];
        const known = new Set(expected);
        expect(found.filter((line) => !known.has(line))).toEqual([]);
        expect(found).toHaveLength(expected.length);
      } catch (cause) {
        throw new Error(JSON.stringify(sample), { cause });
      }
    }
  };
  await Promise.all([work(), work(), work(), work()]);
}, 60_000);
