/**
 * Reads RESP2 replies of reading commands as positions in the bytes that came: no object and no string for a value.
 * Knows arrays of bulk strings, integers, errors and simple strings; anything else is a broken stream.
 */

export interface SpanTaker {
  /** `count` strings at `spans` (start and end of each, -1 for null); valid during the call only. */
  array(bytes: Buffer, spans: Int32Array, count: number): void;
  integer(value: number): void;
  error(text: string): void;
  status(): void;
}

/** Bytes that one reply may have; it is held until it is complete. */
const MAX_REPLY = 64 * 1024 * 1024;
const CR = 13;
const MINUS = 45;
const ZERO = 48;

/** Where the reading of an incomplete reply goes on when more bytes have come. */
interface Progress {
  /** Strings of the array that were read; -1: not begun. */
  read: number;
  count: number;
  /** Offset from the start of the reply. */
  at: number;
}

/** Gives the function that takes bytes as they come. It throws where they are no replies, or one is too large. */
export function createReplyReader(taker: SpanTaker): (chunk: Buffer) => void {
  let spans = new Int32Array(256);
  /** The start of a reply that is not complete: `held` bytes of `hold`. */
  let hold = Buffer.alloc(0);
  let held = 0;
  const progress: Progress = { read: -1, count: 0, at: 0 };
  /** After `lineEnd`: the number of the line. */
  let number = 0;

  return (chunk) => {
    if (held === 0) {
      const end = readAll(chunk, chunk.length);
      if (end < chunk.length) keep(chunk, end, chunk.length);
      return;
    }
    keep(chunk, 0, chunk.length);
    const end = readAll(hold, held);
    if (end === 0) return;
    hold.copyWithin(0, end, held);
    held -= end;
  };

  function keep(bytes: Buffer, start: number, end: number): void {
    const needed = held + end - start;
    if (needed > MAX_REPLY) throw new Error(`a reply of more than ${MAX_REPLY} bytes`);
    if (needed > hold.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, hold.length * 2, 64 * 1024));
      hold.copy(larger, 0, 0, held);
      hold = larger;
    }
    bytes.copy(hold, held, start, end);
    held = needed;
  }

  /** Position after the last complete reply. */
  function readAll(bytes: Buffer, length: number): number {
    let start = 0;
    while (start < length) {
      const end = readReply(bytes, start, length);
      if (end < 0) return start;
      start = end;
    }
    return start;
  }

  /** Position after the reply, or -1 where it is not complete. */
  function readReply(bytes: Buffer, start: number, length: number): number {
    if (progress.read >= 0) return readStrings(bytes, start, length);
    const type = bytes[start];
    if (type === 42 || type === 58) {
      const end = readNumber(bytes, start + 1, length);
      if (end < 0) return -1;
      if (type === 58) {
        taker.integer(number);
        return end;
      }
      progress.read = 0;
      progress.count = Math.max(0, number);
      progress.at = end - start;
      if (spans.length < progress.count * 2) spans = new Int32Array(progress.count * 2);
      return readStrings(bytes, start, length);
    }
    if (type !== MINUS && type !== 43) throw new Error(`expected a reply, found byte ${type}`);
    const end = bytes.indexOf(CR, start);
    if (end < 0 || end + 2 > length) return -1;
    if (type === MINUS) taker.error(bytes.latin1Slice(start + 1, end));
    else taker.status();
    return end + 2;
  }

  /** Spans are kept relative to the reply while it is incomplete: what is held may move. */
  function readStrings(bytes: Buffer, start: number, length: number): number {
    const { count } = progress;
    let at = start + progress.at;
    let read = progress.read;
    for (; read < count; read += 1) {
      if (at >= length) break;
      if (bytes[at] !== 36) throw new Error(`expected a string in an array, found byte ${bytes[at]}`);
      const from = readNumber(bytes, at + 1, length);
      if (from < 0) break;
      const isNull = number < 0;
      const next = isNull ? from : from + number + 2;
      if (next > length) break;
      spans[read * 2] = isNull ? -1 : from - start;
      spans[read * 2 + 1] = isNull ? -1 : next - 2 - start;
      at = next;
    }
    if (read < count) {
      progress.read = read;
      progress.at = at - start;
      return -1;
    }
    progress.read = -1;
    if (start !== 0)
      for (let i = 0; i < count * 2; i += 1) if ((spans[i] ?? 0) >= 0) spans[i] = (spans[i] ?? 0) + start;
    taker.array(bytes, spans, count);
    return at;
  }

  /** Sets `number` to the line's; gives the position after its end, or -1 where the line is not complete. */
  function readNumber(bytes: Buffer, start: number, length: number): number {
    let at = start;
    let value = 0;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at += 1;
    for (; at < length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === CR) {
        number = isNegative ? -value : value;
        return at + 2 <= length ? at + 2 : -1;
      }
      if (byte < ZERO || byte > 57) throw new Error(`expected a number, found byte ${byte}`);
      value = value * 10 + byte - ZERO;
    }
    return -1;
  }
}
