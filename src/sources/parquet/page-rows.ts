/** The rows of a Parquet file from its pages, column by column. */
import type { FileHandle } from 'node:fs/promises';
import type { FileState } from '../bytes.ts';
import type { DecodedColumn } from '../decoded-column.ts';
import type { DecodedRows } from '../typed-batch.ts';
import { type ColumnChunk, isDecodable, readChunks } from './column-chunk.ts';
import { type ColumnReader, createColumnReader } from './column-reader.ts';
import type { FlatColumn } from './flat-schema.ts';
import type { ParquetFooter } from './footer.ts';

/** Bytes to read of one column at once; of many columns together no more than `ALL_READ`, if that goes. */
const MAX_READ = 256 * 1024;
const ALL_READ = 16 * 1024 * 1024;
const MIN_READ = 16 * 1024;

/** Rows to decode at once: at first few, as nobody knows how long they are, then so many that they have some MiB. */
const FIRST_ROWS = 512;
const MIN_ROWS = 64;
const MAX_ROWS = 8192;
const DECODED_BYTES = 4 * 1024 * 1024;

/** Most bytes of a value of fixed length. */
const MAX_WIDTH = 4 * 1024 * 1024;

/** Bytes of text up to which it is put into one buffer. */
const MAX_SHARED = 64 * 1024 * 1024;

/** Whether these columns of these row groups can be read from their pages. `endBytes`: of the file before its footer. */
export function areDecodable(
  footer: ParquetFooter,
  columns: readonly FlatColumn[],
  selected: readonly number[],
  groups: readonly number[],
  endBytes: number,
): boolean {
  if (footer.groupChunks.length !== footer.groupRows.length) return false;
  return groups.every((group) => {
    const chunks = readChunks(footer.bytes, footer.groupChunks[group]!);
    return selected.every((index) => {
      const chunk = chunks[index];
      const rows = footer.groupRows[group]!;
      if (columns[index]!.width > MAX_WIDTH) return false;
      return chunk !== undefined && isDecodable(chunk, columns[index]!.physical, rows, endBytes);
    });
  });
}

/** A file of which the footer was read. */
export interface PageFile {
  readonly handle: FileHandle;
  /** Throws where it is not the one that was opened, or was written to. */
  check(state: FileState): void;
}

/** Rows of the groups, in order. Throws an Error in words where pages are damaged. */
export async function* pageRows(
  { handle, check }: PageFile,
  footer: ParquetFooter,
  columns: readonly FlatColumn[],
  selected: readonly number[],
  groups: readonly number[],
): AsyncGenerator<DecodedRows, void, undefined> {
  let size = FIRST_ROWS;
  check(await handle.stat());
  // Groups without rows may have no pages, and chunks that begin nowhere.
  for (const group of groups.filter((one) => footer.groupRows[one]! > 0)) {
    const chunks = readChunks(footer.bytes, footer.groupChunks[group]!);
    checkStarts(chunks);
    const readers = openColumns(handle, chunks, columns, selected);
    const most = mostRows(chunks, columns, selected, footer.groupRows[group]!);
    size = Math.min(size, most);
    for (let left = footer.groupRows[group]!; left > 0; ) {
      const count = Math.min(left, size);
      const read = await Promise.all(readers.map((reader) => reader.read(count)));
      yield { count, columns: inOneBuffer(read, count) };
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
function mostRows(
  chunks: readonly ColumnChunk[],
  columns: readonly FlatColumn[],
  selected: readonly number[],
  rows: number,
): number {
  const bytes = selected.map((index) =>
    Math.max(chunks[index]!.uncompressedBytes / rows, columns[index]!.width),
  );
  const each = bytes.reduce((sum, one) => sum + one, 1);
  return Math.max(Math.min(Math.floor(DECODED_BYTES / each), MAX_ROWS), MIN_ROWS);
}

function openColumns(
  file: FileHandle,
  chunks: readonly ColumnChunk[],
  columns: readonly FlatColumn[],
  selected: readonly number[],
): readonly ColumnReader[] {
  const readBytes = Math.max(Math.min(MAX_READ, Math.floor(ALL_READ / selected.length)), MIN_READ);
  const held = { bytes: 0 };
  return selected.map((index) => createColumnReader(file, columns[index]!, chunks[index]!, readBytes, held));
}

/** The texts of all columns in the same bytes, since who copies from them keeps a view of those that it saw last. */
function inOneBuffer(columns: readonly DecodedColumn[], count: number): readonly DecodedColumn[] {
  const lengths = columns.map(({ slots }) =>
    slots?.values.kind === 'bytes' ? slots.values.offsets[count]! : 0,
  );
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total === 0 || total > MAX_SHARED) return columns;
  const bytes = new Uint8Array(total);
  let start = 0;
  return columns.map((column, index) => {
    const { slots } = column;
    if (slots?.values.kind !== 'bytes') return column;
    const values = { ...slots.values, bytes, start };
    bytes.set(slots.values.bytes.subarray(0, lengths[index]!), start);
    start += lengths[index]!;
    return { ...column, slots: { ...slots, values } };
  });
}

function nextSize(size: number, count: number, readers: readonly ColumnReader[]): number {
  const bytes = readers.reduce((sum, reader) => sum + reader.bytes(), 0);
  const wanted = Math.floor((DECODED_BYTES / Math.max(bytes, 1)) * count);
  return Math.max(Math.min(wanted, size * 8, MAX_ROWS), MIN_ROWS);
}
