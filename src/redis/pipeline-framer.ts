/** Frames rows as plain commands: HSET and EXPIRE, or in mode replace MULTI DEL HSET EXPIRE EXEC. */
import type { Framer, FramerOptions, Outcomes, Reply, ReplyReader } from './framer.ts';
import { BULK_OVERHEAD, bulk, command, fixed, putBulk, putBulkBytes, putBytes, putNumber } from './resp.ts';
import { createRowFramer, type FramedRow } from './row-framer.ts';
import { isError, rowFault, unlike, untimed } from './script-replies.ts';
import { judge } from './server-errors.ts';

/** Bits of a unit's flags. */
const TIMED = 1;
const ATOMIC = 2;

const MULTI = fixed(command('MULTI'));
const EXEC = fixed(command('EXEC'));
const DEL_HEAD = fixed('*2\r\n$3\r\nDEL\r\n');
const HSET_HEAD = fixed('\r\n$4\r\nHSET\r\n');
const EXPIRE_HEAD = fixed('*3\r\n$6\r\nEXPIRE\r\n');
const PEXPIRE_HEAD = fixed('*3\r\n$7\r\nPEXPIRE\r\n');

export function createPipelineFramer(options: FramerOptions): Framer {
  const names = options.fields.map((field) => fixed(bulk(field)));
  const atomic = options.mode === 'replace';
  return createRowFramer(options, {
    size: ({ keyLength, count, features, bytes }) => {
      let size = 256 + 3 * (keyLength + BULK_OVERHEAD) + bytes + count * BULK_OVERHEAD;
      for (let i = 0; i < count; i += 1) size += names[features[i]!]!.length;
      return size;
    },
    put: (buffer, at, row) => {
      let pos = atomic ? putBytes(buffer, at, MULTI) : at;
      if (atomic) pos = putKey(buffer, putBytes(buffer, pos, DEL_HEAD), row);
      pos = putHset(buffer, pos, row, names);
      if (row.ttlMs > 0) pos = putExpire(buffer, pos, row);
      return atomic ? putBytes(buffer, pos, EXEC) : pos;
    },
    replies: ({ ttlMs }) => (atomic ? 4 : 1) + (ttlMs > 0 ? 1 : 0),
    flags: ({ ttlMs }) => (ttlMs > 0 ? TIMED : 0) | (atomic ? ATOMIC : 0),
  });
}

function putHset(buffer: Buffer, at: number, row: FramedRow, names: readonly Uint8Array[]): number {
  const { count, features, sources, starts, ends } = row;
  buffer[at] = 42;
  let pos = putNumber(buffer, at + 1, 2 + 2 * count);
  pos = putBytes(buffer, pos, HSET_HEAD);
  pos = putKey(buffer, pos, row);
  for (let i = 0; i < count; i += 1) {
    pos = putBytes(buffer, pos, names[features[i]!]!);
    pos = putBulkBytes(buffer, pos, sources[i]!, starts[i]!, ends[i]!);
  }
  return pos;
}

function putKey(buffer: Buffer, at: number, { key, keyLength }: FramedRow): number {
  return putBulkBytes(buffer, at, key, 0, keyLength);
}

function putExpire(buffer: Buffer, at: number, row: FramedRow): number {
  const { ttlMs } = row;
  const whole = ttlMs % 1000 === 0;
  let pos = putBytes(buffer, at, whole ? EXPIRE_HEAD : PEXPIRE_HEAD);
  pos = putKey(buffer, pos, row);
  return putBulk(buffer, pos, String(whole ? ttlMs / 1000 : ttlMs));
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
  if (typeof hset !== 'number') throw unlike('HSET', 'a number', hset ?? null);
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
