/** The arrays of a column, and what of the core they are: values by logical type, and nulls. */
import type { ByteSlots, LogicalType, NumberSlots, Value, ValueSlots } from '../../core/types.ts';
import {
  areAllUtf8,
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
} from '../decoded-column.ts';
import { PHYSICAL } from './elements.ts';
import type { FlatColumn } from './flat-schema.ts';
import { type Codes, readCodes, takeRun } from './hybrid.ts';
import { type BytePlace, createTextArrays, type TextValues } from './text-arrays.ts';
import {
  createBitArrays,
  createFixedArrays,
  type PlainValues,
  type Presence,
  type ValueArrays,
} from './value-arrays.ts';

/** What the pages of a column are put into, of one batch after the other. */
export interface ColumnArrays {
  /** New arrays, of so many rows. */
  begin(rows: number): void;
  /** Null: there is none, or none any more. */
  setDictionary(values: PlainValues | null, count: number): void;
  /** Entries of the dictionary. */
  dictionarySize(): number;
  /** Which of the next `count` rows, from `at` on, have a value; `levels` null: all. */
  present(levels: Codes | null, count: number, at: number): Presence;
  /** Values of the next rows, the first of which is row `at`. Throws an Error where the page ends before. */
  takePlain(page: PlainValues, presence: Presence, at: number): void;
  /** As `takePlain`; `codes`: their places in the dictionary, or booleans. */
  putCodes(codes: Int32Array, presence: Presence, at: number): void;
  /** After the last value. Throws an Error where the page has bytes left, which belong to none. */
  finishPlain(page: PlainValues): void;
  result(): DecodedColumn;
  /** Bytes of the arrays up to now. */
  bytes(): number;
}

/** What values are, without their nulls. */
interface Content {
  readonly read: Reader;
  readonly slots: ValueSlots['values'] | null;
  readonly places: BytePlaces | null;
  readonly isText: ((index: number) => boolean) | null;
}

export function createColumnArrays(column: FlatColumn): ColumnArrays {
  const { values, content, dictionaryContent, keepsCodes } = arraysOf(column);
  let rows = 0;
  let valid: Uint8Array | null = null;
  let levels = new Int32Array(0);
  let dictionary: Content | null = null;
  /** By row; null: some rows of the batch have plain values. */
  let coded: Int32Array | null = null;
  let hasValues = false;

  /** Goes on with values themselves, after the first `count` rows had codes. */
  const useValues = (count: number): void => {
    if (hasValues) return;
    hasValues = true;
    values.begin(rows);
    const earlier = coded;
    coded = null;
    if (earlier === null) return;
    const presence = presentIn(valid, count);
    values.putCodes(compacted(earlier, presence), presence, 0);
  };
  return {
    begin: (count) => {
      rows = count;
      valid = null;
      coded = null;
      hasValues = false;
    },
    setDictionary: (plain, count) => {
      values.setDictionary(plain, count);
      dictionary = null;
    },
    dictionarySize: values.dictionarySize,
    present: (codes, count, at) => {
      const run = codes === null ? 1 : takeRun(codes, count);
      if (run === 1 || codes === null) return { rows: count, values: count, levels: null };
      if (levels.length < count) levels = new Int32Array(count);
      if (run < 0) readCodes(codes, levels, count);
      else levels.fill(run, 0, count);
      let present = 0;
      for (let i = 0; i < count; i++) present += levels[i]! & 1;
      if (present === count) return { rows: count, values: count, levels: null };
      valid ??= new Uint8Array(Math.ceil(rows / 8)).fill(0xff);
      markNulls(valid, levels, count, at);
      return { rows: count, values: present, levels };
    },
    takePlain: (page, presence, at) => {
      useValues(at);
      values.takePlain(page, presence, at);
    },
    putCodes: (codes, presence, at) => {
      if (hasValues || !keepsCodes) {
        useValues(at);
        values.putCodes(codes, presence, at);
        return;
      }
      coded ??= new Int32Array(rows);
      spreadCodes(codes, presence, coded, at);
    },
    finishPlain: values.finishPlain,
    result: () => {
      const isNull = valid === null ? null : nullFinder(valid, 0);
      const slotsOf = (held: ValueSlots['values'] | null, codes: Int32Array | null): ValueSlots | null =>
        held && { first: 0, codes, valid, validFirst: 0, values: held };
      const { name, type } = column;
      if (coded === null) {
        useValues(0);
        const { read, slots, places, isText } = content();
        return {
          name,
          type,
          read: orNull(read, isNull),
          slots: slotsOf(slots, null),
          places,
          isNull,
          isText,
        };
      }
      dictionary ??= shared(dictionaryContent(), values.dictionarySize());
      const { read, slots, isText } = dictionary;
      const codes = coded;
      return {
        name,
        type,
        read: orNull((index) => read(codes[index]!), isNull),
        slots: slotsOf(slots, codes),
        places: null,
        isNull,
        isText: isText && ((index) => isText(codes[index]!)),
      };
    },
    bytes: () => (coded === null ? values.bytes() : coded.length * 4),
  };
}

/** Of the first rows of a batch; `valid` null: all. */
function presentIn(valid: Uint8Array | null, rows: number): Presence {
  if (valid === null) return { rows, values: rows, levels: null };
  const isNull = nullFinder(valid, 0);
  const levels = Int32Array.from({ length: rows }, (_, row) => (isNull(row) ? 0 : 1));
  return { rows, values: levels.reduce((sum, level) => sum + level, 0), levels };
}

/** The codes of rows that have one, one after the other. */
function compacted(codes: Int32Array, { rows, levels }: Presence): Int32Array {
  return codes.subarray(0, rows).filter((_, row) => levels === null || levels[row] === 1);
}

function spreadCodes(
  codes: Int32Array,
  { rows, values, levels }: Presence,
  out: Int32Array,
  at: number,
): void {
  if (levels === null) {
    out.set(codes.subarray(0, values), at);
    return;
  }
  for (let row = 0, next = 0; row < rows; row++) if (levels[row] !== 0) out[at + row] = codes[next++]!;
}

/** Takes the bits of rows without a value, the first of which has bit `at`. */
function markNulls(valid: Uint8Array, levels: Int32Array, count: number, at: number): void {
  for (let i = 0; i < count; i++) if (levels[i] === 0) valid[(at + i) >> 3]! &= ~(1 << ((at + i) & 7));
}

/** Values that are made are kept, as rows ask for the same ones; text is looked at once for all rows. */
function shared(content: Content, size: number): Content {
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

interface Arrays {
  readonly values: ValueArrays<unknown>;
  readonly content: () => Content;
  readonly dictionaryContent: () => Content;
  /** That rows which all have codes are left so; numbers are moved to their rows for less than a look at each costs later. */
  readonly keepsCodes: boolean;
}

function arraysOf({ physical, width, type }: FlatColumn): Arrays {
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

function arrays<Values>(values: ValueArrays<Values>, contentOf: (values: Values) => Content): Arrays {
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
