/** Where values are written that do not stand in memory as they are stored: one place a column, for some rows. */
import { PUT_BYTES } from './codecs/put.ts';

/** Bytes for each; whoever copies from it may read a few bytes more (words.ts). */
const PLACE_BYTES = PUT_BYTES + 8;

/** Values that are written at once, in a loop that does nothing else: one at a time costs more. */
export const PLACE_ROWS = 64;

/** Room for PLACE_ROWS values, each at `start` plus a multiple of `length`. */
export interface Place {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** Bytes that a value may have. */
  readonly length: number;
  /** Bytes from one to the next. */
  readonly stride: number;
}

/** All in the same bytes. */
export function createPlaces(count: number): readonly Place[] {
  const each = PLACE_BYTES * PLACE_ROWS;
  const bytes = new Uint8Array(count * each);
  return Array.from({ length: count }, (_, i) => {
    return { bytes, start: i * each, length: PUT_BYTES, stride: PLACE_BYTES };
  });
}
