/**
 * Rows as `verify` expects them in Redis: a RowSink that keeps rows instead of sending them, and the merge of
 * several rows of one key into what a load would leave.
 */
import { createKeyPick } from './key-pick.ts';
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
export function mergeRows(earlier: ExpectedRow, later: ExpectedRow, isReplace: boolean): ExpectedRow {
  if (isReplace) return later;
  const values = Array.from({ length: Math.max(earlier.values.length, later.values.length) }, (_, i) => {
    return later.values[i] === undefined ? earlier.values[i] : later.values[i];
  });
  return { ...later, values };
}

export interface RowSample {
  add(row: ExpectedRow): void;
  /** At the end, once. */
  take(): readonly ExpectedRow[];
}

/** A seeded sample of `size` keys, each with all its rows in one; see key-pick.ts for what it holds. */
export function createRowSample(size: number, seed: number, isReplace: boolean): RowSample {
  const pick = createKeyPick<ExpectedRow>(size, seed);
  return {
    add: (row) => {
      const known = pick.get(row.key);
      if (known === undefined) pick.add(row.key, row);
      else pick.replace(row.key, mergeRows(known, row, isReplace));
    },
    take: pick.take,
  };
}
