import { type Data, DataType, type Vector } from 'apache-arrow';
import type { ByteString, LogicalType, Value } from '../core/types.ts';
import { isDateInMilliseconds } from './arrow-types.ts';

/** The value at an index of one Arrow array. */
export type Reader = (index: number) => Value;

type Bytes = Uint8Array;

const JULIAN_UNIX_EPOCH = 2440588n;
const NS_PER_DAY = 86_400_000_000_000n;
const MS_PER_DAY = 86_400_000;

/**
 * Compiles the reader of an array. `type` is what logicalType said of its field. Values are read from the
 * buffers: apache-arrow's own `get` turns times into milliseconds and text into UTF-16.
 */
export function valueReader(data: Data, type: LogicalType): Reader {
  if (data.dictionary !== undefined) return withNulls(data, dictionaryReader(data, data.dictionary, type));
  return withNulls(data, plainReader(data, type));
}

function plainReader(data: Data, type: LogicalType): Reader {
  switch (type.kind) {
    case 'null':
      return () => null;
    case 'bool':
      return boolReader(data);
    case 'int':
    case 'time':
    case 'duration':
      return integerReader(data, type.kind === 'int' && type.bits < 64);
    case 'timestamp':
      return isFixed(data, 12) ? int96Reader(data) : integerReader(data, false);
    case 'float':
      return type.bits === 16 ? halfReader(data) : numberReader(data);
    case 'date':
      return dateReader(data);
    case 'decimal':
      return decimalReader(data);
    case 'utf8':
    case 'binary':
      return byteReader(data);
    case 'uuid':
      return uuidReader(data);
    case 'list':
      return listReader(data, type.item, type.size);
    case 'struct':
      return structReader(data, type.fields);
    case 'map':
      return mapReader(data, type.key, type.value);
  }
}

function withNulls(data: Data, read: Reader): Reader {
  const bits = data.nullBitmap as Bytes | undefined;
  if (bits === undefined || bits.length === 0 || data.nullCount === 0) return read;
  const { offset } = data;
  return (index) => {
    const at = offset + index;
    return (bits[at >> 3]! & (1 << (at & 7))) === 0 ? null : read(index);
  };
}

function boolReader(data: Data): Reader {
  const bits = data.values as Bytes;
  const { offset } = data;
  return (index) => (bits[(offset + index) >> 3]! & (1 << ((offset + index) & 7))) !== 0;
}

function numberReader(data: Data): Reader {
  const values = data.values as ArrayLike<number>;
  return (index) => values[index]!;
}

/** Integers of any width; 64-bit ones, and times of 32 bits, as bigint. */
function integerReader(data: Data, narrow: boolean): Reader {
  const values = data.values as ArrayLike<number> | BigInt64Array;
  if (narrow || values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return (index) => values[index]!;
  }
  return (index) => BigInt(values[index]!);
}

function dateReader(data: Data): Reader {
  const values = data.values as ArrayLike<number> | BigInt64Array;
  if (!isDateInMilliseconds(data.type)) return (index) => values[index]!;
  return (index) => Math.floor(Number(values[index]!) / MS_PER_DAY);
}

/** IEEE 754 binary16. */
function halfReader(data: Data): Reader {
  const values = data.values as Uint16Array;
  return (index) => {
    const bits = values[index]!;
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  };
}

/** The unscaled value: Arrow decimals are little-endian words, overridden Parquet ones big-endian bytes. */
function decimalReader(data: Data): Reader {
  const width = (data.type as { bitWidth?: number }).bitWidth;
  if (width === undefined) {
    const read = byteReader(data);
    return (index) => bigEndian(read(index) as ByteString);
  }
  const bytes = bytesOf(data.values);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = width / 8;
  return (index) => littleEndian(view, index * size, size);
}

function littleEndian(view: DataView, at: number, size: number): bigint {
  if (size === 4) return BigInt(view.getInt32(at, true));
  let value = view.getBigInt64(at + size - 8, true);
  for (let word = size - 16; word >= 0; word -= 8)
    value = (value << 64n) | view.getBigUint64(at + word, true);
  return value;
}

function bigEndian(bytes: ByteString): bigint {
  if (bytes.length === 0) return 0n;
  const value = BigInt(`0x${Buffer.from(bytes, 'latin1').toString('hex')}`);
  return BigInt.asIntN(bytes.length * 8, value);
}

/** Nanoseconds since 1970, exact over the whole range of INT96. */
function int96Reader(data: Data): Reader {
  const bytes = bytesOf(data.values);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (index) => {
    const ofDay = view.getBigInt64(index * 12, true);
    const day = BigInt(view.getInt32(index * 12 + 8, true)) - JULIAN_UNIX_EPOCH;
    return day * NS_PER_DAY + ofDay;
  };
}

export interface ByteSlots {
  readonly start: (index: number) => number;
  readonly end: (index: number) => number;
  readonly bytes: Buffer;
}

/** Where each value of a text or binary array lies; null for the view layouts, which have many buffers. */
export function byteSlots(data: Data): ByteSlots | null {
  if (isView(data)) return null;
  const bytes = toBuffer(bytesOf(data.values));
  const size = fixedSize(data);
  if (size !== null) return { bytes, start: (index) => index * size, end: (index) => (index + 1) * size };
  const offsets = data.valueOffsets as ArrayLike<number> | BigInt64Array;
  if (offsets instanceof BigInt64Array) {
    return { bytes, start: (index) => Number(offsets[index]!), end: (index) => Number(offsets[index + 1]!) };
  }
  return { bytes, start: (index) => offsets[index]!, end: (index) => offsets[index + 1]! };
}

export function byteReader(data: Data): Reader {
  const views = viewSlots(data);
  if (views !== null) return viewReader(views);
  const { bytes, start, end } = byteSlots(data)!;
  return (index) => latin1(bytes, start(index), end(index));
}

export interface ViewSlots {
  readonly length: (index: number) => number;
  /** Where the value's bytes begin; `bytes` is undefined where the view names a buffer that is not there. */
  readonly place: (index: number) => { readonly bytes: Buffer | undefined; readonly start: number };
}

/**
 * Values of the view layouts: 16 bytes each, the length and then up to 12 bytes of the value itself, or its
 * first 4 bytes, the buffer and the place in it. Null for another layout.
 * https://arrow.apache.org/docs/format/Columnar.html
 */
export function viewSlots(data: Data): ViewSlots | null {
  if (!isView(data)) return null;
  const bytes = toBuffer(bytesOf(data.values));
  const buffers = data.variadicBuffers.map(toBuffer);
  const length = (index: number): number => bytes.readInt32LE(index * 16);
  return {
    length,
    place: (index) => {
      if (length(index) <= 12) return { bytes, start: index * 16 + 4 };
      return { bytes: buffers[bytes.readInt32LE(index * 16 + 8)], start: bytes.readInt32LE(index * 16 + 12) };
    },
  };
}

function viewReader({ length, place }: ViewSlots): Reader {
  return (index) => {
    const { bytes, start } = place(index);
    // checkBatch has seen that the buffer is there.
    return latin1(bytes!, start, start + length(index));
  };
}

function uuidReader(data: Data): Reader {
  const read = byteReader(data);
  return (index) => {
    const hex = Buffer.from(read(index) as ByteString, 'latin1').toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}

function listReader(data: Data, item: LogicalType, size: number | null): Reader {
  const read = valueReader(data.children[0]!, item);
  if (size !== null) {
    const { offset } = data;
    return (index) => range((offset + index) * size, (offset + index + 1) * size, read);
  }
  const offsets = data.valueOffsets as ArrayLike<number> | BigInt64Array;
  return (index) => range(Number(offsets[index]!), Number(offsets[index + 1]!), read);
}

function range(start: number, end: number, read: Reader): Value[] {
  const values = new Array<Value>(Math.max(end - start, 0));
  for (let index = start; index < end; index++) values[index - start] = read(index);
  return values;
}

function structReader(data: Data, fields: readonly { readonly type: LogicalType }[]): Reader {
  const readers = fields.map((field, index) => valueReader(data.children[index]!, field.type));
  return (index) => readers.map((read) => read(index));
}

function mapReader(data: Data, key: LogicalType, value: LogicalType): Reader {
  const entries = data.children[0]!;
  const readKey = valueReader(entries.children[0]!, key);
  const readValue = valueReader(entries.children[1]!, value);
  const offsets = data.valueOffsets as Int32Array;
  const pair: Reader = (index) => [readKey(index), readValue(index)];
  return (index) => range(offsets[index]!, offsets[index + 1]!, pair);
}

/** A dictionary may have grown by deltas and then has several arrays. */
function dictionaryReader(data: Data, dictionary: Vector, type: LogicalType): Reader {
  const keys = data.values as ArrayLike<number> | BigInt64Array;
  const chunks = dictionary.data.map((chunk) => ({ length: chunk.length, read: valueReader(chunk, type) }));
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return (index) => only.read(Number(keys[index]!));
  return (index) => {
    let at = Number(keys[index]!);
    for (const chunk of chunks) {
      if (at < chunk.length) return chunk.read(at);
      at -= chunk.length;
    }
    throw new RangeError(`dictionary index ${Number(keys[index]!)} has no entry`);
  };
}

function isFixed(data: Data, size: number): boolean {
  return fixedSize(data) === size;
}

function fixedSize(data: Data): number | null {
  return (data.type as { byteWidth?: number }).byteWidth ?? null;
}

function isView(data: Data): boolean {
  return (
    data.dictionary === undefined && (DataType.isUtf8View(data.type) || DataType.isBinaryView(data.type))
  );
}

export function bytesOf(values: ArrayBufferView): Bytes {
  return new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
}

function toBuffer(bytes: Bytes): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `toString('latin1', start, end)` in one native call; node has it, its types do not. */
export function latin1(bytes: Buffer, start: number, end: number): ByteString {
  return (bytes as Buffer & { latin1Slice(start: number, end: number): string }).latin1Slice(start, end);
}
