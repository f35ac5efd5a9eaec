/**
 * RESP written by hand. Byte by byte below a few dozen bytes, where a call into C++ costs more than the
 * loop; a bulk of n bytes takes at most n + BULK_OVERHEAD.
 */
import type { ByteString } from '../core/types.ts';

export const BULK_OVERHEAD = 16;
const LOOP_LIMIT = 24;
/** As LOOP_LIMIT, where a view of the bytes has to be made besides the call. */
const RANGE_LIMIT = 96;
/** As LOOP_LIMIT, for a whole array. */
const BYTES_LIMIT = 48;

/** Digits of a part of a number that is a small integer. */
const PART_DIGITS = 9;
const PART = 1e9;

/** The bytes of a decimal number from 0 to 2^53; gives the position after it. */
export function putNumber(buffer: Buffer, at: number, value: number): number {
  if (value < 10) {
    buffer[at] = 48 + value;
    return at + 1;
  }
  if (value < PART) return putDigits(buffer, at, at + digitsOf(value), value);
  const high = Math.floor(value / PART);
  const middle = putNumber(buffer, at, high);
  return putDigits(buffer, middle, middle + PART_DIGITS, value - high * PART);
}

/** All places from `start` to `end`, with zeros in front. */
function putDigits(buffer: Buffer, start: number, end: number, value: number): number {
  let rest = value;
  for (let pos = end - 1; pos >= start; pos--) {
    const tenth = (rest / 10) | 0;
    buffer[pos] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}

/** Digits of a whole number from 0. */
export function digitsOf(value: number): number {
  let digits = 1;
  for (let next = 10; next <= value; next *= 10) digits++;
  return digits;
}

export function putBulk(buffer: Buffer, at: number, text: ByteString): number {
  const length = text.length;
  buffer[at] = 36;
  let pos = putNumber(buffer, at + 1, length);
  buffer[pos] = 13;
  buffer[pos + 1] = 10;
  pos += 2;
  if (length < LOOP_LIMIT) {
    for (let i = 0; i < length; i++) buffer[pos + i] = text.charCodeAt(i);
  } else {
    buffer.latin1Write(text, pos);
  }
  pos += length;
  buffer[pos] = 13;
  buffer[pos + 1] = 10;
  return pos + 2;
}

/** A bulk of bytes[start .. end). */
export function putBulkBytes(
  buffer: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  buffer[at] = 36;
  let pos = at + 1;
  if (length < 10) buffer[pos++] = 48 + length;
  else pos = putNumber(buffer as Buffer, pos, length);
  buffer[pos] = 13;
  buffer[pos + 1] = 10;
  pos = putRange(buffer, pos + 2, bytes, start, end);
  buffer[pos] = 13;
  buffer[pos + 1] = 10;
  return pos + 2;
}

/** Copies bytes[start .. end) and gives the position after them. */
export function putRange(
  buffer: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  if (end - start < RANGE_LIMIT) {
    for (let from = start, to = at; from < end; from++, to++) buffer[to] = bytes[from]!;
  } else {
    buffer.set(bytes.subarray(start, end), at);
  }
  return at + end - start;
}

/** Bytes that are the same in every row. */
export function putBytes(buffer: Uint8Array, at: number, bytes: Uint8Array): number {
  const length = bytes.length;
  if (length < BYTES_LIMIT) {
    for (let i = 0; i < length; i++) buffer[at + i] = bytes[i]!;
  } else {
    buffer.set(bytes, at);
  }
  return at + length;
}

/** For `putBytes`. */
export function fixed(text: ByteString): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** Bytes that are RESP already, held in a string. */
export function putRaw(buffer: Buffer, at: number, text: ByteString): number {
  const length = text.length;
  if (length < LOOP_LIMIT) {
    for (let i = 0; i < length; i++) buffer[at + i] = text.charCodeAt(i);
  } else {
    buffer.latin1Write(text, at);
  }
  return at + length;
}

export const bulk = (text: ByteString): ByteString => `$${text.length}\r\n${text}\r\n`;

export const command = (...parts: readonly ByteString[]): ByteString =>
  `*${parts.length}\r\n${parts.map(bulk).join('')}`;

/** A buffer of at least `size` bytes that begins with the first `used` bytes of this one. */
export function grown(buffer: Buffer, used: number, size: number): Buffer {
  if (size <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafeSlow(Math.max(size, buffer.length * 2));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
