/** Values of any length from pages, into one array of bytes. */
import { tooEarly } from './errors.ts';
import { readLength } from './pages.ts';
import { checkEnd, NO_VALUES, type ValueArrays } from './value-arrays.ts';

/** Text and plain bytes of any length: the i-th is from `offsets[i]` up to `offsets[i + 1]`; none has no bytes. */
export interface TextValues {
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
  /** By row, those that stayed in their page or dictionary; null: none did. */
  readonly apart: ReadonlyMap<number, BytePlace> | null;
}

export interface BytePlace {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Bytes of a batch that are put together; what is longer stays where it is, as a dictionary may repeat megabytes. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Bytes that one batch may keep of pages. */
const MAX_APART = 1024 * 1024 * 1024;

export function createTextArrays(): ValueArrays<TextValues> {
  let out = new Uint8Array(0);
  let offsets = new Int32Array(1);
  let last = 0;
  let perRow = 16;
  let dictionary: TextValues = { bytes: out, offsets, apart: null };
  let apart: Map<number, BytePlace> | null = null;
  let apartBytes = 0;
  const put = (bytes: Uint8Array, start: number, length: number, row: number): void => {
    if (last + length > MAX_BYTES) {
      apart ??= new Map();
      apart.set(row, { bytes, start, end: start + length });
      apartBytes += length;
      return;
    }
    if (last + length > out.length) makeRoom(length);
    copyBytes(bytes, start, out, last, length);
    last += length;
  };
  const makeRoom = (length: number): void => {
    const more = new Uint8Array(Math.min(Math.max(out.length * 2, last + length, 1024), MAX_BYTES));
    more.set(out.subarray(0, last));
    out = more;
  };
  return {
    begin: (rows) => {
      if (offsets.length > 1) perRow = Math.ceil((last / (offsets.length - 1)) * 1.25) + 1;
      out = new Uint8Array(Math.min(rows * perRow, MAX_BYTES));
      apart = null;
      apartBytes = 0;
      offsets = new Int32Array(rows + 1);
      last = 0;
    },
    grow: (rows) => {
      const earlier = offsets;
      offsets = new Int32Array(rows + 1);
      offsets.set(earlier);
    },
    setDictionary: (values, count) => {
      const { bytes, at, end } = values ?? NO_VALUES;
      if (count * 4 > end - at) throw tooEarly();
      const entries = new Int32Array(count + 1);
      // A hostile page has lengths alone, and may have 512 MiB of them.
      const together = new Uint8Array(end - at - count * 4);
      checkEnd(bytes, joinEntries(bytes, at, end, together, entries), end);
      dictionary = { bytes: together, offsets: entries, apart: null };
    },
    dictionary: () => dictionary,
    dictionarySize: () => dictionary.offsets.length - 1,
    takePlain: (page, { rows, levels }, at) => {
      const { bytes, end } = page;
      for (let row = 0; row < rows; row++) {
        if (levels === null || levels[row] !== 0) {
          const length = lengthAt(bytes, page.at, end);
          put(bytes, page.at + 4, length, at + row);
          if (apartBytes > MAX_APART) throw new Error('more than 1 GiB of text in a few rows');
          page.at += 4 + length;
        }
        offsets[at + row + 1] = last;
      }
    },
    finishPlain: ({ bytes, at, end }) => checkEnd(bytes, at, end),
    putCodes: (codes, { rows, levels }, at) => {
      const { bytes, offsets: entries } = dictionary;
      for (let row = 0, value = 0; row < rows; row++) {
        if (levels === null || levels[row] !== 0) {
          const code = codes[value++]!;
          put(bytes, entries[code]!, entries[code + 1]! - entries[code]!, at + row);
        }
        offsets[at + row + 1] = last;
      }
    },
    bytes: () => last + apartBytes + offsets.length * 4,
    result: () => ({ bytes: out, offsets, apart }),
  };
}

/** Copies the entries of a dictionary, without the lengths between them, and gives the position after them. */
function joinEntries(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  offsets: Int32Array,
): number {
  let from = start;
  let to = 0;
  for (let i = 1; i < offsets.length; i++) {
    const length = lengthAt(bytes, from, end);
    copyBytes(bytes, from + 4, out, to, length);
    from += 4 + length;
    to += length;
    offsets[i] = to;
  }
  return from;
}

function lengthAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) throw tooEarly();
  const length = readLength(bytes, at);
  if (length > end - at - 4) throw tooEarly();
  return length;
}

/** Bytes up to which a loop is faster than a native call. */
const SHORT = 48;

function copyBytes(from: Uint8Array, start: number, to: Uint8Array, at: number, length: number): void {
  if (length <= SHORT) for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
  else to.set(from.subarray(start, start + length), at);
}
