/** The arrays of a column, and what of the core they are: nulls, and the values of a dictionary by their codes. */
import { type DecodedColumn, nullFinder, orNull } from '../decoded-column.ts';
import { arraysOf, type Content, shared } from './column-content.ts';
import { type Codes, readCodes, takeRun } from './hybrid.ts';
import type { LeafType } from './leaf-type.ts';
import type { PlainValues, Presence } from './value-arrays.ts';

/** What the pages of a column are put into, of one batch after the other. */
export interface ColumnArrays {
  /** New arrays, of so many rows. */
  begin(rows: number): void;
  /** Makes room for so many rows; those that are there stay. */
  grow(rows: number): void;
  /** Null: there is none, or none any more. */
  setDictionary(values: PlainValues | null, count: number): void;
  /** Entries of the dictionary. */
  dictionarySize(): number;
  /** Which of the next `count` rows, from `at` on, have a value; `levels` null: all. */
  present(levels: Codes | null, count: number, at: number): Presence;
  /** The same by levels of 0 and 1 that were read already. */
  presentBy(levels: Int32Array, count: number, at: number): Presence;
  /** Values of the next rows, the first of which is row `at`. Throws an Error where the page ends before. */
  takePlain(page: PlainValues, presence: Presence, at: number): void;
  /** As `takePlain`; `codes`: their places in the dictionary, or booleans. */
  putCodes(codes: Int32Array, presence: Presence, at: number): void;
  /** After the last value. Throws an Error where the page has bytes left, which belong to none. */
  finishPlain(page: PlainValues): void;
  result(): DecodedValues;
  /** Bytes of the arrays up to now. */
  bytes(): number;
}

/** A column that has no name yet. */
export type DecodedValues = Omit<DecodedColumn, 'name'>;

export function createColumnArrays(leaf: LeafType): ColumnArrays {
  const { values, content, dictionaryContent, keepsCodes } = arraysOf(leaf);
  let rows = 0;
  let valid: Uint8Array | null = null;
  let levels = new Int32Array(0);
  let dictionary: Content | null = null;
  /** By row; null: some rows of the batch have plain values. */
  let coded: Int32Array | null = null;
  let hasValues = false;

  /** Goes on with values themselves, after the first `count` rows had codes. */
  const useValues = (count: number): void => {
    if (hasValues) return;
    hasValues = true;
    values.begin(rows);
    const earlier = coded;
    coded = null;
    if (earlier === null) return;
    const presence = presentIn(valid, count);
    values.putCodes(compacted(earlier, presence), presence, 0);
  };
  const presentBy = (found: Int32Array, count: number, at: number): Presence => {
    let present = 0;
    for (let i = 0; i < count; i++) present += found[i]!;
    if (present === count) return { rows: count, values: count, levels: null };
    valid ??= allBits(rows);
    markNulls(valid, found, count, at);
    return { rows: count, values: present, levels: found };
  };
  return {
    begin: (count) => {
      rows = count;
      valid = null;
      coded = null;
      hasValues = false;
    },
    grow: (count) => {
      rows = count;
      if (hasValues) values.grow(count);
      if (valid !== null) valid = grown(valid, allBits(count));
      if (coded !== null) coded = grown(coded, new Int32Array(count));
    },
    setDictionary: (plain, count) => {
      values.setDictionary(plain, count);
      dictionary = null;
    },
    dictionarySize: values.dictionarySize,
    present: (codes, count, at) => {
      const run = codes === null ? 1 : takeRun(codes, count);
      if (run === 1 || codes === null) return { rows: count, values: count, levels: null };
      if (levels.length < count) levels = new Int32Array(count);
      if (run < 0) readCodes(codes, levels, count);
      else levels.fill(run, 0, count);
      return presentBy(levels, count, at);
    },
    presentBy,
    takePlain: (page, presence, at) => {
      useValues(at);
      values.takePlain(page, presence, at);
    },
    putCodes: (codes, presence, at) => {
      if (hasValues || !keepsCodes) {
        useValues(at);
        values.putCodes(codes, presence, at);
        return;
      }
      coded ??= new Int32Array(rows);
      spreadCodes(codes, presence, coded, at);
    },
    finishPlain: values.finishPlain,
    result: () => {
      if (coded === null) useValues(0);
      else dictionary ??= shared(dictionaryContent(), values.dictionarySize());
      const held = coded === null || dictionary === null ? content() : throughCodes(dictionary, coded);
      const isNull = valid === null ? null : nullFinder(valid, 0);
      return {
        type: leaf.type,
        read: orNull(held.read, isNull),
        slots: held.slots && { first: 0, codes: coded, valid, validFirst: 0, values: held.slots },
        places: held.places,
        isNull,
        isText: held.isText,
      };
    },
    bytes: () => (coded === null ? values.bytes() : coded.length * 4),
  };
}

/** A bit a row, all set. */
function allBits(rows: number): Uint8Array {
  return new Uint8Array(Math.ceil(rows / 8)).fill(0xff);
}

function grown<Elements extends Uint8Array | Int32Array>(earlier: Elements, more: Elements): Elements {
  more.set(earlier);
  return more;
}

/** The slots are those of the dictionary still. */
function throughCodes({ read, slots, isText }: Content, codes: Int32Array): Content {
  return {
    read: (index) => read(codes[index]!),
    slots,
    places: null,
    isText: isText && ((index) => isText(codes[index]!)),
  };
}

/** Of the first rows of a batch; `valid` null: all. */
function presentIn(valid: Uint8Array | null, rows: number): Presence {
  if (valid === null) return { rows, values: rows, levels: null };
  const isNull = nullFinder(valid, 0);
  const levels = Int32Array.from({ length: rows }, (_, row) => (isNull(row) ? 0 : 1));
  return { rows, values: levels.reduce((sum, level) => sum + level, 0), levels };
}

/** The codes of rows that have one, one after the other. */
function compacted(codes: Int32Array, { rows, levels }: Presence): Int32Array {
  return codes.subarray(0, rows).filter((_, row) => levels === null || levels[row] === 1);
}

function spreadCodes(
  codes: Int32Array,
  { rows, values, levels }: Presence,
  out: Int32Array,
  at: number,
): void {
  if (levels === null) {
    out.set(codes.subarray(0, values), at);
    return;
  }
  for (let row = 0, next = 0; row < rows; row++) if (levels[row] !== 0) out[at + row] = codes[next++]!;
}

/** Takes the bits of rows without a value, the first of which has bit `at`. */
export function markNulls(valid: Uint8Array, levels: Int32Array, count: number, at: number): void {
  for (let i = 0; i < count; i++) if (levels[i] === 0) valid[(at + i) >> 3]! &= ~(1 << ((at + i) & 7));
}
