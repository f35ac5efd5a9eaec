/** Lists of floats that are stored packed: copied from where they stand, or rounded to float32 on the way. */
import { endianness } from 'node:os';
import type { ListSlots, ValueSlots } from '../core/types.ts';
import type { PackedFloats } from './codecs/codec.ts';
import { nullsOf } from './slot-nulls.ts';
import type { SpanReader } from './span-reader.ts';

/** Null where memory is not little-endian, as what is stored is. */
export function listReader(
  slots: ValueSlots,
  { numbers, offsets, step }: ListSlots,
  { bits, length }: PackedFloats,
): SpanReader | null {
  if (endianness() !== 'LE') return null;
  const { first, codes } = slots;
  const isNull = nullsOf(slots);
  const at = (index: number): number => (offsets === null ? index * step : offsets[index * step]!);
  const width = bits / 8;
  const isSame = numbers.BYTES_PER_ELEMENT === width;
  const rounded = bits === 32 ? new Float32Array(isSame ? 0 : length) : new Float64Array(isSame ? 0 : length);
  const stored = isSame ? numbers : rounded;
  const reader: SpanReader = {
    bytes: new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength),
    start: 0,
    end: 0,
    // Of another length, or with a number that is not finite: its codec knows what of it.
    find: (row) => {
      if (isNull?.(row)) return false;
      const index = codes === null ? first + row : codes[first + row]!;
      const from = at(index);
      if (at(index + 1) - from !== length) return false;
      if (!isSame) for (let i = 0; i < length; i += 1) rounded[i] = numbers[from + i]!;
      const start = isSame ? from : 0;
      reader.start = start * width;
      reader.end = (start + length) * width;
      return areFinite(stored, start, length);
    },
  };
  return reader;
}

/** Zero times a number is zero only if it is finite. */
function areFinite(numbers: Float32Array | Float64Array, start: number, length: number): boolean {
  let zero = 0;
  for (let i = start; i < start + length; i += 1) zero += numbers[i]! * 0;
  return zero === 0;
}
