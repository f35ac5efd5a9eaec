/** Where values of typed columns stand in memory, free of any library's own classes. */

/** The value of a row is the one at `first` + row, or at codes[`first` + row], unless its bit in `valid` is 0. */
export interface ValueSlots {
  readonly first: number;
  /** Of dictionary-encoded values, their places in the dictionary; of a row without a value any number. */
  readonly codes: Int32Array | null;
  /** A bit a value, least significant first, the bit of a batch's first row at `validFirst`; null: none is null. */
  readonly valid: Uint8Array | null;
  readonly validFirst: number;
  readonly values: NumberSlots | ByteSlots | ViewSlots | ListSlots;
}

export type NumberSlots =
  | {
      readonly kind: 'numbers';
      readonly numbers:
        | Int8Array
        | Uint8Array
        | Int16Array
        | Uint16Array
        | Int32Array
        | Uint32Array
        | Float32Array
        | Float64Array;
    }
  /** Integers of 64 bits, low half first. */
  | { readonly kind: 'halves'; readonly halves: Int32Array; readonly signed: boolean }
  /** Bools, a bit each, least significant first. */
  | { readonly kind: 'bits'; readonly bits: Uint8Array };

/** Text and bytes: the i-th value is bytes[start + offsets[i × step] .. start + offsets[(i + 1) × step]). */
export interface ByteSlots {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly offsets: Int32Array;
  readonly step: 1 | 2;
}

/** Bytes of a text that stands in its view. */
export const IN_VIEW = 12;

/**
 * Text of four words each: its length in bytes, then the text itself where that is IN_VIEW at most, else the first of it,
 * the index of its buffer and its place there.
 */
export interface ViewSlots {
  readonly kind: 'views';
  readonly words: Int32Array;
  /** The words' bytes. */
  readonly bytes: Uint8Array;
  readonly buffers: readonly Uint8Array[];
}

/** Lists of floats, none of them null: the i-th has numbers[at(i)] up to, not with, numbers[at(i + 1)]. */
export interface ListSlots {
  readonly kind: 'lists';
  readonly numbers: Float32Array | Float64Array;
  /** at(i) is offsets[i × step]; null: i × step. */
  readonly offsets: Int32Array | null;
  readonly step: number;
}
