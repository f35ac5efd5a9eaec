/** The arrays of a column, and what of the core they are: values by logical type, and nulls. */
import type { LogicalType, NumberSlots, ValueSlots } from '../../core/types.ts';
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
  latin1,
  nullFinder,
  orNull,
  type Reader,
  toBuffer,
  uuidReader,
} from '../decoded-column.ts';
import { PHYSICAL } from './elements.ts';
import type { FlatColumn } from './flat-schema.ts';
import type { Codes } from './hybrid.ts';
import { type BytePlace, createTextArrays, type TextValues } from './text-arrays.ts';
import { createBitArrays, createFixedArrays, type Presence, type ValueArrays } from './value-arrays.ts';

export interface ColumnArrays {
  readonly values: ValueArrays;
  /** New arrays, of so many rows. */
  begin(rows: number): void;
  /** Which of the next `count` rows, from `at` on, have a value; `levels` null: all. */
  present(levels: Codes | null, count: number, at: number): Presence;
  result(): DecodedColumn;
}

/** What the values of one batch are, without their nulls. */
interface Content {
  readonly read: Reader;
  readonly slots: ValueSlots['values'] | null;
  readonly places: BytePlaces | null;
}

export function createColumnArrays(column: FlatColumn): ColumnArrays {
  const { values, content } = arraysOf(column);
  let rows = 0;
  let valid: Uint8Array | null = null;
  let levels = new Int32Array(0);
  const markNulls = (count: number, at: number): void => {
    valid ??= new Uint8Array(Math.ceil(rows / 8)).fill(0xff);
    for (let i = 0; i < count; i++) if (levels[i] === 0) valid[(at + i) >> 3]! &= ~(1 << ((at + i) & 7));
  };
  return {
    values,
    begin: (count) => {
      rows = count;
      valid = null;
      values.begin(count);
    },
    present: (codes, count, at) => {
      const run = codes === null ? 1 : codes.takeRun(count);
      if (run === 1 || codes === null) return { rows: count, values: count, levels: null };
      if (levels.length < count) levels = new Int32Array(count);
      if (run < 0) codes.read(levels, count);
      else levels.fill(run, 0, count);
      let present = 0;
      for (let i = 0; i < count; i++) present += levels[i]! & 1;
      if (present === count) return { rows: count, values: count, levels: null };
      markNulls(count, at);
      return { rows: count, values: present, levels };
    },
    result: () => {
      const { read, slots, places } = content();
      const isNull = valid === null ? null : nullFinder(valid, 0);
      return {
        name: column.name,
        type: column.type,
        read: orNull(read, isNull),
        slots: slots && { first: 0, valid, validFirst: 0, values: slots },
        places,
        isNull,
        isRawText: column.type.kind === 'utf8',
      };
    },
  };
}

interface Arrays {
  readonly values: ValueArrays;
  readonly content: () => Content;
}

function arraysOf({ physical, width, type }: FlatColumn): Arrays {
  if (physical === PHYSICAL.boolean) {
    const values = createBitArrays();
    return { values, content: () => bitsContent(values.result()) };
  }
  if (physical === PHYSICAL.byteArray) {
    const values = createTextArrays();
    return { values, content: () => textContent(type, values.result()) };
  }
  const values = createFixedArrays(width);
  if (type.kind === 'null') return { values, content: () => NO_CONTENT };
  if (physical === PHYSICAL.fixed || physical === PHYSICAL.int96) {
    return { values, content: () => fixedContent(type, width, values.result()) };
  }
  return { values, content: () => numberContent(type, physical, values.result()) };
}

const NO_CONTENT: Content = { read: () => null, slots: null, places: null };

function bitsContent(bits: Uint8Array): Content {
  return { read: bitReader(bits, 0), slots: { kind: 'bits', bits }, places: null };
}

function textContent(type: LogicalType, { bytes, offsets, apart }: TextValues): Content {
  const places: BytePlaces = {
    bytes: toBuffer(bytes),
    start: (index) => offsets[index]!,
    end: (index) => offsets[index + 1]!,
  };
  const together = bytesReader(places);
  const read = apart === null ? together : apartReader(apart, together);
  if (type.kind === 'decimal') return { read: bigEndianReader(read), slots: null, places: null };
  if (apart !== null) return { read, slots: null, places: null };
  if (type.kind !== 'utf8') return { read, slots: null, places };
  return { read, slots: { kind: 'bytes', bytes, start: 0, offsets, step: 1 }, places };
}

function apartReader(apart: ReadonlyMap<number, BytePlace>, others: Reader): Reader {
  return (index) => {
    const place = apart.get(index);
    return place === undefined ? others(index) : latin1(toBuffer(place.bytes), place.start, place.end);
  };
}

function fixedContent(type: LogicalType, width: number, buffer: ArrayBuffer): Content {
  const places: BytePlaces = {
    bytes: Buffer.from(buffer),
    start: (index) => index * width,
    end: (index) => (index + 1) * width,
  };
  const read = bytesReader(places);
  if (type.kind === 'binary') return { read, slots: null, places };
  return { read: fixedReader(type, buffer, read), slots: null, places: null };
}

function fixedReader(type: LogicalType, buffer: ArrayBuffer, read: Reader): Reader {
  if (type.kind === 'uuid') return uuidReader(read);
  if (type.kind === 'timestamp') return int96Reader(new Uint8Array(buffer));
  return type.kind === 'float' ? halfReader(new Uint16Array(buffer)) : bigEndianReader(read);
}

function numberContent(type: LogicalType, physical: number, buffer: ArrayBuffer): Content {
  const isSigned = type.kind !== 'int' || type.signed;
  if (physical === PHYSICAL.int64) {
    const values = isSigned ? new BigInt64Array(buffer) : new BigUint64Array(buffer);
    const halves: NumberSlots = { kind: 'halves', halves: new Int32Array(buffer), signed: isSigned };
    const hasSlots = type.kind === 'int' || type.kind === 'timestamp' || type.kind === 'duration';
    return { read: elementReader(values), slots: hasSlots ? halves : null, places: null };
  }
  const numbers = numbersOf(physical, isSigned, buffer);
  const isNumber = type.kind === 'int' || type.kind === 'float' || type.kind === 'date';
  if (!isNumber) return { read: bigintReader(numbers), slots: null, places: null };
  return { read: elementReader(numbers), slots: { kind: 'numbers', numbers }, places: null };
}

function numbersOf(physical: number, isSigned: boolean, buffer: ArrayBuffer): Numbers {
  if (physical === PHYSICAL.double) return new Float64Array(buffer);
  if (physical === PHYSICAL.float) return new Float32Array(buffer);
  return isSigned ? new Int32Array(buffer) : new Uint32Array(buffer);
}

type Numbers = Float64Array | Float32Array | Int32Array | Uint32Array;
