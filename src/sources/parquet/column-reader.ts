/** One column of a Parquet file: its pages, levels and values, a number of rows at a time. */
import type { FileHandle } from 'node:fs/promises';
import type { DecodedColumn } from '../decoded-column.ts';
import { type ChunkBytes, createChunkBytes } from './chunk-bytes.ts';
import { type ColumnArrays, createColumnArrays } from './column-arrays.ts';
import type { ColumnChunk } from './column-chunk.ts';
import { CODEC } from './decompress.ts';
import { PHYSICAL } from './elements.ts';
import { tooEarly } from './errors.ts';
import type { FlatColumn } from './flat-schema.ts';
import { type Codes, finishCodes, hybridCodes, readCodes } from './hybrid.ts';
import { ENCODING } from './page-header.ts';
import { nextPage, type PageValues, readLength } from './pages.ts';
import { NO_VALUES, type PlainValues } from './value-arrays.ts';

export interface ColumnReader {
  /** Goes on with the column of another row group, of which `readBytes` are read from the file at once. */
  open(chunk: ColumnChunk, readBytes: number): void;
  /** The next `rows` of the group, of which there must be so many. Throws an Error in words. */
  read(rows: number): Promise<DecodedColumn>;
  /** After the last of the group's rows. Throws an Error in words where the pages have values left. */
  finish(): Promise<void>;
  /** Bytes of the arrays of the last rows that were read. */
  bytes(): number;
}

/** Bytes of the pages that the columns of a row group hold. */
export interface HeldPages {
  bytes: number;
}

/** Most of them: a damaged or hostile file of some KiB can ask for as many gigabytes as it has columns. */
const MAX_HELD = 1024 * 1024 * 1024;

export function createColumnReader(file: FileHandle, column: FlatColumn, held: HeldPages): ColumnReader {
  const arrays = createColumnArrays(column);
  const share = heldShare(held);
  const readBuffer = { bytes: Buffer.alloc(0) };
  const scratch = { codes: new Int32Array(0) };
  let codec: number = CODEC.none;
  let bytes: ChunkBytes | null = null;
  let page: OpenPage = NO_PAGE;
  let isFirst = true;

  /** False: there is none. */
  const openPage = async (): Promise<boolean> => {
    finishPage(page, arrays);
    const next = bytes && (await nextPage(bytes, codec, column.isOptional, share.page));
    if (next === null) return false;
    if (next.isDictionary) {
      setDictionary(arrays, next, isFirst);
      share.keep();
    }
    page = next.isDictionary ? NO_PAGE : pageOf(next, column.physical, arrays.dictionarySize());
    isFirst = false;
    return true;
  };
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
    read: async (rows) => {
      arrays.begin(rows);
      for (let done = 0; done < rows; ) {
        while (page.left === 0) {
          if (!(await openPage())) throw new Error('fewer values than the footer says');
        }
        const count = Math.min(page.left, rows - done);
        const presence = arrays.present(page.levels, count, done);
        if (page.codes === null) arrays.takePlain(page.plain, presence, done);
        else {
          takeCodes(page.codes, page.codesOf, scratch, presence.values);
          arrays.putCodes(scratch.codes, presence, done);
        }
        page.left -= count;
        done += count;
      }
      return arrays.result();
    },
    finish: async () => {
      while (page.left === 0) if (!(await openPage())) return;
      throw new Error('more values than the footer says');
    },
    bytes: arrays.bytes,
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

interface OpenPage {
  /** Rows that were not read yet. */
  left: number;
  readonly levels: Codes | null;
  /** Null: its values are plain. */
  readonly codes: Codes | null;
  /** Of which there are codes. */
  readonly codesOf: number;
  readonly plain: PlainValues;
}

const NO_PAGE: OpenPage = { left: 0, levels: null, codes: null, codesOf: 0, plain: NO_VALUES };

/** Throws an Error where the page has more than its rows took. Bytes behind codes say nothing: there are writers that pad them. */
function finishPage({ levels, codes, plain }: OpenPage, arrays: ColumnArrays): void {
  if (levels !== null) finishCodes(levels);
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
  const { encoding, bytes, start, end, count: left, levels } = page;
  const isBits = physical === PHYSICAL.boolean;
  if (encoding === ENCODING.plain) {
    return { left, levels, codes: null, codesOf: 0, plain: { bytes, at: isBits ? start * 8 : start, end } };
  }
  if (encoding === ENCODING.plainDictionary || encoding === ENCODING.rleDictionary) {
    const codes = dictionaryCodes(bytes, start, end);
    return { left, levels, codes, codesOf: dictionarySize, plain: NO_VALUES };
  }
  if (encoding === ENCODING.rle && isBits) {
    return { left, levels, codes: runsOfBooleans(bytes, start, end), codesOf: 2, plain: NO_VALUES };
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
function takeCodes(codes: Codes, size: number, scratch: { codes: Int32Array }, count: number): void {
  if (scratch.codes.length < count) scratch.codes = new Int32Array(count);
  const found = scratch.codes;
  readCodes(codes, found, count);
  for (let i = 0; i < count; i++) {
    if (found[i]! >>> 0 >= size) throw new Error(`a dictionary code ${found[i]! >>> 0} of ${size}`);
  }
}
