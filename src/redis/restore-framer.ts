/** Frames rows of mode replace as RESTORE key ttl payload REPLACE: the whole hash with its TTL in one step. */
import type { Framer, FramerOptions, ReplyReader } from './framer.ts';
import { type ListpackLimits, PAYLOAD_OVERHEAD, pairsSize, payloadName, putPayload } from './listpack.ts';
import { BULK_OVERHEAD, fixed, putBulk, putBulkBytes, putBytes, putRaw } from './resp.ts';
import { createRowFramer, type FramedRow } from './row-framer.ts';
import { rowFault } from './script-replies.ts';
import { judge } from './server-errors.ts';

export interface RestoreFramerOptions extends FramerOptions {
  readonly limits: ListpackLimits;
}

const HEAD = fixed('*5\r\n$7\r\nRESTORE\r\n');
const TAIL = fixed('\r\n$7\r\nREPLACE\r\n');

export function createRestoreFramer(options: RestoreFramerOptions): Framer {
  const { limits } = options;
  const fields = options.fields.map((field) => payloadName(field, limits));
  /** Digits of the last payload's length: the next one mostly has as many. */
  let digits = 3;

  const put = (buffer: Buffer, at: number, row: FramedRow): number => {
    let pos = putBytes(buffer, at, HEAD);
    pos = putBulkBytes(buffer, pos, row.key, 0, row.keyLength);
    pos = putBulk(buffer, pos, String(row.ttlMs));
    const payload = pos + 1 + digits + 2;
    let end = putPayload(buffer, payload, row, fields, limits);
    const length = String(end - payload);
    if (length.length !== digits) {
      const shift = length.length - digits;
      buffer.copyWithin(payload + shift, payload, end);
      end += shift;
      digits = length.length;
    }
    putRaw(buffer, pos, `$${length}\r\n`);
    return putBytes(buffer, end, TAIL);
  };

  return createRowFramer(options, {
    size: ({ keyLength, count, features, starts }) => {
      let size = PAYLOAD_OVERHEAD + HEAD.length + TAIL.length + keyLength + 4 * BULK_OVERHEAD;
      size += pairsSize(count, starts[count]!);
      for (let i = 0; i < count; i += 1) size += fields[features[i]!]!.text.length;
      return size;
    },
    put,
    replies: () => 1,
    flags: () => 0,
  });
}

export function createRestoreReplies(): ReplyReader {
  return {
    take: (reply, _chunk, outcomes) => {
      if (!(reply instanceof Error)) outcomes.written(1);
      else if (judge(reply.message) === 'row') outcomes.failed(rowFault(reply.message));
      else outcomes.trouble(reply.message);
      return true;
    },
    reset: () => {},
  };
}
