/** Frames rows of mode replace as RESTORE key ttl payload REPLACE: the whole hash with its TTL in one step. */
import type { ByteString, RowOrigin } from '../core/types.ts';
import { addRow, addUnit, type Chunk } from './chunk.ts';
import type { Framer, FramerOptions, ReplyReader } from './framer.ts';
import {
  type ListpackLimits,
  PAYLOAD_OVERHEAD,
  type PayloadName,
  pairSize,
  payloadName,
  putPayload,
} from './listpack.ts';
import { BULK_OVERHEAD, putBulk, putRaw } from './resp.ts';
import { rowFault } from './script-replies.ts';
import { judge } from './server-errors.ts';

export interface RestoreFramerOptions extends FramerOptions {
  readonly limits: ListpackLimits;
}

const HEAD = '*5\r\n$7\r\nRESTORE\r\n';
const TAIL = '\r\n$7\r\nREPLACE\r\n';

export function createRestoreFramer(options: RestoreFramerOptions): Framer {
  const { pool, chunkRows, chunkBytes, limits } = options;
  const fields = options.fields.map((field) => payloadName(field, limits));
  let chunk: Chunk | null = null;
  let key: ByteString = '';
  let ttlMs = 0;
  let size = 0;
  /** Digits of the last payload's length: the next one mostly has as many. */
  let digits = 3;
  const names: PayloadName[] = [];
  const values: ByteString[] = [];

  function commit(origin: RowOrigin, row: number): void {
    if (chunk !== null && chunk.length + size > chunk.buffer.length) close();
    chunk ??= pool.take(Math.max(size, chunkBytes));
    const start = chunk.length;
    chunk.length = putRow(chunk.buffer, start);
    addUnit(chunk, start, chunk.rows, 1, 0);
    addRow(chunk, origin, row);
    if (chunk.rows >= chunkRows || chunk.length >= chunkBytes) close();
  }

  function putRow(buffer: Buffer, at: number): number {
    let pos = putRaw(buffer, at, HEAD);
    pos = putBulk(buffer, pos, key);
    pos = putBulk(buffer, pos, String(ttlMs));
    const payload = pos + 1 + digits + 2;
    let end = putPayload(buffer, payload, names, values, limits);
    const length = String(end - payload);
    if (length.length !== digits) {
      const shift = length.length - digits;
      buffer.copyWithin(payload + shift, payload, end);
      end += shift;
      digits = length.length;
    }
    putRaw(buffer, pos, `$${length}\r\n`);
    return putRaw(buffer, end, TAIL);
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
      names.length = 0;
      values.length = 0;
      size = PAYLOAD_OVERHEAD + HEAD.length + TAIL.length + key.length + 4 * BULK_OVERHEAD;
    },
    // A field that is to be removed is simply not in the new hash.
    value: (feature, bytes) => {
      if (bytes === null) return;
      const name = fields[feature] as PayloadName;
      names.push(name);
      values.push(bytes);
      size += pairSize(name.text.length, bytes.length);
    },
    commit,
    abort: () => {},
    flush: close,
    pending: () => chunk?.rows ?? 0,
    resendFrom: (of) => of.buffer.subarray(of.unitStart[of.unit], of.length),
    split: () => false,
  };
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
