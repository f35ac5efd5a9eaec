/** The rows of a Parquet file from its pages, column by column. */
import type { FileHandle } from 'node:fs/promises';
import type { FileState } from '../bytes.ts';
import type { DecodedRows } from '../typed-batch.ts';
import { type ColumnChunk, isDecodable, readChunks } from './column-chunk.ts';
import { type ColumnReader, createColumnReader } from './column-reader.ts';
import type { ParquetFooter } from './footer.ts';
import type { LeafColumn } from './leaf-columns.ts';
import { createListColumnReader } from './list-column-reader.ts';

/** Bytes to read of one column at once; of many columns together no more than `ALL_READ`, if that goes. */
const MAX_READ = 256 * 1024;
const ALL_READ = 16 * 1024 * 1024;
const MIN_READ = 16 * 1024;

/** Rows to decode at once: at first few, as nobody knows how long they are, then so many that they have some MiB. */
const FIRST_ROWS = 512;
const MAX_ROWS = 8192;
const DECODED_BYTES = 4 * 1024 * 1024;

/** Most bytes of a value of fixed length. */
const MAX_WIDTH = 4 * 1024 * 1024;

/** Where the selected columns of a row group lie. */
export interface GroupChunks {
  readonly rows: number;
  readonly chunks: readonly ColumnChunk[];
}

/** Null where columns of these row groups cannot be read from their pages. `endBytes`: of the file before its footer. */
export function decodableChunks(
  footer: ParquetFooter,
  columns: readonly LeafColumn[],
  selected: readonly number[],
  groups: readonly number[],
  endBytes: number,
): readonly GroupChunks[] | null {
  if (footer.groupChunks.length !== footer.groupRows.length) return null;
  const found: GroupChunks[] = [];
  for (const group of groups) {
    const rows = footer.groupRows[group]!;
    const all = readChunks(footer.bytes, footer.groupChunks[group]!);
    const chunks = selected.map((index) => all[index]);
    const areRead = chunks.every((chunk, i) => {
      const { leaf, list } = columns[selected[i]!]!;
      if (chunk === undefined || leaf.width > MAX_WIDTH) return false;
      const hasRows = list === null || rows === 0 ? chunk.values === rows : chunk.values >= rows;
      return hasRows && isDecodable(chunk, leaf.physical, endBytes);
    });
    if (!areRead) return null;
    // Groups without rows may have no pages, and chunks that begin nowhere.
    if (rows === 0) continue;
    checkStarts(all);
    found.push({ rows, chunks: chunks as readonly ColumnChunk[] });
  }
  return found;
}

/** A file of which the footer was read. */
export interface PageFile {
  readonly handle: FileHandle;
  /** Throws where it is not the one that was opened, or was written to. */
  check(state: FileState): void;
}

/** Rows of the groups, in order, of the columns in the order of their chunks. Throws an Error in words where pages are damaged. */
export async function* pageRows(
  { handle, check }: PageFile,
  columns: readonly LeafColumn[],
  groups: readonly GroupChunks[],
): AsyncGenerator<DecodedRows, void, undefined> {
  let size = FIRST_ROWS;
  const held = { bytes: 0 };
  const readers = columns.map((column) =>
    column.list === null
      ? createColumnReader(handle, column, held)
      : createListColumnReader(handle, column, column.list, held),
  );
  check(await handle.stat());
  for (const { rows, chunks } of groups) {
    for (const [i, chunk] of chunks.entries()) readers[i]!.open(chunk, bytesToRead(chunks.length));
    const most = mostRows(chunks, columns, rows);
    size = Math.min(size, most);
    for (let left = rows; left > 0; ) {
      const count = Math.min(left, size);
      const read = await Promise.all(readers.map((reader) => reader.read(count)));
      yield { count, columns: read };
      left -= count;
      size = Math.min(nextSize(size, count, readers), most);
    }
    await Promise.all(readers.map((reader) => reader.finish()));
    check(await handle.stat());
  }
}

function checkStarts(chunks: readonly ColumnChunk[]): void {
  const starts = new Set(chunks.map(({ start }) => start));
  if (starts.size < chunks.length) throw new Error('columns that begin at the same byte of the file');
}

/** Rows to decode at once by what the footer says of their bytes, which counts a value of a dictionary once. */
function mostRows(chunks: readonly ColumnChunk[], columns: readonly LeafColumn[], rows: number): number {
  const bytes = chunks.map((chunk, i) => Math.max(chunk.uncompressedBytes / rows, widthOf(columns[i]!)));
  const each = bytes.reduce((sum, one) => sum + one, 1);
  return Math.max(Math.min(Math.floor(DECODED_BYTES / each), MAX_ROWS), 1);
}

/** Bytes of a row's values at least. */
function widthOf({ leaf, list }: LeafColumn): number {
  return list === null ? leaf.width : leaf.width * (list.size ?? 0);
}

/** To read from one column at once. */
function bytesToRead(columns: number): number {
  return Math.max(Math.min(MAX_READ, Math.floor(ALL_READ / columns)), MIN_READ);
}

function nextSize(size: number, count: number, readers: readonly ColumnReader[]): number {
  const bytes = readers.reduce((sum, reader) => sum + reader.bytes(), 0);
  const wanted = Math.floor((DECODED_BYTES / Math.max(bytes, 1)) * count);
  return Math.max(Math.min(wanted, size * 8, MAX_ROWS), 1);
}
