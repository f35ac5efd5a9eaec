/** Frames rows as calls of the script in scripts.ts: EVALSHA with the field names once and many rows. */
import type { ByteString, RowOrigin } from '../core/types.ts';
import { addRow, addUnit, type Chunk, copyUnit, rowsOfUnit } from './chunk.ts';
import type { Framer, FramerOptions } from './framer.ts';
import { BULK_OVERHEAD, bulk, grown, putBulk, putBulkBytes, putNumber, putRaw } from './resp.ts';
import { FROM_DIGITS_AT, splitCalls } from './script-split.ts';

/** Arguments of one call; far below what Redis takes, near what keeps its latency low. */
const CALL_ARGUMENTS = 20_000;
const CALL_BYTES = 64 * 1024;

/** '0', '1' and 'x' of a row's shape. */
const ABSENT = 48;
const PRESENT = 49;
const REMOVED = 120;

export interface ScriptFramerOptions extends FramerOptions {
  readonly sha: string;
  /** Rows a call, at most 99 (two digits of `from`). */
  readonly callRows: number;
  readonly millis: boolean;
}

/** Where the two digits of `from` stand in each unit: after the keys. Kept beside the chunk's own tables. */
const fromAt = new WeakMap<Chunk, Int32Array>();

export function createScriptFramer(options: ScriptFramerOptions): Framer {
  const { fields, pool, chunkBytes, chunkRows } = options;
  const width = fields.length;
  const newer = options.mode === 'newer';
  const head = `$7\r\nEVALSHA\r\n$40\r\n${options.sha}\r\n`;
  const names = fields.map(bulk).join('');
  const maskHead = `$${width}\r\n`;
  const maskSize = maskHead.length + width + 2;
  const shape = new Uint8Array(width);
  let callRows = Math.max(1, Math.min(options.callRows, Math.floor(CALL_ARGUMENTS / (width + 3))));
  let millis = options.millis;
  let chunk: Chunk | null = null;
  let tail: Buffer = Buffer.from('');
  // Keys and arguments of the open call: RESP wants all keys before all arguments.
  let keys: Buffer = Buffer.allocUnsafeSlow(8 * 1024);
  let args: Buffer = Buffer.allocUnsafeSlow(CALL_BYTES);
  let keysEnd = 0;
  let argsEnd = 0;
  let rows = 0;
  let argc = 0;
  let sparseCall = false;
  let sparseSeen = false;
  // The row that is being written stands behind the ends.
  let rowKeys = 0;
  let rowArgs = 0;
  let maskAt = 0;
  let values = 0;
  let removed = 0;
  /** Features before this one have their place in `shape`. */
  let nextFeature = 0;
  // Most often the TTL of a row is that of the row before it.
  let lastTtlMs = -1;
  let lastTtl = '';

  function startMode(sparse: boolean): void {
    lastTtlMs = -1;
    sparseCall = sparse;
    sparseSeen = false;
    tail = Buffer.from(
      `$2\r\n00\r\n${bulk(millis ? 'PEXPIRE' : 'EXPIRE')}${bulk(sparse ? '0' : '1')}${names}`,
      'latin1',
    );
  }
  startMode(false);

  function callSize(): number {
    return head.length + 64 + tail.length + keysEnd + argsEnd;
  }

  function begin(key: Uint8Array, keyLength: number, ttlMs: number, eventTime: ByteString): void {
    if (ttlMs % 1000 !== 0 && !millis) {
      closeCall();
      millis = true;
      startMode(sparseCall);
    }
    keys = grown(keys, keysEnd, keysEnd + keyLength + BULK_OVERHEAD);
    rowKeys = putBulkBytes(keys, keysEnd, key, 0, keyLength);
    args = grown(args, argsEnd, argsEnd + eventTime.length + 3 * BULK_OVERHEAD + 16 + width);
    rowArgs = putRaw(args, argsEnd, ttlMs === lastTtlMs ? lastTtl : ttlBulk(ttlMs));
    if (newer) rowArgs = putBulk(args, rowArgs, eventTime);
    maskAt = rowArgs;
    // Only its place: commit writes it.
    if (sparseCall) rowArgs += maskSize;
    nextFeature = 0;
    values = 0;
    removed = 0;
  }

  function ttlBulk(ttlMs: number): string {
    lastTtlMs = ttlMs;
    lastTtl = bulk(String(millis ? ttlMs : ttlMs / 1000));
    return lastTtl;
  }

  function putMask(buffer: Buffer, at: number): void {
    while (nextFeature < width) shape[nextFeature++] = ABSENT;
    let pos = putRaw(buffer, at, maskHead);
    for (let i = 0; i < width; i++) buffer[pos++] = shape[i]!;
    buffer[pos] = 13;
    buffer[pos + 1] = 10;
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
    const full = values === width && removed === 0;
    if (sparseCall) putMask(args, maskAt);
    else if (!full) becomeSparse();
    if (!full) sparseSeen = true;
    makeRoom();
    keysEnd = rowKeys;
    argsEnd = rowArgs;
    argc += 1 + values + (newer ? 1 : 0) + (sparseCall ? 1 : 0);
    rows++;
    addRow(openChunk(callSize()), origin, row);
    closeWhatIsFull();
  }

  /** The open call has rows without a shape: closes it and makes this row the first of a sparse one. */
  function becomeSparse(): void {
    closeCall();
    startMode(true);
    args = grown(args, rowArgs, rowArgs + maskSize);
    args.copyWithin(maskAt + maskSize, maskAt, rowArgs);
    rowArgs += maskSize;
    putMask(args, maskAt);
  }

  /** Closes the call and the chunk when this row would take the chunk beyond its bytes. */
  function makeRoom(): void {
    if (chunk === null) return;
    const size = head.length + 64 + tail.length + rowKeys + rowArgs;
    if (chunk.length + size <= chunk.buffer.length) return;
    closeCall();
    if (chunk.rows > 0) closeChunk();
  }

  function openChunk(bytes: number): Chunk {
    if (chunk === null) {
      chunk = pool.take(Math.max(bytes, chunkBytes));
      fromAt.set(chunk, fromAt.get(chunk) ?? new Int32Array(chunkRows + 1));
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
    maskAt -= Math.min(argsEnd, maskAt);
    const wasSparse = sparseCall && rows > 0 && !sparseSeen;
    keysEnd = 0;
    argsEnd = 0;
    rows = 0;
    argc = 0;
    sparseSeen = false;
    // Only between rows: a row that stands behind the call was begun in its form.
    if (wasSparse && rowArgs === 0) startMode(false);
  }

  function putCall(into: Chunk): void {
    const { buffer } = into;
    const start = into.length;
    let pos = start;
    buffer[pos++] = 42;
    pos = putNumber(buffer, pos, 3 + rows + 3 + width + argc);
    buffer[pos] = 13;
    buffer[pos + 1] = 10;
    pos += 2;
    pos += buffer.latin1Write(head, pos);
    pos = putBulk(buffer, pos, String(rows));
    pos += keys.copy(buffer, pos, 0, keysEnd);
    fromAt.get(into)![into.units] = pos + FROM_DIGITS_AT;
    pos += tail.copy(buffer, pos);
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

  return {
    begin,
    value,
    cell,
    commit,
    abort() {
      rowKeys = keysEnd;
      rowArgs = argsEnd;
      maskAt = argsEnd;
    },
    flush() {
      closeCall();
      closeChunk();
    },
    pending: () => chunk?.rows ?? 0,
    resendFrom,
    adopt,
    split(of) {
      callRows = 1;
      const parts = splitCalls(of, { width, lead: newer ? 2 : 1 });
      if (parts === null) return false;
      fromAt.set(of, parts);
      return true;
    },
  };
}

function adopt(to: Chunk, from: Chunk, unit: number): void {
  copyUnit(to, from, unit);
  const marks = fromAt.get(to) ?? new Int32Array(to.unitStart.length);
  fromAt.set(to, marks);
  const at = (fromAt.get(from)?.[unit] ?? 0) - from.unitStart[unit]!;
  marks[to.units - 1] = to.unitStart[to.units - 1]! + at;
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
