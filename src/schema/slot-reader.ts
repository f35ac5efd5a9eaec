/** Writes typed values as they are stored, or finds those that stand so in memory, without a string of each. */
import type { ByteSlots, NumberSlots, TypedColumn, ValueSlots } from '../core/types.ts';
import type { PutNumber } from './codecs/put.ts';
import type { Place } from './places.ts';
import type { Settle, SpanReader } from './span-reader.ts';

export interface SlotForms {
  /** Of text; null: its values are made one by one. */
  readonly settle: Settle | null;
  /** Of numbers; null: they are not written here. */
  readonly put: PutNumber | null;
}

/** Null where the column's values have to be made one by one. Nulls are not found, as in createSpanReader. */
export function createSlotReader(
  { slots, type }: TypedColumn,
  { settle, put }: SlotForms,
  place: Place,
): SpanReader | null {
  if (slots === null) return null;
  const { values } = slots;
  if (values.kind === 'bytes') {
    return type.kind !== 'utf8' || settle === null ? null : textReader(slots, values, settle);
  }
  return put === null ? null : numberReader(slots, values, put, place);
}

function textReader(slots: ValueSlots, values: ByteSlots, settle: Settle): SpanReader {
  const { bytes, start, offsets, step } = values;
  const { first } = slots;
  const isNull = nullsOf(slots);
  const reader: SpanReader = {
    bytes,
    start: 0,
    end: 0,
    find: (row) => {
      if (isNull?.(row)) return false;
      const at = (first + row) * step;
      return settle(reader, bytes, start + offsets[at]!, start + offsets[at + step]!);
    },
  };
  return reader;
}

function numberReader(
  slots: ValueSlots,
  values: NumberSlots,
  put: PutNumber,
  { bytes, start }: Place,
): SpanReader {
  const isNull = nullsOf(slots);
  const write = writerOf(values, slots.first, put);
  const reader: SpanReader = {
    bytes,
    start,
    end: 0,
    find: (row) => {
      if (isNull?.(row)) return false;
      reader.end = write(bytes, start, row);
      return reader.end >= 0;
    },
  };
  return reader;
}

type WriteValue = (target: Uint8Array, at: number, row: number) => number;

function writerOf(values: NumberSlots, first: number, put: PutNumber): WriteValue {
  if (values.kind === 'numbers') {
    const { numbers } = values;
    return (target, at, row) => {
      const value = numbers[first + row]!;
      return put(target, at, value, value | 0);
    };
  }
  if (values.kind === 'bits') {
    const { bits } = values;
    return (target, at, row) => put(target, at, bitOf(bits, first + row), 0);
  }
  const { halves, signed } = values;
  return (target, at, row) => {
    const low = halves[(first + row) * 2]!;
    const high = halves[(first + row) * 2 + 1]!;
    return put(target, at, (signed ? high : high >>> 0) * 2 ** 32 + (low >>> 0), low);
  };
}

function nullsOf({ valid, validFirst }: ValueSlots): ((row: number) => boolean) | null {
  return valid === null ? null : (row) => bitOf(valid, validFirst + row) === 0;
}

function bitOf(bits: Uint8Array, index: number): number {
  return (bits[index >> 3]! >> (index & 7)) & 1;
}
