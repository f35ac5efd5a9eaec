import type { ValueSlots } from '../core/types.ts';

/** Which rows have no value; null: all have one. */
export function nullsOf({ valid, validFirst }: ValueSlots): ((row: number) => boolean) | null {
  return valid === null ? null : (row) => bitOf(valid, validFirst + row) === 0;
}

/** Least significant first. */
export function bitOf(bits: Uint8Array, index: number): number {
  return (bits[index >> 3]! >> (index & 7)) & 1;
}
