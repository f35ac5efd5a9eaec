/** A column of decoded rows, free of the library or the code that decoded it, and the readers that both have. */
import { isUtf8 } from 'node:buffer';
import type { ValueSlots } from '../core/slots.ts';
import type { ByteString, LogicalType, Value } from '../core/types.ts';

/** The value at an index of one array. */
export type Reader = (index: number) => Value;

export interface BytePlaces {
  readonly start: (index: number) => number;
  readonly end: (index: number) => number;
  readonly bytes: Buffer;
}

export interface DecodedColumn {
  readonly name: string;
  readonly type: LogicalType;
  readonly read: Reader;
  readonly slots: ValueSlots | null;
  /** Where each value of text or plain bytes lies in one buffer, in order; null: in several, or of another type. */
  readonly places: BytePlaces | null;
  /** Null: none is. */
  readonly isNull: ((index: number) => boolean) | null;
  /** Whether the text at an index, which has one, is UTF-8; else its row is a fault. Null: it is known to be, or is no text. */
  readonly isText: ((index: number) => boolean) | null;
}

const JULIAN_UNIX_EPOCH = 2440588n;
const NS_PER_DAY = 86_400_000_000_000n;

export function orNull(read: Reader, isNull: ((index: number) => boolean) | null): Reader {
  return isNull === null ? read : (index) => (isNull(index) ? null : read(index));
}

/** A bit a value, set where there is one, least significant first; that of index 0 at `offset`. */
export function nullFinder(bits: Uint8Array, offset: number): (index: number) => boolean {
  return (index) => (bits[(offset + index) >> 3]! & (1 << ((offset + index) & 7))) === 0;
}

export function bitReader(bits: Uint8Array, offset: number): Reader {
  return (index) => (bits[(offset + index) >> 3]! & (1 << ((offset + index) & 7))) !== 0;
}

/** As they stand in the array: numbers, or bigints of 64 bits. */
export function elementReader(values: ArrayLike<number | bigint>): Reader {
  return (index) => values[index]!;
}

/** As bigint, which 64-bit arrays hold anyway. */
export function bigintReader(values: ArrayLike<number> | BigInt64Array | BigUint64Array): Reader {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return elementReader(values);
  return (index) => BigInt(values[index]!);
}

/** IEEE 754 binary16, as its bits. */
export function halfReader(values: Uint16Array): Reader {
  return (index) => {
    const bits = values[index]!;
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  };
}

/** INT96 of Parquet, 12 bytes a value: nanoseconds since 1970, exact over its whole range. */
export function int96Reader(bytes: Uint8Array): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (index) => {
    const ofDay = view.getBigInt64(index * 12, true);
    const day = BigInt(view.getInt32(index * 12 + 8, true)) - JULIAN_UNIX_EPOCH;
    return day * NS_PER_DAY + ofDay;
  };
}

/** Whether all of some texts are: those that are valid together are valid apart unless one begins inside a character. */
export function areAllUtf8({ bytes, start, end }: BytePlaces, first: number, last: number): boolean {
  if (!isUtf8(bytes.subarray(start(first), end(last - 1)))) return false;
  for (let index = first; index < last; index++) {
    if ((bytes[start(index)]! & 0xc0) === 0x80) return false;
  }
  return true;
}

export function placedText({ bytes, start, end }: BytePlaces): (index: number) => boolean {
  return (index) => isTextAt(bytes, start(index), end(index));
}

/** Bytes up to which a look at each costs less than a native call. */
const SHORT = 32;

export function isTextAt(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > SHORT) return isUtf8(bytes.subarray(start, end));
  for (let i = start; i < end; i++) if (bytes[i]! >= 0x80) return isUtf8(bytes.subarray(start, end));
  return true;
}

export function bytesReader({ bytes, start, end }: BytePlaces): Reader {
  return (index) => latin1(bytes, start(index), end(index));
}

/** Two's complement, most significant byte first. */
export function bigEndianReader(read: Reader): Reader {
  return (index) => {
    const bytes = read(index) as ByteString;
    if (bytes.length === 0) return 0n;
    const value = BigInt(`0x${Buffer.from(bytes, 'latin1').toString('hex')}`);
    return BigInt.asIntN(bytes.length * 8, value);
  };
}

/** The text of a UUID from its 16 bytes. */
export function uuidReader(read: Reader): Reader {
  return (index) => {
    const hex = Buffer.from(read(index) as ByteString, 'latin1').toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}

export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `toString('latin1', start, end)` in one native call; node has it, its types do not. */
export function latin1(bytes: Buffer, start: number, end: number): ByteString {
  return (bytes as Buffer & { latin1Slice(start: number, end: number): string }).latin1Slice(start, end);
}
