/**
 * Frames rows as RESTORE key ttl payload: the whole hash with its TTL in one step. In mode replace with REPLACE;
 * in the others for keys that are new.
 */
import { createTimeWriter, putHead, putLineEnd } from './bulks.ts';
import type { Chunk } from './chunk.ts';
import { DATED, type Form, fitsDeadline, keepDeadlines } from './deadline.ts';
import type { Framer, FramerOptions, ReplyReader } from './framer.ts';
import { type ListpackLimits, PAYLOAD_OVERHEAD, pairsSize, payloadName, putPayload } from './listpack.ts';
import { BULK_OVERHEAD, bulk, digitsOf, fixed } from './resp.ts';
import { createRowFramer, type FramedRow } from './row-framer.ts';
import { rowFault, unlike } from './script-replies.ts';
import type { ServerClock } from './server-clock.ts';
import { judge } from './server-errors.ts';
import { createViewer, putSpan, putWords, wordsOf } from './words.ts';

export interface RestoreFramerOptions extends FramerOptions {
  readonly limits: ListpackLimits;
  /** Null: every row says in how long it expires. */
  readonly clock: ServerClock | null;
  /** Of a row that was put behind the units of the chunk. */
  readonly flags: (row: FramedRow, chunk: Chunk) => number;
}

function formOf(...options: readonly string[]): Form {
  return {
    head: wordsOf(fixed(`*${4 + options.length}\r\n$7\r\nRESTORE\r\n`)),
    tail: wordsOf(fixed(`\r\n${options.map(bulk).join('')}`)),
  };
}

export function createRestoreFramer(options: RestoreFramerOptions): Framer {
  const { limits, flags, clock } = options;
  const words = options.mode === 'replace' ? ['REPLACE'] : [];
  const plain = formOf(...words);
  const dated = formOf(...words, 'ABSTTL');
  const headLength = dated.head.length;
  const fields = options.fields.map((field) => payloadName(field, limits));
  const viewOf = createViewer();
  const keyViewOf = createViewer();
  /** Digits of the last payload's length: the next one mostly has as many. */
  let digits = 3;
  const putTime = createTimeWriter();
  /** The row that was put last has a deadline. */
  let isDated = false;
  /** What the deadlines of the chunk count from; 0: it has none. */
  let datedAt = 0;

  const put = (buffer: Buffer, at: number, row: FramedRow): number => {
    if (at === 0) datedAt = clock?.isSure() ? clock.now() : 0;
    isDated = datedAt > 0 && fitsDeadline(row.ttlMs);
    const { head, tail } = isDated ? dated : plain;
    const view = viewOf(buffer);
    let pos = putWords(view, at, head);
    pos = putHead(buffer, pos, row.keyLength);
    pos = putSpan(view, pos, keyViewOf(row.key), 0, row.keyLength);
    pos = putTime(buffer, view, putLineEnd(buffer, pos), isDated ? datedAt + row.ttlMs : row.ttlMs);
    const payload = pos + 1 + digits + 2;
    let end = putPayload(buffer, payload, row, fields, limits);
    const length = end - payload;
    const found = digitsOf(length);
    if (found !== digits) {
      buffer.copyWithin(payload + found - digits, payload, end);
      end += found - digits;
      digits = found;
    }
    putHead(buffer, pos, length);
    return putWords(view, end, tail);
  };

  const framer = createRowFramer(options, {
    size: ({ keyLength, count, features, bytes }) => {
      let size = PAYLOAD_OVERHEAD + headLength + dated.tail.length + keyLength + 4 * BULK_OVERHEAD;
      size += pairsSize(count, bytes);
      for (let i = 0; i < count; i += 1) size += fields[features[i]!]!.text.length;
      return size;
    },
    put,
    replies: () => 1,
    flags: (row, chunk) => {
      if (chunk.units === 0) chunk.datedAt = datedAt;
      return flags(row, chunk) | (isDated ? DATED : 0);
    },
  });
  if (clock === null) return framer;
  return {
    // Of these, `adopt` is for rows that a Cluster sends elsewhere, which has no clock.
    ...framer,
    resendFrom: (chunk) => {
      keepDeadlines(chunk, { plain, dated }, clock);
      return framer.resendFrom(chunk);
    },
  };
}

export function createRestoreReplies(): ReplyReader {
  return {
    take: (reply, _chunk, outcomes) => {
      if (reply === 'OK') outcomes.written(1);
      else if (!(reply instanceof Error)) throw unlike('RESTORE', 'OK', reply);
      else if (judge(reply.message) === 'row') outcomes.failed(rowFault(reply.message));
      else outcomes.trouble(reply.message);
      return true;
    },
    takeOks: (units, _chunk, outcomes) => {
      outcomes.written(units);
      return true;
    },
    reset: () => {},
  };
}
