/**
 * Frames rows as RESTORE key ttl payload: the whole hash with its TTL in one step. In mode replace with REPLACE;
 * in the others for keys that are new.
 */
import type { Chunk } from './chunk.ts';
import type { Framer, FramerOptions, ReplyReader } from './framer.ts';
import { type ListpackLimits, PAYLOAD_OVERHEAD, pairsSize, payloadName, putPayload } from './listpack.ts';
import { BULK_OVERHEAD, digitsOf, fixed, putNumber } from './resp.ts';
import { createRowFramer, type FramedRow } from './row-framer.ts';
import { rowFault, unlike } from './script-replies.ts';
import { judge } from './server-errors.ts';
import { createViewer, putSpan, putWords, type Words, wordsOf } from './words.ts';

export interface RestoreFramerOptions extends FramerOptions {
  readonly limits: ListpackLimits;
  /** Of a row that was put behind the units of the chunk. */
  readonly flags: (row: FramedRow, chunk: Chunk) => number;
}

const CREATE = { head: wordsOf(fixed('*4\r\n$7\r\nRESTORE\r\n')), tail: wordsOf(fixed('\r\n')) };
const REPLACE = {
  head: wordsOf(fixed('*5\r\n$7\r\nRESTORE\r\n')),
  tail: wordsOf(fixed('\r\n$7\r\nREPLACE\r\n')),
};

export function createRestoreFramer(options: RestoreFramerOptions): Framer {
  const { limits, flags } = options;
  const { head, tail } = options.mode === 'replace' ? REPLACE : CREATE;
  const fields = options.fields.map((field) => payloadName(field, limits));
  const viewOf = createViewer();
  const keyViewOf = createViewer();
  /** Digits of the last payload's length: the next one mostly has as many. */
  let digits = 3;
  const putTtl = createTtlWriter();

  const put = (buffer: Buffer, at: number, row: FramedRow): number => {
    const view = viewOf(buffer);
    let pos = putWords(view, at, head);
    pos = putHead(buffer, pos, row.keyLength);
    pos = putSpan(view, pos, keyViewOf(row.key), 0, row.keyLength);
    pos = putTtl(buffer, view, putLineEnd(buffer, pos), row.ttlMs);
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

  return createRowFramer(options, {
    size: ({ keyLength, count, features, bytes }) => {
      let size = PAYLOAD_OVERHEAD + head.length + tail.length + keyLength + 4 * BULK_OVERHEAD;
      size += pairsSize(count, bytes);
      for (let i = 0; i < count; i += 1) size += fields[features[i]!]!.text.length;
      return size;
    },
    put,
    replies: () => 1,
    flags,
  });
}

/** `$length` and its line end. */
function putHead(buffer: Buffer, at: number, length: number): number {
  buffer[at] = 36;
  return putLineEnd(buffer, putNumber(buffer, at + 1, length));
}

function putLineEnd(buffer: Buffer, at: number): number {
  buffer[at] = 13;
  buffer[at + 1] = 10;
  return at + 2;
}

/** Keeps the bytes of a TTL that two rows in a row have: without jitter that is every row. */
function createTtlWriter() {
  let last = -1;
  let kept: { readonly ttlMs: number; readonly bulk: Words } | null = null;
  return (buffer: Buffer, view: DataView, at: number, ttlMs: number): number => {
    if (kept?.ttlMs === ttlMs) return putWords(view, at, kept.bulk);
    const end = putLineEnd(buffer, putNumber(buffer, putHead(buffer, at, digitsOf(ttlMs)), ttlMs));
    if (ttlMs === last) kept = { ttlMs, bulk: wordsOf(buffer.subarray(at, end)) };
    last = ttlMs;
    return end;
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
