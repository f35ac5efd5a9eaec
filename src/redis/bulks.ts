/** Bulks of RESP, four bytes at a time (words.ts): whoever calls has room for WORD_SLACK more bytes. */
import { digitsOf, putNumber, putRange } from './resp.ts';
import { putSpan, putWords, type Words, wordsOf } from './words.ts';

/** Above it a call into C++ costs less than the loop. */
const SPAN_LIMIT = 96;

/** `$length` and its line end. */
export function putHead(buffer: Buffer, at: number, length: number): number {
  buffer[at] = 36;
  return putLineEnd(buffer, putNumber(buffer, at + 1, length));
}

export function putLineEnd(buffer: Buffer, at: number): number {
  buffer[at] = 13;
  buffer[at + 1] = 10;
  return at + 2;
}

/** A bulk of bytes[start .. end), which `source` is a view of. */
export function putSpanBulk(
  buffer: Buffer,
  view: DataView,
  at: number,
  bytes: Uint8Array,
  source: DataView,
  start: number,
  end: number,
): number {
  const pos = putHead(buffer, at, end - start);
  const isLong = end - start > SPAN_LIMIT;
  return putLineEnd(
    buffer,
    isLong ? putRange(buffer, pos, bytes, start, end) : putSpan(view, pos, source, start, end),
  );
}

/** Keeps the bytes of a time that two rows in a row have: without jitter that is nearly every row. */
export function createTimeWriter() {
  let last = -1;
  let kept: { readonly ms: number; readonly bulk: Words } | null = null;
  return (buffer: Buffer, view: DataView, at: number, ms: number): number => {
    if (kept?.ms === ms) return putWords(view, at, kept.bulk);
    const end = putLineEnd(buffer, putNumber(buffer, putHead(buffer, at, digitsOf(ms)), ms));
    if (ms === last) kept = { ms, bulk: wordsOf(buffer.subarray(at, end)) };
    last = ms;
    return end;
  };
}
