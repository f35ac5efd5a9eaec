/** Where the plain values of an Arrow array stand in memory. */
import { type Data, DataType } from 'apache-arrow';
import type { ByteSlots, ListSlots, NumberSlots, ValueSlots, ViewSlots } from '../core/slots.ts';
import type { LogicalType } from '../core/types.ts';
import { isDateInMilliseconds } from './arrow-types.ts';

/** `first` is 0: that of the array. Null where values have to be made: decimals, float16, INT96, nested ones. */
export function valueSlots(data: Data, type: LogicalType): ValueSlots | null {
  if (data.dictionary !== undefined) return codedSlots(data, data.dictionary.data, type);
  const values = slotsOf(data, type);
  if (values === null) return null;
  // Of bools and of lists of one length nothing else says where they begin.
  const first = values.kind === 'bits' || (values.kind === 'lists' && !values.offsets) ? data.offset : 0;
  return { first, codes: null, valid: validOf(data), validFirst: data.offset, values };
}

function validOf({ nullBitmap, nullCount }: Data): Uint8Array | null {
  const bits = nullBitmap as Uint8Array | undefined;
  return bits === undefined || bits.length === 0 || nullCount === 0 ? null : bits;
}

/** Null for a dictionary that has nulls, or several arrays as one that has grown by deltas. */
function codedSlots(data: Data, dictionary: readonly Data[], type: LogicalType): ValueSlots | null {
  const [only] = dictionary;
  const slots = only === undefined || dictionary.length > 1 ? null : valueSlots(only, type);
  const codes = codesOf(data.values);
  if (slots === null || slots.codes !== null || slots.valid !== null || slots.first > 0) return null;
  return codes && { first: 0, codes, valid: validOf(data), validFirst: data.offset, values: slots.values };
}

/** Null for those of 64 bits. */
function codesOf(keys: unknown): Int32Array | null {
  if (keys instanceof Int32Array) return keys;
  const isNarrow =
    keys instanceof Int8Array ||
    keys instanceof Uint8Array ||
    keys instanceof Int16Array ||
    keys instanceof Uint16Array ||
    keys instanceof Uint32Array;
  return isNarrow ? new Int32Array(keys) : null;
}

function slotsOf(data: Data, type: LogicalType): ValueSlots['values'] | null {
  switch (type.kind) {
    case 'bool':
      return { kind: 'bits', bits: data.values as Uint8Array };
    case 'int':
    case 'duration':
    case 'timestamp':
      return integerSlots(data.values, type.kind === 'int');
    case 'date':
      return isDateInMilliseconds(data.type) ? null : integerSlots(data.values, false);
    case 'float':
      return data.values instanceof Float64Array || data.values instanceof Float32Array
        ? { kind: 'numbers', numbers: data.values }
        : null;
    case 'list':
      return listSlots(data, type.size);
    case 'utf8':
      return DataType.isUtf8View(data.type) ? viewsOf(data) : textSlots(data);
    default:
      return null;
  }
}

/** `narrow`: of 8 bits too; else bytes are those of wider values, such as INT96. */
function integerSlots(values: unknown, narrow: boolean): NumberSlots | null {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return { kind: 'halves', halves: halvesOf(values), signed: values instanceof BigInt64Array };
  }
  if (
    (narrow && (values instanceof Int8Array || values instanceof Uint8Array)) ||
    values instanceof Int16Array ||
    values instanceof Uint16Array ||
    values instanceof Int32Array ||
    values instanceof Uint32Array
  ) {
    return { kind: 'numbers', numbers: values };
  }
  return null;
}

/** Null for lists of other items than floats, or with nulls among them. */
function listSlots(data: Data, size: number | null): ListSlots | null {
  const items = data.children[0]!;
  const numbers: unknown = items.values;
  const isFloats = numbers instanceof Float32Array || numbers instanceof Float64Array;
  if (!isFloats || items.dictionary !== undefined || items.nullCount > 0) return null;
  if (size !== null) return { kind: 'lists', numbers, offsets: null, step: size };
  const offsets: unknown = data.valueOffsets;
  if (offsets instanceof Int32Array) return { kind: 'lists', numbers, offsets, step: 1 };
  if (!(offsets instanceof BigInt64Array) || numbers.length > 0x7fffffff) return null;
  return { kind: 'lists', numbers, offsets: halvesOf(offsets), step: 2 };
}

function halvesOf(values: BigInt64Array | BigUint64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

/** Null where it stands at no multiple of four bytes. */
function viewsOf({ values, variadicBuffers: buffers }: Data): ViewSlots | null {
  const bytes: unknown = values;
  if (!(bytes instanceof Uint8Array) || bytes.byteOffset % 4 !== 0) return null;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  return { kind: 'views', words, bytes, buffers };
}

/** Text with offsets into one buffer; null past what 31 bits reach. */
function textSlots(data: Data): ByteSlots | null {
  const { valueOffsets, values } = data;
  if (!(values instanceof Uint8Array) || values.length > 0x7fffffff) return null;
  if (valueOffsets instanceof Int32Array)
    return { kind: 'bytes', bytes: values, start: 0, offsets: valueOffsets, step: 1 };
  const wide: unknown = valueOffsets;
  if (!(wide instanceof BigInt64Array)) return null;
  return { kind: 'bytes', bytes: values, start: 0, offsets: halvesOf(wide), step: 2 };
}
