/** Which value of its slots a row has, if it has one. */
import type { ValueSlots } from '../core/slots.ts';
import type { SpanReader } from './span-reader.ts';

/** Asks `settle` for the value at an index, where the row has one. `bytes`: those that it mostly stands in. */
export function readerAt(
  slots: ValueSlots,
  bytes: Uint8Array,
  settle: (reader: SpanReader, index: number) => boolean,
): SpanReader {
  const { first, codes } = slots;
  const isNull = nullsOf(slots);
  const reader: SpanReader = {
    bytes,
    start: 0,
    end: 0,
    find: (row) => {
      if (isNull?.(row)) return false;
      return settle(reader, codes === null ? first + row : codes[first + row]!);
    },
  };
  return reader;
}

/** Which rows have no value; null: all have one. */
export function nullsOf({ valid, validFirst }: ValueSlots): ((row: number) => boolean) | null {
  return valid === null ? null : (row) => bitOf(valid, validFirst + row) === 0;
}

/** Least significant first. */
export function bitOf(bits: Uint8Array, index: number): number {
  return (bits[index >> 3]! >> (index & 7)) & 1;
}
