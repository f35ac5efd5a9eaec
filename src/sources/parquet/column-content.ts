/** Values by logical type, from the arrays that pages are put into. */
import type { ByteSlots, LogicalType, NumberSlots, Value, ValueSlots } from '../../core/types.ts';
import {
  areAllUtf8,
  type BytePlaces,
  bigEndianReader,
  bigintReader,
  bitReader,
  bytesReader,
  elementReader,
  halfReader,
  int96Reader,
  isTextAt,
  latin1,
  placedText,
  type Reader,
  toBuffer,
  uuidReader,
} from '../decoded-column.ts';
import { PHYSICAL } from './elements.ts';
import type { FlatColumn } from './flat-schema.ts';
import { type BytePlace, createTextArrays, type TextValues } from './text-arrays.ts';
import { createBitArrays, createFixedArrays, type ValueArrays } from './value-arrays.ts';

/** What values are, without their nulls. */
export interface Content {
  readonly read: Reader;
  readonly slots: ValueSlots['values'] | null;
  readonly places: BytePlaces | null;
  readonly isText: ((index: number) => boolean) | null;
}

/** Those of a column, and what their values are. */
export interface TypedArrays {
  readonly values: ValueArrays<unknown>;
  readonly content: () => Content;
  readonly dictionaryContent: () => Content;
  /** That rows which all have codes are left so; numbers are moved to their rows for less than a look at each costs later. */
  readonly keepsCodes: boolean;
}

export function arraysOf({ physical, width, type }: FlatColumn): TypedArrays {
  if (physical === PHYSICAL.boolean) return { ...arrays(createBitArrays(), bitsContent), keepsCodes: false };
  if (physical === PHYSICAL.byteArray) {
    return arrays(createTextArrays(), (values) => textContent(type, values));
  }
  const values = createFixedArrays(width);
  if (type.kind === 'null') return arrays(values, () => NO_CONTENT);
  if (physical === PHYSICAL.fixed || physical === PHYSICAL.int96) {
    return arrays(values, (bytes) => fixedContent(type, width, bytes));
  }
  return { ...arrays(values, (bytes) => numberContent(type, physical, bytes)), keepsCodes: false };
}

function arrays<Values>(values: ValueArrays<Values>, contentOf: (values: Values) => Content): TypedArrays {
  return {
    values,
    content: () => contentOf(values.result()),
    dictionaryContent: () => contentOf(values.dictionary()),
    keepsCodes: true,
  };
}

const NO_CONTENT: Content = { read: () => null, slots: null, places: null, isText: null };

function bitsContent(bits: Uint8Array): Content {
  return { read: bitReader(bits, 0), slots: { kind: 'bits', bits }, places: null, isText: null };
}

function textContent(type: LogicalType, { bytes, offsets, apart }: TextValues): Content {
  const places: BytePlaces = {
    bytes: toBuffer(bytes),
    start: (index) => offsets[index]!,
    end: (index) => offsets[index + 1]!,
  };
  const together = bytesReader(places);
  const read = apart === null ? together : apartReader(apart, together);
  if (type.kind === 'decimal') {
    return { read: bigEndianReader(read), slots: null, places: null, isText: null };
  }
  if (apart !== null) {
    const isText = type.kind === 'utf8' ? apartText(apart, placedText(places)) : null;
    return { read, slots: null, places: null, isText };
  }
  if (type.kind !== 'utf8') return { read, slots: null, places, isText: null };
  const slots: ByteSlots = { kind: 'bytes', bytes, start: 0, offsets, step: 1 };
  return { read, slots, places, isText: placedText(places) };
}

function apartText(
  apart: ReadonlyMap<number, BytePlace>,
  others: (index: number) => boolean,
): (index: number) => boolean {
  return (index) => {
    const place = apart.get(index);
    return place === undefined ? others(index) : isTextAt(place.bytes, place.start, place.end);
  };
}

function apartReader(apart: ReadonlyMap<number, BytePlace>, others: Reader): Reader {
  return (index) => {
    const place = apart.get(index);
    return place === undefined ? others(index) : latin1(toBuffer(place.bytes), place.start, place.end);
  };
}

function fixedContent(type: LogicalType, width: number, bytes: Uint8Array): Content {
  const places: BytePlaces = {
    bytes: toBuffer(bytes),
    start: (index) => index * width,
    end: (index) => (index + 1) * width,
  };
  const read = bytesReader(places);
  if (type.kind === 'binary') return { read, slots: null, places, isText: null };
  return { read: fixedReader(type, bytes, read), slots: null, places: null, isText: null };
}

function fixedReader(type: LogicalType, bytes: Uint8Array, read: Reader): Reader {
  if (type.kind === 'uuid') return uuidReader(read);
  if (type.kind === 'timestamp') return int96Reader(bytes);
  return type.kind === 'float' ? halfReader(arrayOf(Uint16Array, bytes)) : bigEndianReader(read);
}

function numberContent(type: LogicalType, physical: number, bytes: Uint8Array): Content {
  const isSigned = type.kind !== 'int' || type.signed;
  if (physical === PHYSICAL.int64) {
    const values = arrayOf<BigInt64Array | BigUint64Array>(isSigned ? BigInt64Array : BigUint64Array, bytes);
    const halves: NumberSlots = { kind: 'halves', halves: arrayOf(Int32Array, bytes), signed: isSigned };
    const hasSlots = type.kind === 'int' || type.kind === 'timestamp' || type.kind === 'duration';
    return { read: elementReader(values), slots: hasSlots ? halves : null, places: null, isText: null };
  }
  const numbers = numbersOf(physical, isSigned, bytes);
  const isNumber = type.kind === 'int' || type.kind === 'float' || type.kind === 'date';
  if (!isNumber) return { read: bigintReader(numbers), slots: null, places: null, isText: null };
  return { read: elementReader(numbers), slots: { kind: 'numbers', numbers }, places: null, isText: null };
}

function numbersOf(physical: number, isSigned: boolean, bytes: Uint8Array): Numbers {
  if (physical === PHYSICAL.double) return arrayOf(Float64Array, bytes);
  if (physical === PHYSICAL.float) return arrayOf(Float32Array, bytes);
  return isSigned ? arrayOf(Int32Array, bytes) : arrayOf(Uint32Array, bytes);
}

type Numbers = Float64Array | Float32Array | Int32Array | Uint32Array;

interface ArrayType<Elements> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): Elements;
}

/** The same memory, which begins at a multiple of an element. */
function arrayOf<Elements>(Type: ArrayType<Elements>, bytes: Uint8Array): Elements {
  return new Type(bytes.buffer, bytes.byteOffset, bytes.length / Type.BYTES_PER_ELEMENT);
}

/** Values that are made are kept, as rows ask for the same ones; text is looked at once for all rows. */
export function shared(content: Content, size: number): Content {
  const { places, isText, read } = content;
  let known: Value[] | null = null;
  const isChecked = isText === null || places === null || size === 0 || areAllUtf8(places, 0, size);
  return {
    ...content,
    read: (index) => {
      known ??= new Array(size);
      known[index] ??= read(index);
      return known[index];
    },
    isText: isChecked ? null : isText,
  };
}
