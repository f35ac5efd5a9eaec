/** Rows given to a Writer without sources and schema, and what became of each of them. */
import { Redis } from 'ioredis';
import type { RowCode, SkipCode } from '../../src/core/errors.ts';
import type { ByteString, RowFault, RowOrigin, WriteListener, Writer } from '../../src/core/types.ts';
import { type ConnectOptions, connect, createWriter, type WriterOptions } from '../../src/redis/index.ts';

/** `values` by feature: undefined leaves the field out, null removes it. */
export interface TestRow {
  readonly key: ByteString;
  readonly values: readonly (ByteString | null | undefined)[];
  /** Milliseconds, 0 = none; an hour when left out. */
  readonly ttlMs?: number;
  readonly eventTime?: ByteString;
}

export interface Told {
  written: number;
  readonly skipped: Partial<Record<SkipCode, number>>;
  /** By index of the row among all rows committed. */
  readonly failed: Map<number, RowFault>;
  readonly retries: string[];
}

export interface Tally extends WriteListener {
  readonly told: Told;
  /** Rows told of, in whatever way. */
  total(): number;
  codes(): Partial<Record<RowCode, number>>;
}

/** Throws where a row is told as failed twice. */
export function createTally(): Tally {
  const told: Told = { written: 0, skipped: {}, failed: new Map(), retries: [] };
  return {
    told,
    written: (_origin, rows) => {
      told.written += rows;
    },
    skipped: (_origin, code, rows) => {
      told.skipped[code] = (told.skipped[code] ?? 0) + rows;
    },
    failed: (_origin, row, fault) => {
      if (told.failed.has(row)) throw new Error(`row ${row} was told as failed twice`);
      told.failed.set(row, fault);
    },
    retrying: (message) => {
      told.retries.push(message);
    },
    total: () =>
      told.written + told.failed.size + Object.values(told.skipped).reduce((sum, rows) => sum + rows, 0),
    codes: () => {
      const codes: Partial<Record<RowCode, number>> = {};
      for (const { code } of told.failed.values()) codes[code] = (codes[code] ?? 0) + 1;
      return codes;
    },
  };
}

/** An origin that is only ever handed back: nothing asks it for rows. */
const ORIGIN = { source: {}, batch: { rowCount: 0 }, recordColumns: [] } as unknown as RowOrigin;

/** Commits the rows, numbered from `first`, waiting for room whenever the writer asks. Does not drain. */
export async function commitRows(writer: Writer, rows: readonly TestRow[], first = 0): Promise<void> {
  for (const [i, row] of rows.entries()) {
    if (commitRow(writer, row, first + i)) await writer.room();
  }
}

/** True: the writer wants room(). */
export function commitRow(writer: Writer, row: TestRow, number: number): boolean {
  beginRow(writer, row.key, row.ttlMs ?? 3_600_000, row.eventTime ?? '');
  for (const [feature, value] of row.values.entries()) {
    if (value === undefined) continue;
    // Both ways that an encoder has, by turns.
    if (value === null || (number + feature) % 2 === 0) writer.value(feature, value);
    else writer.cell(feature, Buffer.from(`<${value}>`, 'latin1'), 1, value.length + 1);
  }
  return writer.commit(ORIGIN, number);
}

/** The key stands in a longer buffer, as the encoder's does. */
export function beginRow(writer: Writer, key: ByteString, ttlMs: number, eventTime: ByteString): void {
  writer.begin(Buffer.from(`${key}...`, 'latin1'), key.length, ttlMs, eventTime);
}

export type OpenOptions = Partial<WriterOptions> & { readonly fields: readonly ByteString[] };

/** Small retry time, small chunks: what a test wants unless it says otherwise. */
export const DEFAULTS = {
  mode: 'merge',
  path: 'auto',
  eventTimeField: null,
  chunkRows: 100,
  chunkBytes: 16 * 1024,
  inFlight: 4,
  connections: 1,
  rate: null,
  retryForMs: 5_000,
  probeKey: 'k:probe',
  millis: true,
  earlier: [],
} as const;

/** How to get to a server: its URL, and what is needed besides. */
export type Address = string | Omit<ConnectOptions, 'retryForMs'>;

/** The real writer on a connection of its own. */
export async function openWriter(
  to: Address,
  options: OpenOptions,
  listener: WriteListener,
): Promise<Writer> {
  const full = { ...DEFAULTS, ...options };
  const address = typeof to === 'string' ? { url: to } : to;
  const connection = await connect({ ...address, retryForMs: full.retryForMs });
  try {
    return await createWriter(connection, full, listener);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Opens, writes all, drains, closes. */
export async function writeAll(url: string, options: OpenOptions, rows: readonly TestRow[]): Promise<Tally> {
  const tally = createTally();
  const writer = await openWriter(url, options, tally);
  try {
    await commitRows(writer, rows);
    await writer.drain();
  } finally {
    await writer.close();
  }
  return tally;
}

/** Every path with every mode that it has. */
export const PLANS = [
  ['script', 'merge'],
  ['script', 'newer'],
  ['script', 'replace'],
  ['pipeline', 'merge'],
  ['pipeline', 'replace'],
  ['restore', 'merge'],
  ['restore', 'newer'],
  ['restore', 'replace'],
] as const;

/** Rows `k:0`… of two fields whose values tell the row and `tag`. */
export function plainRows(count: number, tag = 'v', from = 0): TestRow[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `k:${from + i}`,
    values: [`${tag}${from + i}`, String(from + i)],
  }));
}

export interface Hash {
  readonly fields: Readonly<Record<string, string>>;
  readonly ttlMs: number;
}

/** Every hash of the server by key, in latin1; a key of another type throws. */
export async function storedHashes(client: Redis): Promise<Record<string, Hash>> {
  const keys = (await client.keysBuffer('*')).sort(Buffer.compare);
  const pipeline = client.pipeline();
  for (const key of keys) pipeline.callBuffer('HGETALL', key).pttl(key);
  const replies = (await pipeline.exec()) ?? [];
  const hashes: Record<string, Hash> = Object.create(null);
  for (const [i, key] of keys.entries()) {
    const [error, flat] = replies[2 * i] as [Error | null, Buffer[]];
    if (error) throw error;
    const fields: Record<string, string> = Object.create(null);
    for (let j = 0; j + 1 < flat.length; j += 2) {
      fields[flat[j]?.toString('latin1') ?? ''] = flat[j + 1]?.toString('latin1') ?? '';
    }
    hashes[key.toString('latin1')] = { fields, ttlMs: Number(replies[2 * i + 1]?.[1]) };
  }
  return hashes;
}

/** The same, on a connection of its own. */
export async function storedOf(url: string): Promise<Record<string, Hash>> {
  const client = new Redis(url);
  try {
    return await storedHashes(client);
  } finally {
    client.disconnect();
  }
}

/** Fields alone, for comparing two states whose TTLs differ by moments. */
export async function storedFields(client: Redis): Promise<Record<string, Hash['fields']>> {
  return fieldsOnly(await storedHashes(client));
}

export function fieldsOnly(hashes: Record<string, Hash>): Record<string, Hash['fields']> {
  return Object.fromEntries(Object.entries(hashes).map(([key, { fields }]) => [key, fields]));
}
