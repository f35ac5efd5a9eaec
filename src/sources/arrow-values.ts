import { type Data, DataType, type RecordBatch, type Vector } from 'apache-arrow';
import { IN_VIEW } from '../core/slots.ts';
import type { LogicalType, Value } from '../core/types.ts';
import { isDateInMilliseconds } from './arrow-types.ts';
import {
  type BytePlaces,
  bigEndianReader,
  bigintReader,
  bitReader,
  bytesReader,
  type DecodedColumn,
  elementReader,
  halfReader,
  int96Reader,
  isTextAt,
  latin1,
  nullFinder,
  orNull,
  placedText,
  type Reader,
  toBuffer,
  uuidReader,
} from './decoded-column.ts';
import type { DecodedRows } from './typed-batch.ts';
import type { TypedSelection } from './typed-columns.ts';
import { valueSlots } from './value-slots.ts';

type Bytes = Uint8Array;

const MS_PER_DAY = 86_400_000;

/** The columns of a record batch that are wanted. */
export function arrowRows(batch: RecordBatch, selection: readonly TypedSelection[]): DecodedRows {
  const columns = selection.map(({ index, name, type }) =>
    arrowColumn(batch.data.children[index]!, name, type),
  );
  return { count: batch.numRows, columns };
}

function arrowColumn(data: Data, name: string, type: LogicalType): DecodedColumn {
  const inOne = (type.kind === 'utf8' || type.kind === 'binary') && data.dictionary === undefined;
  const places = inOne ? bytePlaces(data) : null;
  return {
    name,
    type,
    read: valueReader(data, type),
    slots: valueSlots(data, type),
    places,
    isNull: nullsOf(data),
    // checkBatch looks at those of a dictionary.
    isText: type.kind === 'utf8' && data.dictionary === undefined ? textCheck(data, places) : null,
  };
}

function textCheck(data: Data, places: BytePlaces | null): (index: number) => boolean {
  if (places !== null) return placedText(places);
  const { length, place } = viewSlots(data)!;
  return (index) => {
    const { bytes, start } = place(index);
    return isTextAt(bytes!, start, start + length(index));
  };
}

/**
 * Compiles the reader of an array. `type` is what logicalType said of its field. Values are read from the
 * buffers: apache-arrow's own `get` turns times into milliseconds and text into UTF-16.
 */
export function valueReader(data: Data, type: LogicalType): Reader {
  const { dictionary } = data;
  const read = dictionary === undefined ? plainReader(data, type) : dictionaryReader(data, dictionary, type);
  return orNull(read, nullsOf(data));
}

function plainReader(data: Data, type: LogicalType): Reader {
  switch (type.kind) {
    case 'null':
      return () => null;
    case 'bool':
      return bitReader(data.values as Bytes, data.offset);
    case 'int':
      return type.bits < 64 ? elementReader(data.values) : bigintReader(data.values);
    case 'time':
    case 'duration':
      return bigintReader(data.values);
    case 'timestamp':
      return isFixed(data, 12) ? int96Reader(bytesOf(data.values)) : bigintReader(data.values);
    case 'float':
      return type.bits === 16 ? halfReader(data.values as Uint16Array) : elementReader(data.values);
    case 'date':
      return dateReader(data);
    case 'decimal':
      return decimalReader(data);
    case 'utf8':
    case 'binary':
      return byteReader(data);
    case 'uuid':
      return uuidReader(byteReader(data));
    case 'list':
      return listReader(data, type.item, type.size);
    case 'struct':
      return structReader(data, type.fields);
    case 'map':
      return mapReader(data, type.key, type.value);
  }
}

export function nullsOf(data: Data): ((index: number) => boolean) | null {
  const bits = data.nullBitmap as Bytes | undefined;
  if (bits === undefined || bits.length === 0 || data.nullCount === 0) return null;
  return nullFinder(bits, data.offset);
}

function dateReader(data: Data): Reader {
  const values = data.values as ArrayLike<number> | BigInt64Array;
  if (!isDateInMilliseconds(data.type)) return (index) => values[index]!;
  return (index) => Math.floor(Number(values[index]!) / MS_PER_DAY);
}

/** The unscaled value: Arrow decimals are little-endian words, overridden Parquet ones big-endian bytes. */
function decimalReader(data: Data): Reader {
  const width = (data.type as { bitWidth?: number }).bitWidth;
  if (width === undefined) {
    return bigEndianReader(byteReader(data));
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

/** Where each value of a text or binary array lies; null for the view layouts, which have many buffers. */
export function bytePlaces(data: Data): BytePlaces | null {
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
  return bytesReader(bytePlaces(data)!);
}

export interface ViewSlots {
  readonly length: (index: number) => number;
  /** The first four bytes of a value of more than IN_VIEW. */
  readonly head: (index: number) => number;
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (index: number, which: number): number => view.getInt32(index * 16 + which * 4, true);
  const length = (index: number): number => word(index, 0);
  return {
    length,
    head: (index) => word(index, 1),
    place: (index) => {
      if (length(index) <= IN_VIEW) return { bytes, start: index * 16 + 4 };
      return { bytes: buffers[word(index, 2)], start: word(index, 3) };
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
