/** Writes typed values as they are stored, or finds those that stand so in memory, without a string of each. */
import { type ByteSlots, IN_VIEW, type NumberSlots, type ValueSlots, type ViewSlots } from '../core/slots.ts';
import type { TypedColumn } from '../core/types.ts';
import type { PackedFloats } from './codecs/codec.ts';
import type { PutNumber } from './codecs/put.ts';
import { listReader } from './list-reader.ts';
import { PLACE_ROWS, type Place } from './places.ts';
import { bitOf, nullsOf, readerAt } from './slot-index.ts';
import type { Settle, SpanReader } from './span-reader.ts';

export interface SlotForms {
  /** Of text; null: its values are made one by one. */
  readonly settle: Settle | null;
  /** Of numbers; null: they are not written here. */
  readonly put: PutNumber | null;
  /** Of lists of floats; null: they are made one by one. */
  readonly packed: PackedFloats | null;
}

/** Null where the column's values have to be made one by one. Nulls are not found, as in createSpanReader. */
export function createSlotReader(
  { slots, type }: TypedColumn,
  { settle, put, packed }: SlotForms,
  place: Place,
): SpanReader | null {
  if (slots === null) return null;
  const { values } = slots;
  if (values.kind === 'bytes' || values.kind === 'views') {
    if (type.kind !== 'utf8' || settle === null) return null;
    return values.kind === 'bytes' ? textReader(slots, values, settle) : viewReader(slots, values, settle);
  }
  if (values.kind === 'lists') return packed === null ? null : listReader(slots, values, packed);
  return put === null ? null : numberReader(slots, values, put, place);
}

function textReader(slots: ValueSlots, values: ByteSlots, settle: Settle): SpanReader {
  const { bytes, start, offsets, step } = values;
  return readerAt(slots, bytes, (reader, index) => {
    const at = index * step;
    return settle(reader, bytes, start + offsets[at]!, start + offsets[at + step]!);
  });
}

function viewReader(slots: ValueSlots, { words, bytes, buffers }: ViewSlots, settle: Settle): SpanReader {
  return readerAt(slots, bytes, (reader, index) => {
    const at = index * 4;
    const length = words[at]!;
    if (length <= IN_VIEW) return settle(reader, bytes, at * 4 + 4, at * 4 + 4 + length);
    const start = words[at + 3]!;
    return settle(reader, buffers[words[at + 2]!]!, start, start + length);
  });
}

/** Writes the values of some rows when the first of them is asked for. */
function numberReader(slots: ValueSlots, values: NumberSlots, put: PutNumber, place: Place): SpanReader {
  const write = writerOf(slots, values, put);
  const { bytes, start, stride } = place;
  const ends = new Int32Array(PLACE_ROWS);
  let from = 0;
  let count = 0;
  const reader: SpanReader = {
    bytes,
    start,
    end: 0,
    find: (row) => {
      if (row < from || row >= from + count) {
        from = row;
        count = write(place, ends, row);
      }
      reader.start = start + (row - from) * stride;
      reader.end = ends[row - from]!;
      return reader.end >= 0;
    },
  };
  return reader;
}

/** Writes the values from a row on, as many as are there and have room, and gives how many; the end of a null is -1. */
type WriteBlock = (place: Place, ends: Int32Array, row: number) => number;

function writerOf(slots: ValueSlots, values: NumberSlots, put: PutNumber): WriteBlock {
  const { first, codes } = slots;
  const isNull = nullsOf(slots);
  const countFrom = (row: number, length: number): number =>
    Math.min(PLACE_ROWS, (codes?.length ?? length) - first - row);
  if (values.kind === 'numbers') {
    const { numbers } = values;
    return ({ bytes, start, stride }, ends, row) => {
      const count = countFrom(row, numbers.length);
      for (let i = 0, at = start; i < count; i += 1, at += stride) {
        ends[i] = -1;
        if (isNull?.(row + i)) continue;
        const index = first + row + i;
        const value = numbers[codes === null ? index : codes[index]!]!;
        ends[i] = put(bytes, at, value, value | 0);
      }
      return count;
    };
  }
  if (values.kind === 'bits') {
    const { bits } = values;
    return ({ bytes, start, stride }, ends, row) => {
      const count = countFrom(row, bits.length * 8);
      for (let i = 0, at = start; i < count; i += 1, at += stride) {
        ends[i] = -1;
        if (isNull?.(row + i)) continue;
        const index = first + row + i;
        ends[i] = put(bytes, at, bitOf(bits, codes === null ? index : codes[index]!), 0);
      }
      return count;
    };
  }
  const { halves, signed } = values;
  return ({ bytes, start, stride }, ends, row) => {
    const count = countFrom(row, halves.length / 2);
    for (let i = 0, at = start; i < count; i += 1, at += stride) {
      ends[i] = -1;
      if (isNull?.(row + i)) continue;
      const index = (codes === null ? first + row + i : codes[first + row + i]!) * 2;
      const low = halves[index]!;
      const high = halves[index + 1]!;
      ends[i] = put(bytes, at, (signed ? high : high >>> 0) * 2 ** 32 + (low >>> 0), low);
    }
    return count;
  };
}
