/** Values by logical type, from the arrays that pages are put into. */
import type { ByteSlots, NumberSlots, ValueSlots } from '../../core/slots.ts';
import type { LogicalType, Value } from '../../core/types.ts';
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
import type { LeafType } from './leaf-type.ts';
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

export function arraysOf({ physical, width, type }: LeafType): TypedArrays {
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

/** To be added to: values that are only made one by one. */
const NO_CONTENT: Content = { read: () => null, slots: null, places: null, isText: null };

function bitsContent(bits: Uint8Array): Content {
  return { ...NO_CONTENT, read: bitReader(bits, 0), slots: { kind: 'bits', bits } };
}

function textContent(type: LogicalType, { bytes, offsets, apart }: TextValues): Content {
  if (apart !== null) return apartContent(type, { bytes, offsets, apart });
  const places: BytePlaces = {
    bytes: toBuffer(bytes),
    start: (index) => offsets[index]!,
    end: (index) => offsets[index + 1]!,
  };
  const read = bytesReader(places);
  if (type.kind === 'decimal') return { ...NO_CONTENT, read: bigEndianReader(read) };
  if (type.kind !== 'utf8') return { ...NO_CONTENT, read, places };
  const slots: ByteSlots = { kind: 'bytes', bytes, start: 0, offsets, step: 1 };
  return { read, slots, places, isText: placedText(places) };
}

/** Of which some stayed where they were. */
function apartContent(type: LogicalType, { bytes, offsets, apart }: TextValues): Content {
  const placeOf = (index: number): BytePlace =>
    apart?.get(index) ?? { bytes, start: offsets[index]!, end: offsets[index + 1]! };
  const read: Reader = (index) => {
    const { bytes: held, start, end } = placeOf(index);
    return latin1(toBuffer(held), start, end);
  };
  if (type.kind === 'decimal') return { ...NO_CONTENT, read: bigEndianReader(read) };
  if (type.kind !== 'utf8') return { ...NO_CONTENT, read };
  const isText = (index: number): boolean => {
    const { bytes: held, start, end } = placeOf(index);
    return isTextAt(held, start, end);
  };
  return { ...NO_CONTENT, read, isText };
}

function fixedContent(type: LogicalType, width: number, bytes: Uint8Array): Content {
  const places: BytePlaces = {
    bytes: toBuffer(bytes),
    start: (index) => index * width,
    end: (index) => (index + 1) * width,
  };
  const read = bytesReader(places);
  if (type.kind === 'binary') return { ...NO_CONTENT, read, places };
  return { ...NO_CONTENT, read: fixedReader(type, bytes, read) };
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
    return { ...NO_CONTENT, read: elementReader(values), slots: hasSlots ? halves : null };
  }
  const numbers = numbersOf(physical, isSigned, bytes);
  const isNumber = type.kind === 'int' || type.kind === 'float' || type.kind === 'date';
  if (!isNumber) return { ...NO_CONTENT, read: bigintReader(numbers) };
  return { ...NO_CONTENT, read: elementReader(numbers), slots: { kind: 'numbers', numbers } };
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
