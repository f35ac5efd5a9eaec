/** Frames rows as plain commands: HSET and EXPIRE, or in mode replace MULTI DEL HSET EXPIRE EXEC. */
import type { ByteString, RowOrigin } from '../core/types.ts';
import { addRow, addUnit, type Chunk } from './chunk.ts';
import type { Framer, FramerOptions, Outcomes, Reply, ReplyReader } from './framer.ts';
import { BULK_OVERHEAD, bulk, command, putBulk, putNumber, putRaw } from './resp.ts';
import { isError, rowFault, untimed } from './script-replies.ts';
import { judge } from './server-errors.ts';

/** Bits of a unit's flags. */
const TIMED = 1;
const ATOMIC = 2;

const MULTI = command('MULTI');
const EXEC = command('EXEC');

export function createPipelineFramer(options: FramerOptions): Framer {
  const { pool, chunkRows, chunkBytes } = options;
  const names = options.fields.map(bulk);
  const atomic = options.mode === 'replace';
  let chunk: Chunk | null = null;
  let key: ByteString = '';
  let ttlMs = 0;
  let features: number[] = [];
  let values: ByteString[] = [];

  function commit(origin: RowOrigin, row: number): void {
    const size = rowSize();
    if (chunk !== null && chunk.length + size > chunk.buffer.length) close();
    chunk ??= pool.take(Math.max(size, chunkBytes));
    const start = chunk.length;
    chunk.length = putRow(chunk.buffer, start);
    const timed = ttlMs > 0 ? TIMED : 0;
    const replies = (atomic ? 4 : 1) + (timed ? 1 : 0);
    addUnit(chunk, start, chunk.rows, replies, timed | (atomic ? ATOMIC : 0));
    addRow(chunk, origin, row);
    if (chunk.rows >= chunkRows || chunk.length >= chunkBytes) close();
  }

  /** At most. */
  function rowSize(): number {
    let size = 256 + 3 * (key.length + BULK_OVERHEAD);
    for (const [i, value] of values.entries()) {
      size += (names[features[i] as number] as string).length + value.length + BULK_OVERHEAD;
    }
    return size;
  }

  function putRow(buffer: Buffer, at: number): number {
    let pos = atomic ? putRaw(buffer, at, MULTI) : at;
    if (atomic) {
      pos = putRaw(buffer, pos, '*2\r\n$3\r\nDEL\r\n');
      pos = putBulk(buffer, pos, key);
    }
    buffer[pos] = 42;
    pos = putNumber(buffer, pos + 1, 2 + 2 * values.length);
    pos = putRaw(buffer, pos, '\r\n$4\r\nHSET\r\n');
    pos = putBulk(buffer, pos, key);
    for (const [i, value] of values.entries()) {
      pos = putRaw(buffer, pos, names[features[i] as number] as string);
      pos = putBulk(buffer, pos, value);
    }
    if (ttlMs > 0) pos = putExpire(buffer, pos);
    return atomic ? putRaw(buffer, pos, EXEC) : pos;
  }

  function putExpire(buffer: Buffer, at: number): number {
    const whole = ttlMs % 1000 === 0;
    let pos = putRaw(buffer, at, whole ? '*3\r\n$6\r\nEXPIRE\r\n' : '*3\r\n$7\r\nPEXPIRE\r\n');
    pos = putBulk(buffer, pos, key);
    return putBulk(buffer, pos, String(whole ? ttlMs / 1000 : ttlMs));
  }

  function close(): void {
    const closed = chunk;
    chunk = null;
    if (closed !== null && closed.rows > 0) options.emit(closed);
  }

  return {
    begin: (rowKey, rowTtlMs) => {
      key = rowKey;
      ttlMs = rowTtlMs;
      features = [];
      values = [];
    },
    // A field that is to be removed needs no word here: replace begins with DEL.
    value: (feature, bytes) => {
      if (bytes === null) return;
      features.push(feature);
      values.push(bytes);
    },
    commit,
    abort: () => {},
    flush: close,
    pending: () => chunk?.rows ?? 0,
    resendFrom: (of) => of.buffer.subarray(of.unitStart[of.unit], of.length),
    split: () => false,
  };
}

export function createPipelineReplies(): ReplyReader {
  let seen: Reply[] = [];
  return {
    take: (reply, chunk, outcomes) => {
      seen.push(reply);
      const { unit } = chunk;
      if (seen.length < (chunk.unitReplies[unit] as number)) return false;
      const replies = seen;
      seen = [];
      const flags = chunk.unitFlags[unit] as number;
      if (flags & ATOMIC) readAtomic(replies, flags, outcomes);
      else readPlain(replies, flags, outcomes);
      return true;
    },
    reset: () => {
      seen = [];
    },
  };
}

function readPlain([hset, expire]: readonly Reply[], flags: number, outcomes: Outcomes): void {
  if (isError(hset as Reply)) {
    const text = (hset as Error).message;
    if (judge(text) !== 'row') return outcomes.trouble(text);
    const retimed = flags & TIMED && expire === 1;
    const more = '; EXPIRE behind it succeeded, so this key has a new TTL (--write script prevents that)';
    return outcomes.failed(rowFault(retimed ? text + more : text));
  }
  readExpire(expire ?? null, flags, outcomes);
}

/** +OK, QUEUED for each command, then EXEC's array; an error while queueing makes EXEC fail. */
function readAtomic(replies: readonly Reply[], flags: number, outcomes: Outcomes): void {
  const early = replies.slice(0, -1).find(isError);
  const result = replies[replies.length - 1] as Reply;
  const error = early ?? (isError(result) ? result : null);
  if (error) {
    return judge(error.message) === 'row'
      ? outcomes.failed(rowFault(error.message))
      : outcomes.trouble(error.message);
  }
  const [, hset, expire] = result as readonly Reply[];
  if (isError(hset as Reply)) return outcomes.failed(rowFault((hset as Error).message));
  readExpire(expire ?? null, flags, outcomes);
}

function readExpire(expire: Reply, flags: number, outcomes: Outcomes): void {
  if (!(flags & TIMED) || expire === 1) return outcomes.written(1);
  const text = isError(expire) ? expire.message : `EXPIRE answered ${String(expire)} instead of 1`;
  if (isError(expire) && judge(text) !== 'row') return outcomes.trouble(text);
  outcomes.failed(untimed(text));
}
