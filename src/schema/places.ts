/** Where values are written that do not stand in memory as they are stored: one place a column, for one row. */
import { PUT_BYTES } from './codecs/put.ts';

/** Bytes for each; whoever copies from it may read a few bytes more (words.ts). */
const PLACE_BYTES = PUT_BYTES + 8;

export interface Place {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
}

/** All in the same bytes, since who copies from them keeps a view of those that it saw last. */
export function createPlaces(count: number): readonly Place[] {
  const bytes = new Uint8Array(count * PLACE_BYTES);
  return Array.from({ length: count }, (_, i) => ({ bytes, start: i * PLACE_BYTES, length: PUT_BYTES }));
}
