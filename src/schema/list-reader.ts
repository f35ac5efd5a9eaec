/** Lists of floats that are stored packed: copied from where they stand, or rounded to float32 on the way. */
import { endianness } from 'node:os';
import type { ListSlots, ValueSlots } from '../core/slots.ts';
import type { PackedFloats } from './codecs/codec.ts';
import { readerAt } from './slot-index.ts';
import type { SpanReader } from './span-reader.ts';

/** Null where memory is not little-endian, as what is stored is. */
export function listReader(
  slots: ValueSlots,
  { numbers, offsets, step }: ListSlots,
  { bits, length }: PackedFloats,
): SpanReader | null {
  if (endianness() !== 'LE') return null;
  const at = (index: number): number => (offsets === null ? index * step : offsets[index * step]!);
  const width = bits / 8;
  const isSame = numbers.BYTES_PER_ELEMENT === width;
  const rounded = bits === 32 ? new Float32Array(isSame ? 0 : length) : new Float64Array(isSame ? 0 : length);
  const stored = isSame ? numbers : rounded;
  const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  // False for another length, or a number that is not finite: the codec knows what of it.
  return readerAt(slots, bytes, (reader, index) => {
    const from = at(index);
    if (at(index + 1) - from !== length) return false;
    if (!isSame) for (let i = 0; i < length; i += 1) rounded[i] = numbers[from + i]!;
    const start = isSame ? from : 0;
    reader.start = start * width;
    reader.end = (start + length) * width;
    return areFinite(stored, start, length);
  });
}

/** Zero times a number is zero only if it is finite. */
function areFinite(numbers: Float32Array | Float64Array, start: number, length: number): boolean {
  let zero = 0;
  for (let i = start; i < start + length; i += 1) zero += numbers[i]! * 0;
  return zero === 0;
}
