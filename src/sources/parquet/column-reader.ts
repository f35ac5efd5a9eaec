/** One column of one row group: its pages, levels and values, a number of rows at a time. */
import type { FileHandle } from 'node:fs/promises';
import type { DecodedColumn } from '../decoded-column.ts';
import { createChunkBytes } from './chunk-bytes.ts';
import { createColumnArrays } from './column-arrays.ts';
import type { ColumnChunk } from './column-chunk.ts';
import { PHYSICAL } from './elements.ts';
import { tooEarly } from './errors.ts';
import type { FlatColumn } from './flat-schema.ts';
import { type Codes, createHybrid, ZEROS } from './hybrid.ts';
import { ENCODING } from './page-header.ts';
import { nextPage, type PageValues, readLength } from './pages.ts';
import type { PageReader, Presence, ValueArrays } from './value-arrays.ts';

export interface ColumnReader {
  /** The next `rows`, of which there must be so many. Throws an Error in words. */
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

/** `readBytes`: to read from the file at once. */
export function createColumnReader(
  file: FileHandle,
  column: FlatColumn,
  chunk: ColumnChunk,
  readBytes: number,
  held: HeldPages,
): ColumnReader {
  const bytes = createChunkBytes(file, chunk.start, chunk.compressedBytes, readBytes);
  const arrays = createColumnArrays(column);
  let page: OpenPage = NO_PAGE;
  let isFirst = true;
  let pageBytes = 0;
  const reserve = (size: number): void => {
    held.bytes += size - pageBytes;
    pageBytes = size;
    if (held.bytes > MAX_HELD)
      throw new Error('pages of more than 1 GiB at once: name fewer columns, or give it smaller pages');
  };
  /** False: there is none. */
  const openPage = async (): Promise<boolean> => {
    page.levels?.finish();
    page.values.finish();
    const next = await nextPage(bytes, chunk.codec, column.isOptional, reserve);
    if (next === null) return false;
    if (next.isDictionary) {
      setDictionary(arrays.values, next, isFirst);
      pageBytes = 0;
    }
    page = next.isDictionary
      ? NO_PAGE
      : { left: next.count, levels: next.levels, values: pageReader(arrays.values, next, column.physical) };
    isFirst = false;
    return true;
  };
  return {
    read: async (rows) => {
      arrays.begin(rows);
      for (let done = 0; done < rows; ) {
        while (page.left === 0) {
          if (!(await openPage())) throw new Error('fewer values than the footer says');
        }
        const count = Math.min(page.left, rows - done);
        page.values.take(arrays.present(page.levels, count, done), done);
        page.left -= count;
        done += count;
      }
      return arrays.result();
    },
    finish: async () => {
      while (page.left === 0) if (!(await openPage())) return;
      throw new Error('more values than the footer says');
    },
    bytes: () => arrays.values.bytes(),
  };
}

interface OpenPage {
  /** Rows that were not read yet. */
  left: number;
  readonly levels: Codes | null;
  readonly values: PageReader;
}

const NO_PAGE: OpenPage = {
  left: 0,
  levels: null,
  values: { take: () => undefined, finish: () => undefined },
};

/** A chunk has one dictionary at most, before all that refers to it. */
function setDictionary(
  arrays: ValueArrays,
  { encoding, bytes, start, end, count }: PageValues,
  isFirst: boolean,
): void {
  if (!isFirst) throw new Error('a dictionary that is not its first page');
  if (encoding !== ENCODING.plain && encoding !== ENCODING.plainDictionary) {
    throw new Error(`a dictionary of encoding ${encoding}`);
  }
  arrays.setDictionary(bytes, start, end, count);
}

function pageReader(
  arrays: ValueArrays,
  { encoding, bytes, start, end }: PageValues,
  physical: number,
): PageReader {
  if (encoding === ENCODING.plain) return arrays.plain(bytes, start, end);
  if (encoding === ENCODING.plainDictionary || encoding === ENCODING.rleDictionary) {
    return dictionaryCodes(arrays, bytes, start, end);
  }
  if (encoding === ENCODING.rle && physical === PHYSICAL.boolean)
    return runsOfBooleans(arrays, bytes, start, end);
  throw new Error(`values of encoding ${encoding}`);
}

/** The width of one code in a byte, then the codes. */
function dictionaryCodes(arrays: ValueArrays, bytes: Uint8Array, start: number, end: number): PageReader {
  // A page of nulls alone may have no byte at all.
  const width = start < end ? bytes[start]! : 0;
  if (width > 32) throw new Error(`dictionary codes of ${width} bits`);
  const codes = width === 0 ? ZEROS : createHybrid(bytes, start + 1, end, width);
  return codesReader(arrays, codes, arrays.dictionarySize());
}

function runsOfBooleans(arrays: ValueArrays, bytes: Uint8Array, start: number, end: number): PageReader {
  const length = start + 4 <= end ? readLength(bytes, start) : end;
  if (length > end - start - 4) throw tooEarly();
  return codesReader(arrays, createHybrid(bytes, start + 4, start + 4 + length, 1), 2);
}

/** `size`: of which there are codes. */
function codesReader(arrays: ValueArrays, codes: Codes, size: number): PageReader {
  let scratch = new Int32Array(0);
  return {
    take: (presence: Presence, at) => {
      const { values } = presence;
      if (scratch.length < values) scratch = new Int32Array(values);
      codes.read(scratch, values);
      for (let i = 0; i < values; i++) {
        if (scratch[i]! >>> 0 >= size) throw new Error(`a dictionary code ${scratch[i]! >>> 0} of ${size}`);
      }
      arrays.putCodes(scratch, presence, at);
    },
    // Bytes behind the codes say nothing: there are writers that pad them.
    finish: () => undefined,
  };
}
