/**
 * Hashes as RDB payloads for RESTORE: a listpack (type 16) while names and values are short, as Redis keeps
 * them itself, else plain pairs (type 4), which the server puts into the form that its settings ask for.
 * https://github.com/antirez/listpack/blob/master/listpack.md and rdb.c, listpack.c of Redis 7.
 */
import type { ByteString } from '../core/types.ts';
import { isInArena, putArenaCrc64, putCrc64 } from './crc64.ts';
import { putRange } from './resp.ts';
import { createViewer, putSpan, putWords, WORD_SLACK, type Words, wordsOf } from './words.ts';

/** Readable by Redis 7.0 and every later one. */
const RDB_VERSION = 10;
export const TYPE_HASH = 4;
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
export const PAYLOAD_OVERHEAD = 40 + WORD_SLACK;

/** A field name in the two forms that it takes, made once. */
export interface PayloadName {
  readonly text: ByteString;
  /** Its bytes as a listpack entry; null where it is too long for one. */
  readonly entry: Words | null;
}

export function payloadName(text: ByteString, limits: ListpackLimits): PayloadName {
  if (text.length > limits.valueBytes) return { text, entry: null };
  const bytes = Buffer.from(text, 'latin1');
  const entry = Buffer.alloc(text.length + 24);
  const end = putEntry(entry, viewOf(entry), 0, bytes, viewOf(bytes), 0, bytes.length);
  return { text, entry: wordsOf(entry.subarray(0, end)) };
}

/** The fields of a hash: with f = features[i], the i-th is names[f] with the value sources[f][starts[i] .. ends[i]). */
export interface HashFields {
  readonly count: number;
  readonly features: ArrayLike<number>;
  readonly sources: readonly Uint8Array[];
  /** A view of each. */
  readonly views: readonly DataView[];
  readonly starts: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
}

const viewOf = createViewer();

/** Where the payload's bytes are in the arena of checksums, and of which bytes that is said; -1: not in it. */
let placed: { readonly bytes: Buffer; readonly offset: number } | null = null;

/** Writes the payload of a hash at `at` and gives the position after it. */
export function putPayload(
  buffer: Buffer,
  at: number,
  hash: HashFields,
  names: readonly PayloadName[],
  limits: ListpackLimits,
): number {
  let end = putListpack(buffer, at, hash, names, limits);
  if (end < 0) end = putPairs(buffer, at, hash, names);
  buffer[end] = RDB_VERSION;
  buffer[end + 1] = 0;
  if (placed?.bytes !== buffer)
    placed = { bytes: buffer, offset: isInArena(buffer) ? buffer.byteOffset : -1 };
  const { offset } = placed;
  if (offset < 0) putCrc64(buffer, at, end + 2);
  else putArenaCrc64(offset + at, offset + end + 2);
  return end + 10;
}

function putPairs(
  buffer: Buffer,
  at: number,
  { count, features, sources, starts, ends }: HashFields,
  names: readonly PayloadName[],
): number {
  buffer[at] = TYPE_HASH;
  let pos = putLength(buffer, at + 1, count);
  for (let i = 0; i < count; i += 1) {
    const feature = features[i]!;
    const { text } = names[feature]!;
    pos = putLength(buffer, pos, text.length);
    pos += buffer.latin1Write(text, pos);
    pos = putLength(buffer, pos, ends[i]! - starts[i]!);
    pos = putRange(buffer, pos, sources[feature]!, starts[i]!, ends[i]!);
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

/**
 * The listpack stands in a string; its length is known only afterwards, so five bytes are kept for it. -1: a name or
 * value is too long for one, or they are too many.
 */
function putListpack(
  buffer: Buffer,
  at: number,
  { count, features, sources, views, starts, ends }: HashFields,
  names: readonly PayloadName[],
  limits: ListpackLimits,
): number {
  if (count > limits.entries) return -1;
  const view = viewOf(buffer);
  buffer[at] = TYPE_HASH_LISTPACK;
  const list = at + 6;
  let pos = list + 6;
  for (let i = 0; i < count; i += 1) {
    const feature = features[i]!;
    const { entry } = names[feature]!;
    const start = starts[i]!;
    const end = ends[i]!;
    if (entry === null || end - start > limits.valueBytes) return -1;
    pos = putWords(view, pos, entry);
    pos = putEntry(buffer, view, pos, sources[feature]!, views[feature]!, start, end);
  }
  buffer[pos++] = 0xff;
  const bytes = pos - list;
  buffer[at + 1] = 0x80;
  view.setUint32(at + 2, bytes);
  view.setUint32(list, bytes, true);
  view.setUint16(list + 4, count * 2, true);
  return pos;
}

/** An entry of bytes[start .. end), which `source` is a view of. */
function putEntry(
  buffer: Buffer,
  view: DataView,
  at: number,
  bytes: Uint8Array,
  source: DataView,
  start: number,
  end: number,
): number {
  const number = smallInteger(bytes, start, end);
  if (!Number.isNaN(number)) return putInteger(buffer, view, at, number);
  const length = end - start;
  if (length >= 16 && length <= 20) {
    const integer = largeInteger(Buffer.from(bytes.subarray(start, end)).latin1Slice());
    if (integer !== null) return putBigInteger(buffer, view, at, integer);
  }
  let pos = at;
  if (length < 64) {
    buffer[pos++] = 0x80 | length;
  } else {
    // Names and values in a listpack are never longer than the 12 bits of this form.
    buffer[pos++] = 0xe0 | (length >> 8);
    buffer[pos++] = length & 0xff;
  }
  pos = putSpan(view, pos, source, start, end);
  return putBacklen(buffer, pos, pos - at);
}

/** An integer in its only text form, up to 15 digits; NaN otherwise. Redis keeps those as numbers. */
function smallInteger(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 15 || start === end) return Number.NaN;
  const negative = bytes[start] === 45;
  const first = negative ? start + 1 : start;
  if (first === end) return Number.NaN;
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

function putInteger(buffer: Buffer, view: DataView, at: number, value: number): number {
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
  if (value >= -32768 && value <= 32767) return putFixed(buffer, view, at, 0xf1, value, 2);
  if (value >= -8388608 && value <= 8388607) return putFixed(buffer, view, at, 0xf2, value, 3);
  if (value >= -2147483648 && value <= 2147483647) return putFixed(buffer, view, at, 0xf3, value, 4);
  return putBigInteger(buffer, view, at, BigInt(value));
}

/** The bytes behind the number's own are written over by what follows. */
function putFixed(
  buffer: Buffer,
  view: DataView,
  at: number,
  code: number,
  value: number,
  width: number,
): number {
  buffer[at] = code;
  view.setInt32(at + 1, value, true);
  buffer[at + 1 + width] = 1 + width;
  return at + 2 + width;
}

function putBigInteger(buffer: Buffer, view: DataView, at: number, value: bigint): number {
  buffer[at] = 0xf4;
  view.setBigInt64(at + 1, value, true);
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
