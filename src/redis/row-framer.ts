/** A framer whose unit is one row: gathers the row, then lets its frame write it into the open chunk. */
import type { ByteString, RowOrigin } from '../core/types.ts';
import { addRow, addUnit, type Chunk, copyUnit } from './chunk.ts';
import type { Framer, FramerOptions } from './framer.ts';

/** The row that is being written; reused for the next one. */
export interface FramedRow {
  key: ByteString;
  /** 0: no expiry. */
  ttlMs: number;
  /** Indexes of the fields that are present, ascending, and their values. */
  readonly features: number[];
  readonly values: ByteString[];
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

export function createRowFramer(
  { pool, chunkRows, chunkBytes, emit }: FramerOptions,
  frame: RowFrame,
): Framer {
  let chunk: Chunk | null = null;
  const row: FramedRow = { key: '', ttlMs: 0, features: [], values: [] };

  function commit(origin: RowOrigin, index: number): void {
    const size = frame.size(row);
    if (chunk !== null && chunk.length + size > chunk.buffer.length) close();
    chunk ??= pool.take(Math.max(size, chunkBytes));
    const start = chunk.length;
    chunk.length = frame.put(chunk.buffer, start, row);
    addUnit(chunk, start, chunk.rows, frame.replies(row), frame.flags(row));
    addRow(chunk, origin, index);
    if (chunk.rows >= chunkRows || chunk.length >= chunkBytes) close();
  }

  function close(): void {
    const closed = chunk;
    chunk = null;
    if (closed !== null && closed.rows > 0) emit(closed);
  }

  return {
    begin: (key, ttlMs) => {
      row.key = key;
      row.ttlMs = ttlMs;
      row.features.length = 0;
      row.values.length = 0;
    },
    // A field that is to be removed needs no word: these paths write the whole hash, or have no removing.
    value: (feature, bytes) => {
      if (bytes === null) return;
      row.features.push(feature);
      row.values.push(bytes);
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
