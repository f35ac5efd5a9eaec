/** The pages of one column, decompressed and opened one after the other, and the values in them. */
import type { FileHandle } from 'node:fs/promises';
import { type ChunkBytes, createChunkBytes } from './chunk-bytes.ts';
import type { ColumnArrays } from './column-arrays.ts';
import type { ColumnChunk } from './column-chunk.ts';
import { CODEC } from './decompress.ts';
import { PHYSICAL } from './elements.ts';
import { tooEarly } from './errors.ts';
import { type Codes, finishCodes, hybridCodes, readCodes } from './hybrid.ts';
import { ENCODING } from './page-header.ts';
import { type LevelWidths, nextPage, type PageValues, readLength } from './pages.ts';
import { NO_VALUES, type PlainValues, type Presence } from './value-arrays.ts';

export interface ColumnPages {
  /** Goes on with the column of another row group, of which `readBytes` are read from the file at once. */
  open(chunk: ColumnChunk, readBytes: number): void;
  /** The page that is read from. */
  readonly page: OpenPage;
  /** Goes on with the next page, whose rows may be none. False: there is none. Throws an Error in words. */
  next(): Promise<boolean>;
  /** Puts those of the next rows that have one into the arrays, from row `at` on. */
  takeValues(presence: Presence, at: number): void;
}

/** Bytes of the pages that the columns of a row group hold. */
export interface HeldPages {
  bytes: number;
}

/** Most of them: a damaged or hostile file of some KiB can ask for as many gigabytes as it has columns. */
const MAX_HELD = 1024 * 1024 * 1024;

/** `physical`: what the values are; one of PHYSICAL. */
export function createColumnPages(
  file: FileHandle,
  physical: number,
  widths: LevelWidths,
  arrays: ColumnArrays,
  held: HeldPages,
): ColumnPages {
  const share = heldShare(held);
  const readBuffer = { bytes: Buffer.alloc(0) };
  let scratch = new Int32Array(0);
  let codec: number = CODEC.none;
  let bytes: ChunkBytes | null = null;
  let page: OpenPage = NO_PAGE;
  let isFirst = true;
  return {
    open: (chunk, readBytes) => {
      share.release();
      arrays.setDictionary(null, 0);
      codec = chunk.codec;
      // What is not compressed is used where it stands.
      const into = codec === CODEC.none ? null : readBuffer;
      bytes = createChunkBytes(file, chunk.start, chunk.compressedBytes, readBytes, into);
      page = NO_PAGE;
      isFirst = true;
    },
    get page() {
      return page;
    },
    next: async () => {
      finishPage(page, arrays);
      const next = bytes && (await nextPage(bytes, codec, widths, share.page));
      if (next === null) return false;
      if (next.isDictionary) {
        setDictionary(arrays, next, isFirst);
        share.keep();
      }
      page = next.isDictionary ? NO_PAGE : pageOf(next, physical, arrays.dictionarySize());
      isFirst = false;
      return true;
    },
    takeValues: (presence, at) => {
      const { codes, codesOf, plain } = page;
      if (codes === null) {
        arrays.takePlain(plain, presence, at);
        return;
      }
      if (scratch.length < presence.values) scratch = new Int32Array(presence.values);
      takeCodes(codes, codesOf, scratch, presence.values);
      arrays.putCodes(scratch, presence, at);
    },
  };
}

/** The bytes of one column among those that are held. */
function heldShare(held: HeldPages) {
  let ofPage = 0;
  let kept = 0;
  return {
    /** Takes another page in place of the last one. */
    page: (size: number): void => {
      held.bytes += size - ofPage;
      ofPage = size;
      if (held.bytes > MAX_HELD)
        throw new Error('pages of more than 1 GiB at once: name fewer columns, or give it smaller pages');
    },
    /** The last page stays, as a dictionary does. */
    keep: (): void => {
      kept = ofPage;
      ofPage = 0;
    },
    release: (): void => {
      held.bytes -= ofPage + kept;
      ofPage = 0;
      kept = 0;
    },
  };
}

export interface OpenPage {
  /** Rows, or values of lists and rows without any, that were not read yet. */
  left: number;
  readonly definitions: Codes | null;
  readonly repetitions: Codes | null;
  /** Null: its values are plain. */
  readonly codes: Codes | null;
  /** Of which there are codes. */
  readonly codesOf: number;
  readonly plain: PlainValues;
}

const NO_PAGE: OpenPage = {
  left: 0,
  definitions: null,
  repetitions: null,
  codes: null,
  codesOf: 0,
  plain: NO_VALUES,
};

/** Throws an Error where the page has more than its rows took. Bytes behind codes say nothing: there are writers that pad them. */
function finishPage({ definitions, repetitions, codes, plain }: OpenPage, arrays: ColumnArrays): void {
  if (definitions !== null) finishCodes(definitions);
  if (repetitions !== null) finishCodes(repetitions);
  if (codes === null) arrays.finishPlain(plain);
}

/** A chunk has one dictionary at most, before all that refers to it. */
function setDictionary(
  arrays: ColumnArrays,
  { encoding, bytes, start, end, count }: PageValues,
  isFirst: boolean,
): void {
  if (!isFirst) throw new Error('a dictionary that is not its first page');
  if (encoding !== ENCODING.plain && encoding !== ENCODING.plainDictionary) {
    throw new Error(`a dictionary of encoding ${encoding}`);
  }
  arrays.setDictionary({ bytes, at: start, end }, count);
}

function pageOf(page: PageValues, physical: number, dictionarySize: number): OpenPage {
  const { encoding, bytes, start, end, count: left, definitions, repetitions } = page;
  const open = { ...NO_PAGE, left, definitions, repetitions };
  const isBits = physical === PHYSICAL.boolean;
  if (encoding === ENCODING.plain) {
    return { ...open, plain: { bytes, at: isBits ? start * 8 : start, end } };
  }
  if (encoding === ENCODING.plainDictionary || encoding === ENCODING.rleDictionary) {
    return { ...open, codes: dictionaryCodes(bytes, start, end), codesOf: dictionarySize };
  }
  if (encoding === ENCODING.rle && isBits) {
    return { ...open, codes: runsOfBooleans(bytes, start, end), codesOf: 2 };
  }
  throw new Error(`values of encoding ${encoding}`);
}

/** The width of one code in a byte, then the codes. */
function dictionaryCodes(bytes: Uint8Array, start: number, end: number): Codes {
  // A page of nulls alone may have no byte at all.
  const width = start < end ? bytes[start]! : 0;
  if (width > 32) throw new Error(`dictionary codes of ${width} bits`);
  return hybridCodes(bytes, start + 1, end, width);
}

function runsOfBooleans(bytes: Uint8Array, start: number, end: number): Codes {
  const length = start + 4 <= end ? readLength(bytes, start) : end;
  if (length > end - start - 4) throw tooEarly();
  return hybridCodes(bytes, start + 4, start + 4 + length, 1);
}

/** The next `count` codes of `size`. */
function takeCodes(codes: Codes, size: number, found: Int32Array, count: number): void {
  readCodes(codes, found, count);
  for (let i = 0; i < count; i++) {
    if (found[i]! >>> 0 >= size) throw new Error(`a dictionary code ${found[i]! >>> 0} of ${size}`);
  }
}
