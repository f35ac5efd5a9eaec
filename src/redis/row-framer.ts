/** A framer whose unit is one row: gathers the row, then lets its frame write it into the open chunk. */
import type { RowOrigin } from '../core/types.ts';
import { addRow, addUnit, type Chunk, copyUnit } from './chunk.ts';
import type { Framer, FramerOptions } from './framer.ts';
import { grown, putRange } from './resp.ts';

/** The row that is being written; reused for the next one. */
export interface FramedRow {
  /** The key is key[0 .. keyLength). */
  key: Uint8Array;
  keyLength: number;
  /** 0: no expiry. */
  ttlMs: number;
  /** Fields that are present. */
  count: number;
  /** Their indexes, ascending. */
  readonly features: Int32Array;
  /** The value of the i-th is data[starts[i] .. starts[i + 1]). */
  readonly starts: Int32Array;
  data: Buffer;
}

export interface RowFrame {
  /** Bytes that `put` writes at most. */
  size(row: FramedRow): number;
  /** Writes the row at `at` and gives the position after it. */
  put(buffer: Buffer, at: number, row: FramedRow): number;
  /** Replies that the row brings. */
  replies(row: FramedRow): number;
  /** What the path's reply reader has to know of it. */
  flags(row: FramedRow): number;
}

/** Bytes of values that a row has room for before it is made larger. */
const ROW_BYTES = 4096;

export function createRowFramer(
  { pool, chunkRows, chunkBytes, emit, fields }: FramerOptions,
  frame: RowFrame,
): Framer {
  let chunk: Chunk | null = null;
  const row: FramedRow = {
    key: new Uint8Array(0),
    keyLength: 0,
    ttlMs: 0,
    count: 0,
    features: new Int32Array(fields.length),
    starts: new Int32Array(fields.length + 1),
    data: Buffer.allocUnsafeSlow(ROW_BYTES),
  };

  /** Room for `length` more bytes; gives where they begin. */
  function addField(feature: number, length: number): number {
    const start = row.starts[row.count]!;
    if (start + length > row.data.length) row.data = grown(row.data, start, start + length);
    row.features[row.count++] = feature;
    row.starts[row.count] = start + length;
    return start;
  }

  function commit(origin: RowOrigin, index: number): void {
    const size = frame.size(row);
    if (chunk !== null && chunk.length + size > chunk.buffer.length) close();
    chunk ??= pool.take(Math.max(size, chunkBytes));
    const start = chunk.length;
    chunk.length = frame.put(chunk.buffer, start, row);
    addUnit(chunk, start, chunk.rows, frame.replies(row), frame.flags(row));
    addRow(chunk, origin, index);
    if (row.data.length > 4 * chunkBytes) row.data = Buffer.allocUnsafeSlow(ROW_BYTES);
    if (chunk.rows >= chunkRows || chunk.length >= chunkBytes) close();
  }

  function close(): void {
    const closed = chunk;
    chunk = null;
    if (closed !== null && closed.rows > 0) emit(closed);
  }

  return {
    begin: (key, keyLength, ttlMs) => {
      row.key = key;
      row.keyLength = keyLength;
      row.ttlMs = ttlMs;
      row.count = 0;
    },
    // A field that is to be removed needs no word: these paths write the whole hash, or have no removing.
    value: (feature, bytes) => {
      if (bytes === null) return;
      const start = addField(feature, bytes.length);
      row.data.latin1Write(bytes, start);
    },
    cell: (feature, bytes, start, end) => {
      const at = addField(feature, end - start);
      putRange(row.data, at, bytes, start, end);
    },
    commit,
    abort: () => {},
    flush: close,
    pending: () => chunk?.rows ?? 0,
    resendFrom: (of) => of.buffer.subarray(of.unitStart[of.unit], of.length),
    split: () => false,
    adopt: copyUnit,
  };
}
