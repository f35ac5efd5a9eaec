/**
 * Rows as `verify` expects them in Redis: a RowSink that keeps rows in flat memory instead of sending them, and the
 * merge of several rows of one key into what a load would leave.
 */
import type { KeyList } from './feature-reader.ts';
import { createKeyPick } from './key-pick.ts';
import type { ByteString, RowSink } from './types.ts';

export interface ExpectedRow {
  readonly key: ByteString;
  /** By index of feature; undefined: not sent, null: taken away. */
  readonly values: readonly (ByteString | null | undefined)[];
  readonly source: string;
  /** Number in its file, from 1. */
  readonly row: number;
  readonly line: number;
}

/** Some rows in file order. Strings are made of those only that are asked for. */
export interface ExpectedRows extends KeyList {
  /** Start of the bytes of a feature's value; NONE: not sent, REMOVED: taken away. */
  start(row: number, feature: number): number;
  end(row: number, feature: number): number;
  key(row: number): ByteString;
  row(row: number): ExpectedRow;
}

export const NONE = -1;
export const REMOVED = -2;

export interface RowCollector extends RowSink {
  /** The rows so far, which are then forgotten here. */
  take(): ExpectedRows;
}

/** Full at this many rows or bytes, whichever comes first. */
export const COLLECTED_ROWS = 500;
export const COLLECTED_BYTES = 512 * 1024;

/** `features`: how many the encoder has. */
export function createCollector(features: number): RowCollector {
  const stride = 2 + 2 * features;
  let rows = emptyRows(stride);
  const makeRoom = (more: number): void => {
    if (rows.length + more <= rows.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (rows.length + more));
    rows.bytes.copy(larger, 0, 0, rows.length);
    rows.bytes = larger;
  };
  const copy = (mark: number, from: Uint8Array, start: number, end: number): void => {
    makeRoom(end - start);
    const { bytes, marks } = rows;
    let at = rows.length;
    marks[mark] = at;
    for (let i = start; i < end; i += 1) bytes[at++] = from[i]!;
    marks[mark + 1] = at;
    rows.length = at;
  };
  const markOf = (feature: number): number => rows.count * stride + 2 + 2 * feature;
  return {
    begin: (key, keyLength) => {
      const mark = rows.count * stride;
      rows.marks.fill(NONE, mark, mark + stride);
      rows.begun = rows.length;
      copy(mark, key, 0, keyLength);
    },
    value: (feature, value) => {
      const mark = markOf(feature);
      if (value === null) {
        rows.marks[mark] = REMOVED;
        return;
      }
      makeRoom(value.length);
      rows.marks[mark] = rows.length;
      rows.length += rows.bytes.latin1Write(value, rows.length);
      rows.marks[mark + 1] = rows.length;
    },
    cell: (feature, from, start, end) => copy(markOf(feature), from, start, end),
    commit: ({ source, batch }, row) => {
      rows.sources.push(source.info.name);
      rows.numbers[2 * rows.count] = batch.firstRow + row;
      rows.numbers[2 * rows.count + 1] = batch.line(row);
      rows.count += 1;
      return rows.count === COLLECTED_ROWS || rows.length >= COLLECTED_BYTES;
    },
    abort: () => {
      rows.length = rows.begun;
    },
    take: () => {
      const taken = rows;
      rows = emptyRows(stride);
      return readable(taken, stride);
    },
  };
}

interface FlatRows {
  count: number;
  bytes: Buffer;
  /** Bytes in use, and how many of them before the row that was begun last. */
  length: number;
  begun: number;
  /** By row: start and end of the key and of each feature. */
  readonly marks: Int32Array;
  readonly sources: string[];
  /** By row: its number in the file and its line. */
  readonly numbers: Float64Array;
}

function emptyRows(stride: number): FlatRows {
  return {
    count: 0,
    bytes: Buffer.allocUnsafe(32 * 1024),
    length: 0,
    begun: 0,
    marks: new Int32Array(stride * COLLECTED_ROWS),
    sources: [],
    numbers: new Float64Array(2 * COLLECTED_ROWS),
  };
}

function readable({ count, bytes, marks, sources, numbers }: FlatRows, stride: number): ExpectedRows {
  const text = (mark: number): ByteString => bytes.latin1Slice(marks[mark] ?? 0, marks[mark + 1] ?? 0);
  const valueAt = (mark: number): ByteString | null | undefined => {
    const start = marks[mark];
    return start === NONE ? undefined : start === REMOVED ? null : text(mark);
  };
  const key = (row: number): ByteString => text(row * stride);
  return {
    count,
    bytes,
    keyStart: (row) => marks[row * stride] ?? 0,
    keyEnd: (row) => marks[row * stride + 1] ?? 0,
    start: (row, feature) => marks[row * stride + 2 + 2 * feature] ?? NONE,
    end: (row, feature) => marks[row * stride + 3 + 2 * feature] ?? NONE,
    key,
    row: (row) => ({
      key: key(row),
      values: Array.from({ length: stride / 2 - 1 }, (_, i) => valueAt(row * stride + 2 + 2 * i)),
      source: sources[row] ?? '',
      row: numbers[2 * row] ?? 0,
      line: numbers[2 * row + 1] ?? 0,
    }),
  };
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
  add(rows: ExpectedRows, row: number): void;
  /** At the end, once. */
  take(): readonly ExpectedRow[];
}

/** A seeded sample of `size` keys, each with all its rows in one; see key-pick.ts for what it holds. */
export function createRowSample(size: number, seed: number, isReplace: boolean): RowSample {
  const pick = createKeyPick<ExpectedRow>(size, seed);
  return {
    add: (rows, row) => {
      const key = rows.key(row);
      const known = pick.get(key);
      if (known !== undefined) pick.replace(key, mergeRows(known, rows.row(row), isReplace));
      else if (pick.wants(key)) pick.add(key, rows.row(row));
    },
    take: pick.take,
  };
}
