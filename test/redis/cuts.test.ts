/** Connections that end at any byte: every row is told once, and Redis ends as after a clean run. */
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { WriteMode } from '../../src/core/types.ts';
import type { TestRedis } from '../support/redis-server.ts';
import { type Cut, type Direction, startProxy } from '../support/resp-proxy.ts';
import { useRedis } from '../support/use-redis.ts';
import {
  commitRows,
  createTally,
  type Hash,
  type OpenOptions,
  openWriter,
  PLANS,
  type TestRow,
  type Told,
} from '../support/writing.ts';

let server: TestRedis;
let client: Redis;
useRedis((redis) => {
  ({ server, client } = redis);
});

/** Runs that are on at once: each is mostly waiting to connect again. */
const AT_ONCE = 12;

const SMALL = { fields: ['x', 'at'], chunkRows: 4, inFlight: 3, retryForMs: 10_000 } as const;

/** Repeated keys, a sparse row, and key 3 that is a string. */
const ROWS: readonly TestRow[] = Array.from({ length: 14 }, (_, i) => ({
  key: `:${i % 6}`,
  values: [i === 5 ? undefined : `v${i}`, String(100 + i)],
  eventTime: String(100 + i),
}));

interface Outcome {
  readonly told: Told;
  readonly total: number;
  readonly stored: Record<string, Hash['fields'] | string>;
  readonly untimed: readonly string[];
  readonly passed: Record<Direction, number>;
  readonly made: number;
}

let runs = 0;

/** One run through a proxy of its own, with keys of its own. */
async function run(
  options: OpenOptions,
  rows: readonly TestRow[],
  cuts: readonly Cut[],
  pieceBytes?: number,
): Promise<Outcome> {
  runs += 1;
  const prefix = `run${String(runs).padStart(6, '0')}`;
  await client.set(`${prefix}:3`, 'foreign');
  const proxy = await startProxy(server.port, pieceBytes);
  const tally = createTally();
  const writer = await openWriter(proxy.url, { ...options, probeKey: `${prefix}:probe` }, tally);
  try {
    proxy.arm(cuts);
    await commitRows(
      writer,
      rows.map((row) => ({ ...row, key: prefix + row.key })),
    );
    await writer.drain();
    const passed = { request: proxy.passed('request'), reply: proxy.passed('reply') };
    const made = proxy.made();
    return { told: tally.told, total: tally.total(), passed, made, ...(await state(prefix)) };
  } finally {
    await writer.close();
    await proxy.close();
  }
}

/** What Redis holds of one run; its keys are deleted. */
async function state(prefix: string): Promise<Pick<Outcome, 'stored' | 'untimed'>> {
  const stored: Record<string, Hash['fields'] | string> = {};
  const untimed: string[] = [];
  for (let i = 0; i < 6; i++) {
    const key = `${prefix}:${i}`;
    const isHash = (await client.type(key)) === 'hash';
    if (isHash) stored[`:${i}`] = await client.hgetall(key);
    else stored[`:${i}`] = (await client.get(key)) ?? 'absent';
    if (isHash && (await client.ttl(key)) < 0) untimed.push(key);
    await client.del(key);
  }
  return { stored, untimed };
}

/** The state and, except for mode newer, the counts are those of a clean run. */
function expectSame(mode: WriteMode, found: Outcome, clean: Outcome): void {
  expect(found.total).toBe(clean.total);
  expect(found.stored).toEqual(clean.stored);
  expect(found.untimed).toEqual([]);
  const codes = (outcome: Outcome) => [...outcome.told.failed].map(([row, { code }]) => [row, code]);
  expect(codes(found)).toEqual(codes(clean));
  // A row that was written before the cut, and after it one that is newer, is stale when it comes again; one
  // that is only as old as what is stored was written by itself.
  expect(found.told.skipped.unchanged).toBe(clean.told.skipped.unchanged);
  if (mode !== 'newer') expect(found.told.written).toBe(clean.told.written);
}

async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

describe.each(PLANS)('%s %s', (path, mode) => {
  const options: OpenOptions = { ...SMALL, path, mode, eventTimeField: 1 };

  it('cut at every byte of the replies and every 7th of the requests', async () => {
    const clean = await run(options, ROWS, []);
    expect(clean.total).toBe(ROWS.length);
    const cuts: Cut[] = [];
    for (let at = 0; at < clean.passed.reply; at++) cuts.push({ direction: 'reply', at });
    for (let at = 0; at < clean.passed.request; at += 7) cuts.push({ direction: 'request', at });
    await atOnce(cuts, async (cut) => {
      const found = await run(options, ROWS, [cut]);
      expect(found.made).toBe(1);
      expectSame(mode, found, clean);
    });
  });

  it('replies and requests that come byte by byte', async () => {
    const clean = await run(options, ROWS, []);
    const found = await run(options, ROWS, [], 1);
    expectSame(mode, found, clean);
    expect(found.told).toEqual(clean.told);
  });
});

it('several cuts at random places, any path, sizes and connections', async () => {
  const cut = fc.record({
    direction: fc.constantFrom<Direction>('request', 'reply'),
    at: fc.integer({ min: 0, max: 1500 }),
  });
  const load = fc.record({
    path: fc.constantFrom(...PLANS),
    cuts: fc.array(cut, { minLength: 1, maxLength: 5 }),
    keys: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 5, maxLength: 60 }),
    chunkRows: fc.integer({ min: 1, max: 20 }),
    inFlight: fc.integer({ min: 1, max: 5 }),
    connections: fc.integer({ min: 1, max: 2 }),
    pieceBytes: fc.constantFrom(Infinity, Infinity, 13),
  });
  const samples = fc.sample(load, 72);
  await atOnce(samples, async ({ path: [path, mode], cuts, keys, pieceBytes, ...size }) => {
    const options: OpenOptions = { ...SMALL, ...size, path, mode, eventTimeField: 1 };
    const rows = keys.map((key, i) => ({
      key: `:${key}`,
      values: [i % 9 === 4 ? undefined : `v${i}`, String(i)],
      eventTime: String(i),
    }));
    const inOrder = [...cuts].sort((a, b) => a.at - b.at);
    const clean = await run(options, rows, []);
    const found = await run(options, rows, inOrder, pieceBytes);
    try {
      expectSame(mode, found, clean);
    } catch (cause) {
      throw new Error(JSON.stringify({ path, mode, cuts: inOrder, keys, pieceBytes, ...size }), { cause });
    }
  });
});

describe('what a given-up connection still has on its way', () => {
  it.each(PLANS)('%s %s: is not executed after newer rows of the same keys', async (path, mode) => {
    runs += 1;
    const prefix = `held${runs}`;
    const proxy = await startProxy(server.port);
    const tally = createTally();
    // The silence that ends a connection is retryForMs here.
    const options = { ...SMALL, path, mode, eventTimeField: 1, retryForMs: 400 } as const;
    const writer = await openWriter(proxy.url, options, tally);
    proxy.hold();
    const row = (i: number): TestRow => ({
      key: `${prefix}:${i % 2}`,
      values: [`v${i}`, String(100 + i)],
      eventTime: String(100 + i),
    });
    await commitRows(
      writer,
      Array.from({ length: 20 }, (_, i) => row(i)),
    );
    await writer.drain();
    proxy.release();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(tally.told).toMatchObject({ written: 20, failed: new Map() });
    expect(await client.hget(`${prefix}:0`, 'x')).toBe('v18');
    expect(await client.hget(`${prefix}:1`, 'x')).toBe('v19');
    await writer.close();
    await proxy.close();
  });
});
