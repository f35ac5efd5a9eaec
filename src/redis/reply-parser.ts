/** Replies of RESP2 from bytes as they come: what a bulk channel gets is short and mostly all the same. */
import type { Reply } from './framer.ts';

/** An error that the server answered. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

const CR = 0x0d;
const LF = 0x0a;

/** Stands for a reply whose end has not come yet. */
const INCOMPLETE = Symbol('incomplete');

/** Bytes of the reply that nearly every row of a healthy load brings. */
const OK_BYTES = '+OK\r\n'.length;

/**
 * Gives the function that takes bytes as they come, and tells each reply when it is complete: numbers, simple
 * strings as text, bulk strings as bytes, errors, null, lists. `times`: so many replies in a row are the same one. Before the first one the line end of a reply that
 * another reader has taken may stand. It throws where the bytes are no replies. Holds the reply that is not
 * complete, whatever its size.
 */
export function createReplyParser(tell: (reply: Reply, times: number) => void): (chunk: Buffer) => void {
  let held: Buffer | null = null;
  let hasBegun = false;
  return (chunk) => {
    const bytes: Buffer = held === null ? chunk : Buffer.concat([held, chunk]);
    held = null;
    const cursor: Cursor = { bytes, at: hasBegun ? 0 : lineEnds(bytes) };
    hasBegun ||= cursor.at < bytes.length;
    while (cursor.at < bytes.length) {
      const start = cursor.at;
      const oks = countOks(bytes, start);
      if (oks > 0) {
        cursor.at += oks * OK_BYTES;
        tell('OK', oks);
        continue;
      }
      const reply = readReply(cursor);
      if (reply === INCOMPLETE) {
        held = bytes.subarray(start);
        return;
      }
      tell(reply, 1);
    }
  };
}

function lineEnds(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === CR || bytes[at] === LF) at++;
  return at;
}

function countOks(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x2b && bytes[at + 1] === 0x4f && bytes[at + 2] === 0x4b && bytes[at + 4] === LF) {
    at += OK_BYTES;
  }
  return (at - from) / OK_BYTES;
}

function readReply(cursor: Cursor): Reply | typeof INCOMPLETE {
  const type = cursor.bytes[cursor.at++];
  switch (type) {
    case 0x3a:
      return readNumber(cursor);
    case 0x2b:
      return readLine(cursor);
    case 0x2d: {
      const text = readLine(cursor);
      return text === INCOMPLETE ? text : errorOf(text);
    }
    case 0x24:
      return readBulk(cursor);
    case 0x2a:
      return readList(cursor);
    default:
      throw new Error(`expected a reply of RESP2, found byte ${type}`);
  }
}

let lastError: { readonly text: string; readonly error: ReplyError } | null = null;

/** Thousands of rows may be refused in the same words; an error takes microseconds to make, for its stack. */
function errorOf(text: string): ReplyError {
  if (lastError?.text !== text) {
    lastError = { text, error: new ReplyError(Buffer.from(text, 'latin1').toString('utf8')) };
  }
  return lastError.error;
}

/** Digits up to the line's end. */
function readNumber(cursor: Cursor): number | typeof INCOMPLETE {
  const { bytes } = cursor;
  let { at } = cursor;
  const isNegative = bytes[at] === 0x2d;
  if (isNegative) at++;
  let value = 0;
  for (; at < bytes.length && bytes[at] !== CR; at++) value = value * 10 + bytes[at]! - 0x30;
  if (at + 1 >= bytes.length) return INCOMPLETE;
  cursor.at = at + 2;
  return isNegative ? -value : value;
}

function readLine(cursor: Cursor): string | typeof INCOMPLETE {
  const end = cursor.bytes.indexOf('\r\n', cursor.at);
  if (end < 0) return INCOMPLETE;
  const line = cursor.bytes.latin1Slice(cursor.at, end);
  cursor.at = end + 2;
  return line;
}

function readBulk(cursor: Cursor): Buffer | null | typeof INCOMPLETE {
  const length = readNumber(cursor);
  if (length === INCOMPLETE || length < 0) return length === INCOMPLETE ? length : null;
  const start = cursor.at;
  if (start + length + 2 > cursor.bytes.length) return INCOMPLETE;
  cursor.at = start + length + 2;
  return cursor.bytes.subarray(start, start + length);
}

function readList(cursor: Cursor): Reply[] | null | typeof INCOMPLETE {
  const count = readNumber(cursor);
  if (count === INCOMPLETE || count < 0) return count === INCOMPLETE ? count : null;
  const list: Reply[] = [];
  while (list.length < count) {
    if (cursor.at >= cursor.bytes.length) return INCOMPLETE;
    const reply = readReply(cursor);
    if (reply === INCOMPLETE) return INCOMPLETE;
    list.push(reply);
  }
  return list;
}
