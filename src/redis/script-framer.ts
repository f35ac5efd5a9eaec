/** Frames rows as calls of the script in scripts.ts: EVALSHA with the field names once and many rows. */
import type { ByteString, RowOrigin } from '../core/types.ts';
import { addRow, addUnit, type Chunk, copyUnit, rowsOfUnit, unitBytes } from './chunk.ts';
import type { Framer, FramerOptions } from './framer.ts';
import { BULK_OVERHEAD, bulk, grown, putBulk, putBulkBytes, putBytes, putNumber, putRaw } from './resp.ts';
import { type CallRow, FROM_DIGITS_AT, fromOffset, oneRowCall, splitCalls } from './script-split.ts';

/** Arguments of one call; far below what Redis takes, near what keeps its latency low. */
const CALL_ARGUMENTS = 20_000;
const CALL_BYTES = 64 * 1024;

/** '0', '1' and 'x' of a row's shape. */
const ABSENT = 48;
const PRESENT = 49;
const REMOVED = 120;

/** The letter of the first TTL and of the first shape of a call; one below, as a shape, means all fields. */
const FIRST_LETTER = 49;
const ALL_FIELDS = FIRST_LETTER - 1;

/** Two digits of `from`, and letters that fit in a byte. */
const MOST_CALL_ROWS = 99;

export interface ScriptFramerOptions extends FramerOptions {
  readonly sha: string;
  /** Rows a call, at most 99. */
  readonly callRows: number;
}

export interface ScriptFramer extends Framer {
  /** Appends a call of this one row to a chunk, which has room for it. */
  append(to: Chunk, row: CallRow, origin: RowOrigin, index: number): void;
  /** Bytes of a call of one row at most, besides those of its key and values as RESP or as a RESTORE payload. */
  readonly callOverhead: number;
}

/** Where the two digits of `from` stand in each unit: after the keys. Kept beside the chunk's own tables. */
const fromAt = new WeakMap<Chunk, Int32Array>();

export function createScriptFramer(options: ScriptFramerOptions): ScriptFramer {
  const { fields, pool, chunkBytes, chunkRows } = options;
  const width = fields.length;
  const newer = options.mode === 'newer';
  const head = Buffer.from(`$7\r\nEVALSHA\r\n$40\r\n${options.sha}\r\n`, 'latin1');
  const names = fields.map(bulk).join('');
  const shape = Buffer.alloc(width);
  const fitting = Math.floor(CALL_ARGUMENTS / (width + 3));
  let callRows = Math.max(1, Math.min(options.callRows, MOST_CALL_ROWS, fitting));
  const tail = Buffer.from(`$2\r\n00\r\n${names}`, 'latin1');
  let chunk: Chunk | null = null;
  // Keys and arguments of the open call: RESP wants all keys before all arguments.
  let keys: Buffer = Buffer.allocUnsafeSlow(8 * 1024);
  let args: Buffer = Buffer.allocUnsafeSlow(CALL_BYTES);
  let keysEnd = 0;
  let argsEnd = 0;
  let rows = 0;
  let argc = 0;
  /** Two letters a row: its shape and its TTL. */
  const forms = Buffer.alloc(2 * MOST_CALL_ROWS);
  let ttls = '';
  let ttlCount = 0;
  // Most often the TTL of a row is that of the row before it.
  let lastTtlMs = -1;
  let shapes = '';
  const shapeLetters = new Map<ByteString, number>();
  // The row that is being written stands behind the ends.
  let rowKeys = 0;
  let rowArgs = 0;
  let rowTtlMs = 0;
  let values = 0;
  let removed = 0;
  /** Features before this one have their place in `shape`. */
  let nextFeature = 0;

  /** Bytes of the call at most, with one more row in it. */
  function callSize(): number {
    const lists = ttls.length + shapes.length + 2 * rows + width + 8 * BULK_OVERHEAD;
    return head.length + tail.length + lists + rowKeys + rowArgs;
  }

  function begin(key: Uint8Array, keyLength: number, ttlMs: number, eventTime: ByteString): void {
    keys = grown(keys, keysEnd, keysEnd + keyLength + BULK_OVERHEAD);
    rowKeys = putBulkBytes(keys, keysEnd, key, 0, keyLength);
    rowArgs = argsEnd;
    if (newer) {
      args = grown(args, argsEnd, argsEnd + eventTime.length + BULK_OVERHEAD);
      rowArgs = putBulk(args, argsEnd, eventTime);
    }
    rowTtlMs = ttlMs;
    nextFeature = 0;
    values = 0;
    removed = 0;
  }

  function value(feature: number, bytes: ByteString | null): void {
    if (bytes === null) {
      mark(feature, REMOVED);
      removed++;
      return;
    }
    mark(feature, PRESENT);
    values++;
    const need = rowArgs + bytes.length + BULK_OVERHEAD;
    if (need > args.length) args = grown(args, rowArgs, need);
    rowArgs = putBulk(args, rowArgs, bytes);
  }

  function cell(feature: number, bytes: Uint8Array, start: number, end: number): void {
    mark(feature, PRESENT);
    values++;
    const need = rowArgs + end - start + BULK_OVERHEAD;
    if (need > args.length) args = grown(args, rowArgs, need);
    rowArgs = putBulkBytes(args, rowArgs, bytes, start, end);
  }

  function mark(feature: number, letter: number): void {
    while (nextFeature < feature) shape[nextFeature++] = ABSENT;
    shape[feature] = letter;
    nextFeature = feature + 1;
  }

  function commit(origin: RowOrigin, row: number): void {
    makeRoom();
    forms[2 * rows] = values === width && removed === 0 ? ALL_FIELDS : shapeLetter();
    forms[2 * rows + 1] = ttlLetter();
    keysEnd = rowKeys;
    argsEnd = rowArgs;
    argc += values + (newer ? 1 : 0);
    rows++;
    addRow(openChunk(callSize()), origin, row);
    closeWhatIsFull();
  }

  function ttlLetter(): number {
    if (rowTtlMs !== lastTtlMs) {
      lastTtlMs = rowTtlMs;
      ttls += bulk(String(rowTtlMs));
      ttlCount++;
    }
    return FIRST_LETTER + ttlCount - 1;
  }

  function shapeLetter(): number {
    while (nextFeature < width) shape[nextFeature++] = ABSENT;
    const text = shape.latin1Slice(0, width);
    const known = shapeLetters.get(text);
    if (known !== undefined) return known;
    const letter = FIRST_LETTER + shapeLetters.size;
    shapeLetters.set(text, letter);
    shapes += bulk(text);
    return letter;
  }

  /** Closes the call and the chunk when this row would take the chunk beyond its bytes. */
  function makeRoom(): void {
    if (chunk === null || chunk.length + callSize() <= chunk.buffer.length) return;
    closeCall();
    if (chunk.rows > 0) closeChunk();
  }

  function openChunk(bytes: number): Chunk {
    if (chunk === null) {
      chunk = pool.take(Math.max(bytes, chunkBytes));
      marksOf(chunk);
    }
    return chunk;
  }

  function closeWhatIsFull(): void {
    const rowsFull = chunk !== null && chunk.rows >= chunkRows;
    if (rows >= callRows || argsEnd + keysEnd >= CALL_BYTES || rowsFull) closeCall();
    if (rowsFull || (chunk !== null && chunk.length >= chunkBytes)) closeChunk();
  }

  /** Moves the committed rows of the open call into the chunk; a row begun behind them moves to the front. */
  function closeCall(): void {
    if (rows > 0) putCall(openChunk(callSize()));
    keys.copyWithin(0, keysEnd, rowKeys);
    args.copyWithin(0, argsEnd, rowArgs);
    rowKeys -= Math.min(keysEnd, rowKeys);
    rowArgs -= Math.min(argsEnd, rowArgs);
    keysEnd = 0;
    argsEnd = 0;
    rows = 0;
    argc = 0;
    ttls = '';
    ttlCount = 0;
    lastTtlMs = -1;
    shapes = '';
    shapeLetters.clear();
  }

  function putCall(into: Chunk): void {
    const { buffer } = into;
    const start = into.length;
    buffer[start] = 42;
    const words = 3 + rows + 1 + width + 3 + ttlCount + shapeLetters.size + argc;
    let pos = putNumber(buffer, start + 1, words);
    buffer[pos] = 13;
    buffer[pos + 1] = 10;
    pos = putBytes(buffer, pos + 2, head);
    pos = putBulk(buffer, pos, String(rows));
    pos += keys.copy(buffer, pos, 0, keysEnd);
    fromAt.get(into)![into.units] = pos + FROM_DIGITS_AT;
    pos = putBytes(buffer, pos, tail);
    pos = putBulk(buffer, pos, String(ttlCount));
    pos = putBulk(buffer, pos, String(shapeLetters.size));
    pos = putBulkBytes(buffer, pos, forms, 0, 2 * rows);
    pos = putRaw(buffer, pos, ttls);
    pos = putRaw(buffer, pos, shapes);
    pos += args.copy(buffer, pos, 0, argsEnd);
    into.length = pos;
    addUnit(into, start, into.rows - rows, 1, 0);
  }

  function closeChunk(): void {
    const closed = chunk;
    chunk = null;
    if (closed === null) return;
    // After a very large row; not while a row stands in it, which may be the large one itself.
    if (rowArgs === 0 && args.length > 4 * chunkBytes + CALL_BYTES) args = Buffer.allocUnsafeSlow(CALL_BYTES);
    options.emit(closed);
  }

  function append(to: Chunk, row: CallRow, origin: RowOrigin, index: number): void {
    const call = oneRowCall(options.sha, fields, row);
    const start = to.length;
    to.length += to.buffer.latin1Write(call, start);
    addUnit(to, start, to.rows, 1, 0);
    marksOf(to)[to.units - 1] = start + fromOffset(call);
    addRow(to, origin, index);
  }

  return {
    begin,
    value,
    cell,
    commit,
    abort() {
      rowKeys = keysEnd;
      rowArgs = argsEnd;
    },
    flush() {
      closeCall();
      closeChunk();
    },
    pending: () => chunk?.rows ?? 0,
    resendFrom,
    mayFollow: () => true,
    adopt,
    adoptedBytes: unitBytes,
    append,
    callOverhead: head.length + tail.length + width + (2 * width + 12) * BULK_OVERHEAD,
    split(of) {
      callRows = 1;
      const parts = splitCalls(of, { width, lead: newer ? 1 : 0 });
      if (parts === null) return false;
      fromAt.set(of, parts);
      return true;
    },
  };
}

function adopt(to: Chunk, from: Chunk, unit: number): void {
  copyUnit(to, from, unit);
  const at = (fromAt.get(from)?.[unit] ?? 0) - from.unitStart[unit]!;
  marksOf(to)[to.units - 1] = to.unitStart[to.units - 1]! + at;
}

function marksOf(chunk: Chunk): Int32Array {
  const known = fromAt.get(chunk);
  if (known !== undefined) return known;
  const marks = new Int32Array(chunk.unitStart.length);
  fromAt.set(chunk, marks);
  return marks;
}

/** Writes into the first call how many of its rows are settled, so that the script passes them over. */
function resendFrom(chunk: Chunk): Buffer {
  const done = chunk.told - chunk.unitRow[chunk.unit]!;
  const at = fromAt.get(chunk)?.[chunk.unit];
  if (at === undefined || done < 0 || done >= rowsOfUnit(chunk, chunk.unit)) {
    throw new Error(`a call cannot be sent again from its row ${done}`);
  }
  chunk.buffer[at] = 48 + Math.floor(done / 10);
  chunk.buffer[at + 1] = 48 + (done % 10);
  return chunk.buffer.subarray(chunk.unitStart[chunk.unit]!, chunk.length);
}
