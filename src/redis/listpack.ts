/**
 * Hashes as RDB payloads for RESTORE: a listpack (type 16) while names and values are short, as Redis keeps
 * them itself, else plain pairs (type 4), which the server puts into the form that its settings ask for.
 * https://github.com/antirez/listpack/blob/master/listpack.md and rdb.c, listpack.c of Redis 7.
 */
import type { ByteString } from '../core/types.ts';
import { putCrc64 } from './crc64.ts';
import { putBytes, putRange } from './resp.ts';

/** Readable by Redis 7.0 and every later one. */
const RDB_VERSION = 10;
const TYPE_HASH = 4;
const TYPE_HASH_LISTPACK = 16;

/** Redis' own defaults; a server with other settings is told to the encoder. */
export interface ListpackLimits {
  readonly entries: number;
  readonly valueBytes: number;
}

/** Bytes that pairs take at most besides their names, in either form: `values` is the length of all values. */
export function pairsSize(count: number, values: number): number {
  return values + 24 * count;
}

/** Bytes around the pairs at most. */
export const PAYLOAD_OVERHEAD = 40;

/** A field name in the two forms that it takes, made once. */
export interface PayloadName {
  readonly text: ByteString;
  /** Its bytes as a listpack entry; null where it is too long for one. */
  readonly entry: Uint8Array | null;
}

export function payloadName(text: ByteString, limits: ListpackLimits): PayloadName {
  if (text.length > limits.valueBytes) return { text, entry: null };
  const bytes = Buffer.from(text, 'latin1');
  const scratch = Buffer.alloc(text.length + 24);
  return { text, entry: new Uint8Array(scratch.subarray(0, putEntry(scratch, 0, bytes, 0, bytes.length))) };
}

/** The fields of a hash: the i-th is names[features[i]] with the value data[starts[i] .. starts[i + 1]). */
export interface HashFields {
  readonly count: number;
  readonly features: ArrayLike<number>;
  readonly starts: ArrayLike<number>;
  readonly data: Buffer;
}

/** Writes the payload of a hash at `at` and gives the position after it. */
export function putPayload(
  buffer: Buffer,
  at: number,
  hash: HashFields,
  names: readonly PayloadName[],
  limits: ListpackLimits,
): number {
  const end = isShort(hash, names, limits)
    ? putListpack(buffer, at, hash, names)
    : putPairs(buffer, at, hash, names);
  buffer[end] = RDB_VERSION;
  buffer[end + 1] = 0;
  putCrc64(buffer, at, end + 2);
  return end + 10;
}

function isShort(
  { count, features, starts }: HashFields,
  names: readonly PayloadName[],
  limits: ListpackLimits,
): boolean {
  if (count > limits.entries) return false;
  for (let i = 0; i < count; i += 1) {
    if (starts[i + 1]! - starts[i]! > limits.valueBytes) return false;
    if (names[features[i]!]!.entry === null) return false;
  }
  return true;
}

function putPairs(
  buffer: Buffer,
  at: number,
  { count, features, starts, data }: HashFields,
  names: readonly PayloadName[],
): number {
  buffer[at] = TYPE_HASH;
  let pos = putLength(buffer, at + 1, count);
  for (let i = 0; i < count; i += 1) {
    const { text } = names[features[i]!]!;
    pos = putLength(buffer, pos, text.length);
    pos += buffer.latin1Write(text, pos);
    pos = putLength(buffer, pos, starts[i + 1]! - starts[i]!);
    pos = putRange(buffer, pos, data, starts[i]!, starts[i + 1]!);
  }
  return pos;
}

/** RDB length: 6 bits, 14 bits, or a byte 0x80 and 32 bits big-endian. */
function putLength(buffer: Buffer, at: number, length: number): number {
  if (length < 64) {
    buffer[at] = length;
    return at + 1;
  }
  if (length < 16384) {
    buffer[at] = 0x40 | (length >> 8);
    buffer[at + 1] = length & 0xff;
    return at + 2;
  }
  buffer[at] = 0x80;
  buffer.writeUInt32BE(length, at + 1);
  return at + 5;
}

/** The listpack stands in a string; its length is known only afterwards, so five bytes are kept for it. */
function putListpack(
  buffer: Buffer,
  at: number,
  { count, features, starts, data }: HashFields,
  names: readonly PayloadName[],
): number {
  buffer[at] = TYPE_HASH_LISTPACK;
  const start = at + 6;
  let pos = start + 6;
  for (let i = 0; i < count; i += 1) {
    pos = putBytes(buffer, pos, names[features[i]!]!.entry!);
    pos = putEntry(buffer, pos, data, starts[i]!, starts[i + 1]!);
  }
  buffer[pos++] = 0xff;
  const bytes = pos - start;
  buffer[at + 1] = 0x80;
  buffer.writeUInt32BE(bytes, at + 2);
  buffer.writeUInt32LE(bytes, start);
  buffer.writeUInt16LE(count * 2, start + 4);
  return pos;
}

/** An entry of bytes[start .. end). */
function putEntry(buffer: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  const number = smallInteger(bytes, start, end);
  if (!Number.isNaN(number)) return putInteger(buffer, at, number);
  const length = end - start;
  if (length >= 16 && length <= 20) {
    const integer = largeInteger(bytes.latin1Slice(start, end));
    if (integer !== null) return putBigInteger(buffer, at, integer);
  }
  let pos = at;
  if (length < 64) {
    buffer[pos++] = 0x80 | length;
  } else {
    // Names and values in a listpack are never longer than the 12 bits of this form.
    buffer[pos++] = 0xe0 | (length >> 8);
    buffer[pos++] = length & 0xff;
  }
  pos = putRange(buffer, pos, bytes, start, end);
  return putBacklen(buffer, pos, pos - at);
}

/** An integer in its only text form, up to 15 digits; NaN otherwise. Redis keeps those as numbers. */
function smallInteger(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === 45;
  const first = negative ? start + 1 : start;
  if (first >= end || end - start > 15) return Number.NaN;
  let value = 0;
  for (let i = first; i < end; i += 1) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  const leadsWithZero = bytes[first] === 48;
  if (leadsWithZero && (end - first > 1 || negative)) return Number.NaN;
  return negative ? -value : value;
}

/** An integer of 16 digits or more that 64 bits hold. */
function largeInteger(text: ByteString): bigint | null {
  if (!/^-?[1-9]\d*$/.test(text)) return null;
  const value = BigInt(text);
  return value >= -(2n ** 63n) && value < 2n ** 63n ? value : null;
}

function putInteger(buffer: Buffer, at: number, value: number): number {
  if (value >= 0 && value <= 127) {
    buffer[at] = value;
    buffer[at + 1] = 1;
    return at + 2;
  }
  if (value >= -4096 && value <= 4095) {
    const bits = value < 0 ? value + 8192 : value;
    buffer[at] = 0xc0 | (bits >> 8);
    buffer[at + 1] = bits & 0xff;
    buffer[at + 2] = 2;
    return at + 3;
  }
  if (value >= -32768 && value <= 32767) return putFixed(buffer, at, 0xf1, value, 2);
  if (value >= -8388608 && value <= 8388607) return putFixed(buffer, at, 0xf2, value, 3);
  if (value >= -2147483648 && value <= 2147483647) return putFixed(buffer, at, 0xf3, value, 4);
  return putBigInteger(buffer, at, BigInt(value));
}

function putFixed(buffer: Buffer, at: number, code: number, value: number, width: number): number {
  buffer[at] = code;
  buffer.writeIntLE(value, at + 1, width);
  buffer[at + 1 + width] = 1 + width;
  return at + 2 + width;
}

function putBigInteger(buffer: Buffer, at: number, value: bigint): number {
  buffer[at] = 0xf4;
  buffer.writeBigInt64LE(value, at + 1);
  buffer[at + 9] = 9;
  return at + 10;
}

/** The length of an entry again behind it, most significant 7 bits first; entries here are below 16384. */
function putBacklen(buffer: Buffer, at: number, length: number): number {
  if (length <= 127) {
    buffer[at] = length;
    return at + 1;
  }
  buffer[at] = length >> 7;
  buffer[at + 1] = (length & 127) | 128;
  return at + 2;
}
