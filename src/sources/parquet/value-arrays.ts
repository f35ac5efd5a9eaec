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

/** Values of one page that stand one after the other. */
export interface PlainValues {
  readonly bytes: Uint8Array;
  /** Of the next value, in bytes; of booleans in bits. */
  at: number;
  readonly end: number;
}

/** Those of a column, for all of its pages: made anew for each, V8 would compile them again and again. */
export interface ValueArrays<Values> {
  /** New arrays, of so many rows. */
  begin(rows: number): void;
  /** Makes room for so many rows; those that are there stay. */
  grow(rows: number): void;
  /** Null: there is none, or none any more. */
  setDictionary(values: PlainValues | null, count: number): void;
  /** Puts those of the next rows at row `at` of the arrays. Throws an Error where the page ends before. */
  takePlain(page: PlainValues, presence: Presence, at: number): void;
  /** After the last value. Throws an Error where the page has bytes left, which belong to none. */
  finishPlain(page: PlainValues): void;
  /** `codes`: the places in the dictionary of `count` values. */
  putCodes(codes: Int32Array, presence: Presence, at: number): void;
  dictionary(): Values;
  /** Entries of the dictionary. */
  dictionarySize(): number;
  /** Bytes of the arrays up to now. */
  bytes(): number;
  /** Those of the rows. */
  result(): Values;
}

/** Zeros may follow the values: fastparquet writes some behind each page. */
export function checkEnd(bytes: Uint8Array, at: number, end: number): void {
  for (let i = at; i < end; i++) {
    if (bytes[i] !== 0) throw new Error('a page of more bytes than its values have');
  }
}

export const NO_VALUES: PlainValues = { bytes: new Uint8Array(0), at: 0, end: 0 };

/** Numbers of 4 and 8 bytes, and plain bytes of any other fixed length, one after the other. */
export function createFixedArrays(width: number): ValueArrays<Uint8Array> {
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
  const make = (rows: number): Uint8Array => {
    const earlier = out;
    out = new Uint8Array(rows * width);
    words = new Int32Array(out.buffer, 0, rows * wordsEach);
    return earlier;
  };
  return {
    begin: make,
    grow: (rows) => {
      const earlier = make(rows);
      out.set(earlier);
    },
    setDictionary: (values, count) => {
      const { bytes, at, end } = values ?? NO_VALUES;
      const after = at + count * width;
      if (after > end) throw tooEarly();
      checkEnd(bytes, after, end);
      dictionary = aligned(bytes.subarray(at, after));
      dictionaryWords = new Int32Array(dictionary.buffer, dictionary.byteOffset, count * wordsEach);
      size = count;
    },
    dictionary: () => dictionary,
    dictionarySize: () => size,
    takePlain: (page, presence, at) => {
      const to = page.at + presence.values * width;
      if (to > page.end) throw tooEarly();
      out.set(page.bytes.subarray(page.at, to), at * width);
      page.at = to;
      spread(presence, at);
    },
    finishPlain: ({ bytes, at, end }) => checkEnd(bytes, at, end),
    putCodes: (codes, presence, at) => {
      if (wordsEach === 1) gatherWords(dictionaryWords, codes, words, at, presence.values);
      else if (wordsEach === 2) gatherPairs(dictionaryWords, codes, words, at, presence.values);
      else gatherBytes(dictionary, width, codes, out, at, presence.values);
      spread(presence, at);
    },
    bytes: () => out.length,
    result: () => out,
  };
}

/** Where numbers can be read. */
function aligned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.byteOffset % 8 === 0 ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
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

/** Booleans: a bit a row, least significant first. Codes are the booleans themselves. */
export function createBitArrays(): ValueArrays<Uint8Array> {
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
    grow: (rows) => {
      const earlier = out;
      out = new Uint8Array(Math.ceil(rows / 8));
      out.set(earlier);
    },
    setDictionary: (values) => {
      if (values !== null) throw new Error('a dictionary of booleans');
    },
    dictionary: () => NO_VALUES.bytes,
    dictionarySize: () => 0,
    takePlain: (page, presence, at) => {
      const { bytes, at: first, end } = page;
      if (first + presence.values > end * 8) throw tooEarly();
      put(presence, at, (value) => (bytes[(first + value) >>> 3]! >> ((first + value) & 7)) & 1);
      page.at += presence.values;
    },
    finishPlain: ({ bytes, at, end }) => checkEnd(bytes, Math.ceil(at / 8), end),
    putCodes: (codes, presence, at) => put(presence, at, (value) => codes[value]!),
    bytes: () => out.length,
    result: () => out,
  };
}
