/** Frames rows as plain commands: HSET and EXPIRE, or in mode replace MULTI DEL HSET EXPIRE EXEC. */

import { createTimeWriter, putSpanBulk } from './bulks.ts';
import type { Framer, FramerOptions, Outcomes, Reply, ReplyReader } from './framer.ts';
import { BULK_OVERHEAD, bulk, command, fixed, putNumber } from './resp.ts';
import { createRowFramer, type FramedRow } from './row-framer.ts';
import { isError, rowFault, unlike, untimed } from './script-replies.ts';
import { judge } from './server-errors.ts';
import { createViewer, putWords, type Words, wordsOf } from './words.ts';

/** Bits of a unit's flags. */
const TIMED = 1;
const ATOMIC = 2;

const words = (text: string): Words => wordsOf(fixed(text));

const MULTI = words(command('MULTI'));
const EXEC = words(command('EXEC'));
const DEL_HEAD = words('*2\r\n$3\r\nDEL\r\n');
const HSET_HEAD = words('\r\n$4\r\nHSET\r\n');
const EXPIRE_HEAD = words('*3\r\n$6\r\nEXPIRE\r\n');
const PEXPIRE_HEAD = words('*3\r\n$7\r\nPEXPIRE\r\n');

export function createPipelineFramer(options: FramerOptions): Framer {
  const names = options.fields.map((field) => words(bulk(field)));
  const atomic = options.mode === 'replace';
  const viewOf = createViewer();
  const keyViewOf = createViewer();
  const putTime = createTimeWriter();

  const putKey = (buffer: Buffer, at: number, { key, keyLength }: FramedRow): number =>
    putSpanBulk(buffer, viewOf(buffer), at, key, keyViewOf(key), 0, keyLength);

  const putHset = (buffer: Buffer, at: number, row: FramedRow): number => {
    const { count, features, sources, views, starts, ends } = row;
    const view = viewOf(buffer);
    buffer[at] = 42;
    let pos = putNumber(buffer, at + 1, 2 + 2 * count);
    pos = putKey(buffer, putWords(view, pos, HSET_HEAD), row);
    for (let i = 0; i < count; i += 1) {
      const feature = features[i]!;
      pos = putWords(view, pos, names[feature]!);
      pos = putSpanBulk(buffer, view, pos, sources[feature]!, views[feature]!, starts[i]!, ends[i]!);
    }
    return pos;
  };

  const putExpire = (buffer: Buffer, at: number, row: FramedRow): number => {
    const view = viewOf(buffer);
    const isWhole = row.ttlMs % 1000 === 0;
    const pos = putKey(buffer, putWords(view, at, isWhole ? EXPIRE_HEAD : PEXPIRE_HEAD), row);
    return putTime(buffer, view, pos, isWhole ? row.ttlMs / 1000 : row.ttlMs);
  };

  return createRowFramer(options, {
    size: ({ keyLength, count, features, bytes }) => {
      let size = 256 + 3 * (keyLength + BULK_OVERHEAD) + bytes + count * BULK_OVERHEAD;
      for (let i = 0; i < count; i += 1) size += names[features[i]!]!.length;
      return size;
    },
    put: (buffer, at, row) => {
      const view = viewOf(buffer);
      let pos = atomic ? putWords(view, at, MULTI) : at;
      if (atomic) pos = putKey(buffer, putWords(view, pos, DEL_HEAD), row);
      pos = putHset(buffer, pos, row);
      if (row.ttlMs > 0) pos = putExpire(buffer, pos, row);
      return atomic ? putWords(view, pos, EXEC) : pos;
    },
    replies: ({ ttlMs }) => (atomic ? 4 : 1) + (ttlMs > 0 ? 1 : 0),
    flags: ({ ttlMs }) => (ttlMs > 0 ? TIMED : 0) | (atomic ? ATOMIC : 0),
  });
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
