/**
 * What every Writer does wherever it writes: a server, a Cluster, a master found by Sentinel, over TLS with client
 * certificates, over a unix socket, as a user of few rights; by the plain reference, and the paths script, pipeline
 * and restore.
 */
import fc from 'fast-check';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.js';
import type { WriteListener, WriteMode, Writer } from '../../src/core/types.ts';
import { certificates } from '../support/certificates.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { startSentinel } from '../support/redis-sentinel.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { createReferenceWriter } from '../support/reference-writer.ts';
import {
  type Address,
  beginRow,
  commitRow,
  commitRows,
  createTally,
  fieldsOnly,
  type Hash,
  type OpenOptions,
  openWriter,
  storedHashes,
  type Tally,
  type TestRow,
} from '../support/writing.ts';

type Kind = 'reference' | 'script' | 'pipeline' | 'restore';

const KINDS: readonly { kind: Kind; modes: readonly WriteMode[] }[] = [
  { kind: 'reference', modes: ['merge', 'replace', 'newer'] },
  { kind: 'script', modes: ['merge', 'replace', 'newer'] },
  { kind: 'pipeline', modes: ['merge', 'replace'] },
  { kind: 'restore', modes: ['merge', 'replace', 'newer'] },
];

/** What holds the keys. */
interface Place {
  readonly address: Address;
  /** Reads and writes single keys. */
  readonly client: Redis;
  stored(): Promise<Record<string, Hash>>;
  flush(): Promise<void>;
  stop(): Promise<void>;
}

const PLACES: readonly { place: string; widths: readonly number[]; start(): Promise<Place> }[] = [
  { place: 'server', widths: [1, 59, 60, 61, 200, 3500], start: () => startServerPlace() },
  { place: 'cluster', widths: [1, 60, 200], start: startClusterPlace },
  { place: 'Sentinel', widths: [60], start: () => startServerPlace(watchedBySentinel) },
  { place: 'TLS', widths: [60], start: () => startServerPlace(withTls) },
  { place: 'unix socket', widths: [60], start: () => startServerPlace(atSocket) },
  { place: 'user of few rights', widths: [60], start: () => startServerPlace(asLoader) },
];

/** Another way to a server, and how to end what it needs. */
interface Way {
  readonly address: Address;
  stop?(): Promise<void>;
}

async function startServerPlace(way?: (server: TestRedis) => Promise<Way>): Promise<Place> {
  const server = await startRedis({ unixsocket: true });
  const client = new Redis(server.url);
  const { address, stop } = (await way?.(server)) ?? { address: server.url };
  return {
    address,
    client,
    stored: () => storedHashes(client),
    flush: async () => void (await client.flushall()),
    stop: async () => {
      client.disconnect();
      await stop?.();
      await server.stop();
    },
  };
}

async function watchedBySentinel(master: TestRedis): Promise<Way> {
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
  const sentinel = await startSentinel(master.port);
  return {
    address: { url: 'redis://', sentinels: [`127.0.0.1:${sentinel.port}`], sentinelName: 'main' },
    stop: async () => {
      await sentinel.stop();
      await replica.stop();
    },
  };
}

async function withTls(server: TestRedis): Promise<Way> {
  const pem = certificates(server.dir);
  const port = await freePort();
  await server.cli('CONFIG', 'SET', ...Object.entries(pem.config).flat(), 'tls-port', port);
  return { address: { url: `rediss://localhost:${port}`, tls: pem.client } };
}

async function atSocket(server: TestRedis): Promise<Way> {
  return { address: `unix://${server.socketPath}` };
}

/** The rights that docs/operations.md tells, and RESTORE. */
async function asLoader(server: TestRedis): Promise<Way> {
  const rights =
    '+hset +hget +hdel +del +pexpireat +time +expire +pexpire +evalsha +script|load +info +restore';
  const transaction = '+multi +exec +discard';
  const user = ['loader', 'on', '>secret', '~*', '-@all', ...`${rights} ${transaction}`.split(' ')];
  await server.cli('ACL', 'SETUSER', ...user);
  return { address: server.url.replace('redis://', 'redis://loader:secret@') };
}

async function startClusterPlace(): Promise<Place> {
  const cluster = await startCluster();
  const client = new Cluster([cluster.url]);
  return {
    address: cluster.url,
    // Of one key at a time a Cluster's client takes the same commands.
    client: client as unknown as Redis,
    stored: cluster.stored,
    flush: cluster.flush,
    stop: async () => {
      client.disconnect();
      await cluster.stop();
    },
  };
}

let at: Place;
let client: Redis;

const storedNow = (): Promise<Record<string, Hash>> => at.stored();
const fieldsNow = async () => fieldsOnly(await at.stored());

async function open(kind: Kind, options: OpenOptions, listener: WriteListener): Promise<Writer> {
  if (kind !== 'reference') return openWriter(at.address, { ...options, path: kind }, listener);
  const { fields, mode = 'merge', eventTimeField = null } = options;
  const writer = createReferenceWriter(client, { fields, mode, eventTimeField }, listener);
  return { ...writer, close: async () => {} };
}

async function write(kind: Kind, options: OpenOptions, rows: readonly TestRow[]): Promise<Tally> {
  const tally = createTally();
  const writer = await open(kind, options, tally);
  await commitRows(writer, rows);
  await writer.drain();
  await writer.close();
  expect(tally.total()).toBe(rows.length);
  return tally;
}

const XY = { fields: ['x', 'y'] };
const TIMED = { fields: ['x', 'at'], mode: 'newer', eventTimeField: 1 } as const;

/** In mode newer each row is later than the one before. */
function optionsOf(mode: WriteMode): OpenOptions {
  return mode === 'newer' ? TIMED : { ...XY, mode };
}

function timed(key: string, x: string, at: string): TestRow {
  return { key, values: [x, at], eventTime: at };
}

describe.each(PLACES)('$place', ({ place, start, widths }) => {
  beforeAll(async () => {
    at = await start();
    client = at.client;
  });
  afterAll(() => at.stop());
  beforeEach(() => at.flush());

  for (const { kind, modes } of KINDS) {
    // The reference has one way to its server: it is told by the first places what it makes of rows.
    if (kind === 'reference' && place !== 'server' && place !== 'cluster') continue;
    for (const mode of modes) {
      describe(`${kind} ${mode}`, () => {
        const options = optionsOf(mode);

        it.each([1, 3])('the last row of a key wins, over chunks and %i connections', async (connections) => {
          const rows = Array.from({ length: 3000 }, (_, i) => timed(`k:${i % 7}`, `v${i}`, String(i)));
          const tally = await write(kind, { ...options, chunkRows: 64, connections }, rows);
          expect(tally.told.written).toBe(3000);
          const stored = await fieldsNow();
          expect(Object.keys(stored)).toHaveLength(7);
          for (let i = 2993; i < 3000; i++)
            expect(Object.values(stored[`k:${i % 7}`] ?? {})[0]).toBe(`v${i}`);
        });

        it('every key gets its TTL, in ms or whole seconds, also mixed', async () => {
          const ttls = [10_000, 10_001, 3_600_000, 99_999, 1_000_000];
          const rows = Array.from({ length: 300 }, (_, i) => ({
            ...timed(`k:${i}`, 'v', String(i)),
            ttlMs: ttls[Math.floor(i / 40) % 5] ?? 0,
          }));
          await write(kind, options, rows);
          const stored = await storedNow();
          expect(Object.keys(stored)).toHaveLength(300);
          for (const row of rows) {
            const ttlMs = stored[row.key]?.ttlMs ?? -2;
            expect(ttlMs).toBeLessThanOrEqual(row.ttlMs);
            expect(ttlMs).toBeGreaterThan(row.ttlMs - 5_000);
          }
        });

        it('ttl none leaves a key without expiry', async () => {
          await write(kind, options, [{ ...timed('k:1', 'v', '1'), ttlMs: 0 }]);
          expect((await storedNow())['k:1']?.ttlMs).toBe(-1);
        });

        it('bytes are kept exactly in keys and values', async () => {
          const every = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
          const key = `k:${every}`;
          await write(kind, options, [timed(key, every, '1'), timed('k:e', '', '1'), timed('', 'v', '1')]);
          const stored = await fieldsNow();
          expect(stored[key]?.x).toBe(every);
          expect(stored['k:e']?.x).toBe('');
          expect(stored['']?.x).toBe('v');
        });

        it('rows far above chunkBytes, between small ones', async () => {
          const big = 'b'.repeat(1 << 20);
          const rows = [1, 2, 3, 4, 5, 6, 7, 8].map((i) =>
            timed(`k:${i}`, i % 3 === 0 ? `${big}${i}` : `small${i}`, String(i)),
          );
          const longKey = 'K'.repeat(10_240);
          await write(kind, { ...options, chunkBytes: 64 * 1024 }, [...rows, timed(longKey, 'v', '1')]);
          const stored = await fieldsNow();
          for (const row of rows) expect(stored[row.key]?.x === row.values[0]).toBe(true);
          expect(stored[longKey]?.x).toBe('v');
        });

        it('absent fields among full rows; what is absent is left as it was', async () => {
          await client.hset('k:0', 'x', 'old', 'y', 'old', 'z', 'old');
          const fields = ['x', 'y', 'at'];
          const rows: TestRow[] = Array.from({ length: 400 }, (_, i) => ({
            key: `k:${i}`,
            values: [i % 3 ? `x${i}` : undefined, i % 50 < 20 ? undefined : `y${i}`, '7'],
            eventTime: '7',
          }));
          await write(kind, { ...options, fields, eventTimeField: mode === 'newer' ? 2 : null }, rows);
          const stored = await fieldsNow();
          for (const [i, { key, values }] of rows.entries()) {
            const expected: Record<string, string> =
              i === 0 && mode !== 'replace' ? { x: 'old', y: 'old', z: 'old' } : {};
            for (const [at, value] of values.entries()) if (value) expected[fields[at] ?? ''] = value;
            expect({ ...stored[key] }).toEqual(expected);
          }
        });

        if (mode !== 'merge') {
          it('null removes the field', async () => {
            await client.hset('k:1', 'x', 'old', 'at', '1', 'z', 'other');
            await write(kind, { ...options, fields: ['x', 'at'] }, [
              { key: 'k:1', values: [null, '5'], eventTime: '5' },
              { key: 'k:2', values: [null, '5'], eventTime: '5' },
              { key: 'k:3', values: ['full', '5'], eventTime: '5' },
            ]);
            const stored = await fieldsNow();
            expect({ ...stored['k:1'] }).toEqual(mode === 'newer' ? { at: '5', z: 'other' } : { at: '5' });
            expect({ ...stored['k:2'] }).toEqual({ at: '5' });
            expect({ ...stored['k:3'] }).toEqual({ x: 'full', at: '5' });
          });
        }

        it('an aborted row leaves nothing, wherever it stands', async () => {
          const tally = createTally();
          const writer = await open(kind, { ...options, chunkRows: 3 }, tally);
          for (let i = 0; i < 40; i++) {
            beginRow(writer, `gone:${i}`, i % 2 ? 1_500 : 1_000, '9');
            writer.value(0, 'gone');
            writer.abort();
            if (commitRow(writer, timed(`k:${i}`, `v${i}`, '9'), i)) await writer.room();
          }
          beginRow(writer, 'gone:last', 1_000, '9');
          writer.abort();
          await writer.drain();
          await writer.close();
          expect(tally.told.written).toBe(40);
          const stored = await fieldsNow();
          expect(Object.keys(stored).filter((key) => key.startsWith('gone'))).toEqual([]);
          for (let i = 0; i < 40; i++) expect(stored[`k:${i}`]?.x).toBe(`v${i}`);
        });

        it('a key of another type', async () => {
          await client.set('k:50', 'foreign', 'EX', 100);
          const rows = Array.from({ length: 100 }, (_, i) => timed(`k:${i}`, `v${i}`, '9'));
          const tally = await write(kind, options, rows);
          if (mode === 'replace') {
            expect(tally.told.written).toBe(100);
            expect((await fieldsNow())['k:50']?.x).toBe('v50');
            return;
          }
          expect(tally.told.written).toBe(99);
          expect([...tally.told.failed.keys()]).toEqual([50]);
          expect(tally.codes()).toEqual({ WRONGTYPE: 1 });
          expect(await client.get('k:50')).toBe('foreign');
          const ttl = await client.ttl('k:50');
          if (kind === 'pipeline') {
            expect(ttl).toBeGreaterThan(100);
            expect(tally.told.failed.get(50)?.reason).toMatch(/EXPIRE behind it succeeded/);
          } else expect(ttl).toBeLessThanOrEqual(100);
        });

        it('drain() may be called again, and rows may follow it', async () => {
          const tally = createTally();
          const writer = await open(kind, options, tally);
          await writer.drain();
          commitRow(writer, timed('k:1', 'v', '1'), 0);
          await writer.drain();
          expect(tally.told.written).toBe(1);
          commitRow(writer, timed('k:2', 'v', '1'), 1);
          await writer.drain();
          expect(tally.told.written).toBe(2);
          await writer.abandon(1000);
          await writer.close();
          await writer.close();
          expect(tally.total()).toBe(2);
        });

        it('abandon(0): each row not settled is UNSETTLED, once', async () => {
          const tally = createTally();
          const writer = await open(kind, options, tally);
          for (let i = 0; i < 30; i++) commitRow(writer, timed(`k:${i}`, 'v', '1'), i);
          await writer.abandon(0);
          await writer.abandon(0);
          await writer.close();
          expect(tally.codes()).toEqual({ UNSETTLED: 30 });
          expect(Object.keys(await fieldsNow())).toEqual([]);
        });

        it.each(widths)('%i fields, full and sparse', async (width) => {
          const fields = Array.from({ length: width + 1 }, (_, i) => (i === width ? 'at' : `f${i}`));
          const rows: TestRow[] = [0, 1, 2].map((i) => ({
            key: `k:${i}`,
            values: fields.map((_, f) =>
              f === width ? '3' : i === 1 && f % 2 && f > 0 ? undefined : `${i}-${f}`,
            ),
            eventTime: '3',
          }));
          await write(kind, { ...options, fields, eventTimeField: mode === 'newer' ? width : null }, rows);
          const stored = await fieldsNow();
          for (const { key, values } of rows) {
            const present = fields
              .map((name, f) => [name, values[f]])
              .filter(([, value]) => value !== undefined);
            expect({ ...stored[key] }).toEqual(Object.fromEntries(present));
          }
        });

        it('random batches: each row told once, same state and counts as the reference', async () => {
          await fc.assert(
            fc.asyncProperty(batches(mode), sizes(), async (rows, size) => {
              await at.flush();
              const tally = await write(kind, { ...options, ...size }, rows);
              const stored = await fieldsNow();
              await at.flush();
              const reference = await write('reference', options, rows);
              expect(tally.told).toEqual(reference.told);
              expect(stored).toEqual(await fieldsNow());
            }),
            { numRuns: kind === 'reference' ? 3 : widths.length > 3 ? 15 : 5 },
          );
        });
      });
    }
  }
});

function batches(mode: WriteMode): fc.Arbitrary<TestRow[]> {
  const value = fc.oneof(
    fc.constantFrom('', '1', 'some text', '\r\n$5\r\n', '\xff\x00'),
    fc.integer({ min: 0, max: 5000 }).map((length) => 'z'.repeat(length)),
  );
  const absent = mode === 'merge' ? fc.constant(undefined) : fc.constantFrom(undefined, null);
  const row = fc.record({
    key: fc.integer({ min: 0, max: 12 }).map((n) => `k:${n}`),
    first: fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: absent }),
    at: fc.integer({ min: 1, max: 9 }).map(String),
    ttlMs: fc.constantFrom(60_000, 60_000, 60_000, 61_500, 0),
  });
  return fc
    .array(row, { maxLength: 60 })
    .map((rows) =>
      rows.map(({ key, first, at, ttlMs }) => ({ key, values: [first, at], eventTime: at, ttlMs })),
    );
}

function sizes(): fc.Arbitrary<Partial<OpenOptions>> {
  return fc.record({
    chunkRows: fc.integer({ min: 1, max: 70 }),
    chunkBytes: fc.constantFrom(1024, 8192, 65_536),
    inFlight: fc.integer({ min: 1, max: 4 }),
    connections: fc.integer({ min: 1, max: 3 }),
  });
}
