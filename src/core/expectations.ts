/**
 * Rows as `verify` expects them in Redis: a RowSink that keeps rows instead of sending them, and the merge of
 * several rows of one key into what a load would leave.
 */
import type { ByteString, RowOrigin, RowSink } from './types.ts';

export interface ExpectedRow {
  readonly key: ByteString;
  /** By index of feature; undefined: not sent, null: taken away. */
  readonly values: readonly (ByteString | null | undefined)[];
  readonly source: string;
  /** Number in its file, from 1. */
  readonly row: number;
  readonly line: number;
}

export interface RowCollector extends RowSink {
  /** The rows so far, which are then forgotten here. */
  take(): ExpectedRow[];
}

/** Full at this many rows or bytes, whichever comes first. */
export const COLLECTED_ROWS = 500;
export const COLLECTED_BYTES = 512 * 1024;

export function createCollector(): RowCollector {
  let rows: ExpectedRow[] = [];
  let bytes = 0;
  let key = '';
  let values: (ByteString | null | undefined)[] = [];
  const keep = (feature: number, value: ByteString | null): void => {
    values[feature] = value;
    bytes += value?.length ?? 0;
  };
  return {
    begin: (rowKey, keyLength) => {
      key = textOf(rowKey, 0, keyLength);
      bytes += key.length;
      values = [];
    },
    value: keep,
    cell: (feature, from, start, end) => keep(feature, textOf(from, start, end)),
    commit: (origin, row) => {
      rows.push({ key, values, ...place(origin, row) });
      return rows.length >= COLLECTED_ROWS || bytes >= COLLECTED_BYTES;
    },
    abort: () => {
      values = [];
    },
    take: () => {
      const taken = rows;
      rows = [];
      bytes = 0;
      return taken;
    },
  };
}

/** bytes[start .. end) as a string of its own. */
function textOf(bytes: Uint8Array, start: number, end: number): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).latin1Slice();
}

function place({ source, batch }: RowOrigin, row: number): Pick<ExpectedRow, 'source' | 'row' | 'line'> {
  return { source: source.info.name, row: batch.firstRow + row, line: batch.line(row) };
}

/** What two rows of a key leave together: in replace the later one alone. */
export function mergeRows(
  earlier: ExpectedRow | undefined,
  later: ExpectedRow,
  isReplace: boolean,
): ExpectedRow {
  if (earlier === undefined || isReplace) return later;
  const values = Array.from({ length: Math.max(earlier.values.length, later.values.length) }, (_, i) => {
    return later.values[i] === undefined ? earlier.values[i] : later.values[i];
  });
  return { ...later, values };
}

/**
 * A seeded sample of `size` keys: those with the smallest hashes. A key of the final sample was in it from its
 * first row on, as the limit only sinks, so it has met all its rows. Holds `size` rows.
 */
export function createKeySample(size: number, seed: number, isReplace: boolean): KeySample {
  const rows = new Map<ByteString, { hash: number; row: ExpectedRow }>();
  let limit = Number.POSITIVE_INFINITY;
  return {
    add: (row) => {
      const known = rows.get(row.key);
      if (known) {
        known.row = mergeRows(known.row, row, isReplace);
        return;
      }
      const hash = hashKey(row.key, seed);
      if (hash >= limit) return;
      rows.set(row.key, { hash, row });
      // Thinned now and then: a sort for each row would cost more than the rows beyond.
      if (rows.size >= 2 * size + 100) limit = thin(rows, size);
    },
    take: () => {
      thin(rows, size);
      return [...rows.values()].map(({ row }) => row);
    },
  };
}

export interface KeySample {
  add(row: ExpectedRow): void;
  /** At the end, once. */
  take(): readonly ExpectedRow[];
}

/** Leaves the `size` smallest; gives the hash that a newcomer must be below. */
function thin(rows: Map<ByteString, { hash: number }>, size: number): number {
  const sorted = [...rows].sort((a, b) => a[1].hash - b[1].hash);
  for (const [key] of sorted.slice(size)) rows.delete(key);
  return sorted.length < size ? Number.POSITIVE_INFINITY : (sorted[size - 1]?.[1].hash ?? 0);
}

/** 0 to 2^53, evenly: two rounds of FNV-1a with the finalizer of MurmurHash3. */
export function hashKey(key: ByteString, seed: number): number {
  return hash32(key, seed) * 2 ** 21 + (hash32(key, ~seed) >>> 11);
}

function hash32(key: ByteString, seed: number): number {
  let h = 0x811c9dc5 ^ seed;
  for (let i = 0; i < key.length; i += 1) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
