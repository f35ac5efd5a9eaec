/** One column of a Parquet file: its values, a number of rows at a time. */
import type { FileHandle } from 'node:fs/promises';
import type { DecodedColumn } from '../decoded-column.ts';
import { createColumnArrays } from './column-arrays.ts';
import type { ColumnChunk } from './column-chunk.ts';
import { createColumnPages, type HeldPages } from './column-pages.ts';
import type { LeafColumn } from './leaf-columns.ts';

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

/** `column`: without lists. */
export function createColumnReader(
  file: FileHandle,
  { name, leaf }: LeafColumn,
  held: HeldPages,
): ColumnReader {
  const arrays = createColumnArrays(leaf);
  const widths = { definition: leaf.isOptional ? 1 : 0, repetition: 0 } as const;
  const pages = createColumnPages(file, leaf.physical, widths, arrays, held);
  return {
    open: pages.open,
    read: async (rows) => {
      arrays.begin(rows);
      for (let done = 0; done < rows; ) {
        while (pages.page.left === 0) {
          if (!(await pages.next())) throw new Error('fewer values than the footer says');
        }
        const { page } = pages;
        const count = Math.min(page.left, rows - done);
        const presence = arrays.present(page.definitions, count, done);
        pages.takeValues(presence, done);
        page.left -= count;
        done += count;
      }
      return { name, ...arrays.result() };
    },
    finish: async () => {
      while (pages.page.left === 0) if (!(await pages.next())) return;
      throw new Error('more values than the footer says');
    },
    bytes: arrays.bytes,
  };
}
