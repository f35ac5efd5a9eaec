/** Where the plain values of an Arrow array stand in memory. */
import type { Data } from 'apache-arrow';
import type { ByteSlots, LogicalType, NumberSlots, ValueSlots } from '../core/types.ts';
import { isDateInMilliseconds } from './arrow-types.ts';

/** `first` is 0: that of the array. Null where values have to be made: decimals, float16, INT96, views, nested ones. */
export function valueSlots(data: Data, type: LogicalType): ValueSlots | null {
  if (data.dictionary !== undefined) return null;
  const values = slotsOf(data, type);
  if (values === null) return null;
  const bits = data.nullBitmap as Uint8Array | undefined;
  const valid = bits === undefined || bits.length === 0 || data.nullCount === 0 ? null : bits;
  return { first: values.kind === 'bits' ? data.offset : 0, valid, validFirst: data.offset, values };
}

function slotsOf(data: Data, type: LogicalType): NumberSlots | ByteSlots | null {
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
    case 'utf8':
      return textSlots(data);
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

function halvesOf(values: BigInt64Array | BigUint64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

/** Text with offsets into one buffer; null for the view layouts, and past what 31 bits reach. */
function textSlots(data: Data): ByteSlots | null {
  const { valueOffsets, values } = data;
  if (!(values instanceof Uint8Array) || values.length > 0x7fffffff) return null;
  const { bytes, start } = whole(values);
  if (valueOffsets instanceof Int32Array)
    return { kind: 'bytes', bytes, start, offsets: valueOffsets, step: 1 };
  const wide: unknown = valueOffsets;
  if (!(wide instanceof BigInt64Array)) return null;
  return { kind: 'bytes', bytes, start, offsets: halvesOf(wide), step: 2 };
}

const wholes = new WeakMap<ArrayBufferLike, Uint8Array>();

/** The same bytes for all columns that stand in one buffer: whoever copies from them keeps a view of the last ones. */
function whole(values: Uint8Array): { readonly bytes: Uint8Array; readonly start: number } {
  const { buffer, byteOffset } = values;
  let bytes = wholes.get(buffer);
  if (bytes === undefined) {
    bytes = new Uint8Array(buffer);
    wholes.set(buffer, bytes);
  }
  return { bytes, start: byteOffset };
}
