/**
 * Hashes as RDB payloads for RESTORE: a listpack (type 16) while names and values are short, as Redis keeps
 * them itself, else plain pairs (type 4), which the server puts into the form that its settings ask for.
 * https://github.com/antirez/listpack/blob/master/listpack.md and rdb.c, listpack.c of Redis 7.
 */
import type { ByteString } from '../core/types.ts';
import { putCrc64 } from './crc64.ts';
import { putBytes } from './resp.ts';

/** Readable by Redis 7.0 and every later one. */
const RDB_VERSION = 10;
const TYPE_HASH = 4;
const TYPE_HASH_LISTPACK = 16;

/** Redis' own defaults; a server with other settings is told to the encoder. */
export interface ListpackLimits {
  readonly entries: number;
  readonly valueBytes: number;
}

/** Bytes that a pair of this length takes at most, in either form. */
export function pairSize(name: number, value: number): number {
  return name + value + 24;
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
  const scratch = Buffer.alloc(pairSize(text.length, 0));
  return { text, entry: new Uint8Array(scratch.subarray(0, putEntry(scratch, 0, text))) };
}

/** Writes the payload of a hash at `at` and gives the position after it. */
export function putPayload(
  buffer: Buffer,
  at: number,
  names: readonly PayloadName[],
  values: readonly ByteString[],
  limits: ListpackLimits,
): number {
  const end = isShort(names, values, limits)
    ? putListpack(buffer, at, names, values)
    : putPairs(buffer, at, names, values);
  buffer[end] = RDB_VERSION;
  buffer[end + 1] = 0;
  putCrc64(buffer, at, end + 2);
  return end + 10;
}

function isShort(
  names: readonly PayloadName[],
  values: readonly ByteString[],
  limits: ListpackLimits,
): boolean {
  if (names.length > limits.entries) return false;
  for (let i = 0; i < names.length; i += 1) {
    if ((names[i] as PayloadName).entry === null) return false;
    if ((values[i] as string).length > limits.valueBytes) return false;
  }
  return true;
}

function putPairs(
  buffer: Buffer,
  at: number,
  names: readonly PayloadName[],
  values: readonly ByteString[],
): number {
  buffer[at] = TYPE_HASH;
  let pos = putLength(buffer, at + 1, names.length);
  for (let i = 0; i < names.length; i += 1) {
    pos = putString(buffer, pos, (names[i] as PayloadName).text);
    pos = putString(buffer, pos, values[i] as string);
  }
  return pos;
}

function putString(buffer: Buffer, at: number, text: ByteString): number {
  const pos = putLength(buffer, at, text.length);
  buffer.latin1Write(text, pos);
  return pos + text.length;
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
  names: readonly PayloadName[],
  values: readonly ByteString[],
): number {
  buffer[at] = TYPE_HASH_LISTPACK;
  const start = at + 6;
  let pos = start + 6;
  for (let i = 0; i < names.length; i += 1) {
    pos = putBytes(buffer, pos, (names[i] as PayloadName).entry as Uint8Array);
    pos = putEntry(buffer, pos, values[i] as string);
  }
  buffer[pos++] = 0xff;
  const bytes = pos - start;
  buffer[at + 1] = 0x80;
  buffer.writeUInt32BE(bytes, at + 2);
  buffer.writeUInt32LE(bytes, start);
  buffer.writeUInt16LE(names.length * 2, start + 4);
  return pos;
}

function putEntry(buffer: Buffer, at: number, text: ByteString): number {
  const number = smallInteger(text);
  if (number !== null) return putInteger(buffer, at, number);
  if (isInteger64(text)) return putBigInteger(buffer, at, BigInt(text));
  const length = text.length;
  let pos = at;
  if (length < 64) {
    buffer[pos++] = 0x80 | length;
    for (let i = 0; i < length; i += 1) buffer[pos + i] = text.charCodeAt(i);
  } else {
    // Names and values in a listpack are never longer than the 12 bits of this form.
    buffer[pos++] = 0xe0 | (length >> 8);
    buffer[pos++] = length & 0xff;
    buffer.latin1Write(text, pos);
  }
  pos += length;
  return putBacklen(buffer, pos, pos - at);
}

/** An integer in its only text form, up to 15 digits; null otherwise. Redis keeps those as numbers. */
function smallInteger(text: ByteString): number | null {
  const { length } = text;
  if (length === 0 || length > 15) return null;
  const first = text.charCodeAt(0);
  const negative = first === 45;
  const start = negative ? 1 : 0;
  if (length === start) return null;
  let value = 0;
  for (let i = start; i < length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return null;
    value = value * 10 + code - 48;
  }
  const leadsWithZero = text.charCodeAt(start) === 48;
  if (leadsWithZero && (length > start + 1 || negative)) return null;
  return negative ? -value : value;
}

function isInteger64(text: ByteString): boolean {
  if (text.length < 16 || text.length > 20 || !/^-?[1-9]\d*$/.test(text)) return false;
  const value = BigInt(text);
  return value >= -(2n ** 63n) && value < 2n ** 63n;
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
