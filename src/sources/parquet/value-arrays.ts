/**
 * The values of pages, into arrays of a batch's rows. A row without a value has a place in the array too, of any
 * content. https://github.com/apache/parquet-format/blob/master/Encodings.md
 */
import { tooEarly } from './errors.ts';

/** Which of some rows have a value; `levels` is null where all have. */
export interface Presence {
  readonly rows: number;
  readonly values: number;
  /** 1 or 0 a row. */
  readonly levels: Int32Array | null;
}

/** Values of one page, taken from its start on. */
export interface PageReader {
  /** Puts those of the next rows at row `at` of the arrays. Throws an Error where the page ends before. */
  take(presence: Presence, at: number): void;
  /** After the last value. Throws an Error where the page has bytes left, which belong to none. */
  finish(): void;
}

export interface ValueArrays {
  /** New arrays, of so many rows. */
  begin(rows: number): void;
  setDictionary(bytes: Uint8Array, start: number, end: number, count: number): void;
  plain(bytes: Uint8Array, start: number, end: number): PageReader;
  /** `codes`: the places in the dictionary of `count` values. */
  putCodes(codes: Int32Array, presence: Presence, at: number): void;
  /** Entries of the dictionary. */
  dictionarySize(): number;
  /** Bytes of the arrays up to now. */
  bytes(): number;
}

/** Zeros may follow the values: fastparquet writes some behind each page. */
export function checkEnd(bytes: Uint8Array, at: number, end: number): void {
  for (let i = at; i < end; i++) {
    if (bytes[i] !== 0) throw new Error('a page of more bytes than its values have');
  }
}

/** Numbers of 4 and 8 bytes, and plain bytes of any other fixed length. */
export interface FixedArrays extends ValueArrays {
  /** The values, one after the other. */
  result(): ArrayBuffer;
}

export function createFixedArrays(width: number): FixedArrays {
  let out = new Uint8Array(0);
  let words = new Int32Array(0);
  let dictionary = new Uint8Array(0);
  let dictionaryWords = new Int32Array(0);
  let size = 0;
  const wordsEach = width % 4 === 0 ? width / 4 : 0;
  const spread = (presence: Presence, at: number): void => {
    if (presence.levels === null) return;
    if (wordsEach > 0) spreadElements(words, wordsEach, presence, at);
    else spreadElements(out, width, presence, at);
  };
  return {
    begin: (rows) => {
      out = new Uint8Array(rows * width);
      words = new Int32Array(out.buffer, 0, rows * wordsEach);
    },
    setDictionary: (bytes, start, end, count) => {
      if (start + count * width > end) throw tooEarly();
      checkEnd(bytes, start + count * width, end);
      dictionary = new Uint8Array(bytes.subarray(start, start + count * width));
      dictionaryWords = new Int32Array(dictionary.buffer, 0, count * wordsEach);
      size = count;
    },
    dictionarySize: () => size,
    plain: (bytes, start, end) => {
      let from = start;
      return {
        take: (presence, at) => {
          const to = from + presence.values * width;
          if (to > end) throw tooEarly();
          out.set(bytes.subarray(from, to), at * width);
          from = to;
          spread(presence, at);
        },
        finish: () => checkEnd(bytes, from, end),
      };
    },
    putCodes: (codes, presence, at) => {
      if (wordsEach === 1) gatherWords(dictionaryWords, codes, words, at, presence.values);
      else if (wordsEach === 2) gatherPairs(dictionaryWords, codes, words, at, presence.values);
      else gatherBytes(dictionary, width, codes, out, at, presence.values);
      spread(presence, at);
    },
    bytes: () => out.length,
    result: () => out.buffer,
  };
}

/** Moves values that stand one after the other to the rows that have one, from the last on. */
function spreadElements(
  target: Uint8Array | Int32Array,
  each: number,
  { rows, values, levels }: Presence,
  at: number,
): void {
  let from = (at + values) * each;
  for (let row = rows - 1; row >= 0; row--) {
    if (levels![row] === 0) continue;
    from -= each;
    const to = (at + row) * each;
    for (let i = 0; i < each; i++) target[to + i] = target[from + i]!;
  }
}

function gatherWords(
  dictionary: Int32Array,
  codes: Int32Array,
  out: Int32Array,
  at: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[at + i] = dictionary[codes[i]!]!;
}

function gatherPairs(
  dictionary: Int32Array,
  codes: Int32Array,
  out: Int32Array,
  at: number,
  count: number,
): void {
  for (let i = 0, to = at * 2; i < count; i++, to += 2) {
    const from = codes[i]! * 2;
    out[to] = dictionary[from]!;
    out[to + 1] = dictionary[from + 1]!;
  }
}

function gatherBytes(
  dictionary: Uint8Array,
  width: number,
  codes: Int32Array,
  out: Uint8Array,
  at: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const from = codes[i]! * width;
    for (let j = 0; j < width; j++) out[(at + i) * width + j] = dictionary[from + j]!;
  }
}

/** Booleans: a bit a row, least significant first. */
export interface BitArrays extends ValueArrays {
  result(): Uint8Array;
}

export function createBitArrays(): BitArrays {
  let out = new Uint8Array(0);
  const put = ({ rows, levels }: Presence, at: number, bitOf: (value: number) => number): void => {
    for (let row = 0, value = 0; row < rows; row++) {
      if (levels !== null && levels[row] === 0) continue;
      if (bitOf(value++) !== 0) out[(at + row) >> 3]! |= 1 << ((at + row) & 7);
    }
  };
  return {
    begin: (rows) => {
      out = new Uint8Array(Math.ceil(rows / 8));
    },
    setDictionary: () => {
      throw new Error('a dictionary of booleans');
    },
    dictionarySize: () => 0,
    plain: (bytes, start, end) => {
      let first = start * 8;
      return {
        take: (presence, at) => {
          if (first + presence.values > end * 8) throw tooEarly();
          put(presence, at, (value) => (bytes[(first + value) >>> 3]! >> ((first + value) & 7)) & 1);
          first += presence.values;
        },
        finish: () => checkEnd(bytes, Math.ceil(first / 8), end),
      };
    },
    putCodes: (codes, presence, at) => put(presence, at, (value) => codes[value]!),
    bytes: () => out.length,
    result: () => out,
  };
}
