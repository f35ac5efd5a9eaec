/** A framer whose unit is one row: gathers the row, then lets its frame write it into the open chunk. */
import type { ByteString, RowOrigin } from '../core/types.ts';
import { addRow, addUnit, type Chunk, copyUnit, unitBytes } from './chunk.ts';
import type { Framer, FramerOptions } from './framer.ts';
import { createViewer } from './words.ts';

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
  /** By feature; the i-th value is sources[features[i]][starts[i] .. ends[i]), as it was given until `put` copies it. */
  readonly sources: Uint8Array[];
  /** A view of each. */
  readonly views: DataView[];
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Bytes of all values. */
  bytes: number;
  /** Features that are to be removed, ascending. */
  readonly removed: number[];
}

export interface RowFrame {
  /** Bytes that `put` writes at most. */
  size(row: FramedRow): number;
  /** Writes the row at `at` and gives the position after it. */
  put(buffer: Buffer, at: number, row: FramedRow): number;
  /** Replies that the row brings. */
  replies(row: FramedRow): number;
  /** What the path's reply reader has to know of it; it becomes the next unit of `chunk`. */
  flags(row: FramedRow, chunk: Chunk): number;
}

/** Bytes of values that come as strings that there is room for before it is made larger. */
const TEXT_BYTES = 4096;

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
    sources: [],
    views: [],
    starts: new Int32Array(fields.length),
    ends: new Int32Array(fields.length),
    bytes: 0,
    removed: [],
  };
  /** Values of the row that came as strings. One that is full is replaced: what it holds is still referred to. */
  let text = Buffer.allocUnsafeSlow(TEXT_BYTES);
  let textLength = 0;
  const viewers = fields.map(() => createViewer());

  function addField(feature: number, bytes: Uint8Array, start: number, end: number): void {
    const i = row.count++;
    row.features[i] = feature;
    // Mostly it is there already, and a look costs less than telling the garbage collector.
    if (row.sources[feature] !== bytes) {
      row.sources[feature] = bytes;
      row.views[feature] = viewers[feature]!(bytes);
    }
    row.starts[i] = start;
    row.ends[i] = end;
    row.bytes += end - start;
  }

  function addText(feature: number, value: ByteString): void {
    if (textLength + value.length > text.length) {
      text = Buffer.allocUnsafeSlow(Math.max(2 * text.length, value.length));
      textLength = 0;
    }
    const start = textLength;
    textLength += text.latin1Write(value, start);
    addField(feature, text, start, textLength);
  }

  function commit(origin: RowOrigin, index: number): void {
    const size = frame.size(row);
    if (chunk !== null && chunk.length + size > chunk.buffer.length) close();
    chunk ??= pool.take(Math.max(size, chunkBytes));
    const start = chunk.length;
    chunk.length = frame.put(chunk.buffer, start, row);
    addUnit(chunk, start, chunk.rows, frame.replies(row), frame.flags(row, chunk));
    addRow(chunk, origin, index);
    if (text.length > 4 * chunkBytes) text = Buffer.allocUnsafeSlow(TEXT_BYTES);
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
      row.bytes = 0;
      textLength = 0;
      if (row.removed.length > 0) row.removed.length = 0;
    },
    value: (feature, bytes) => {
      if (bytes === null) row.removed.push(feature);
      else addText(feature, bytes);
    },
    cell: addField,
    commit,
    abort: () => {},
    flush: close,
    pending: () => chunk?.rows ?? 0,
    resendFrom: (of) => of.buffer.subarray(of.unitStart[of.unit], of.length),
    mayFollow: () => true,
    split: () => false,
    adopt: copyUnit,
    adoptedBytes: unitBytes,
  };
}
