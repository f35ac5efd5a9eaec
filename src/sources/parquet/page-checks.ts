/** Looks at the checksums of pages that parquet-wasm decodes, since it does not. */
import type { FileHandle } from 'node:fs/promises';
import type { DecodedRows } from '../typed-batch.ts';
import { createChunkBytes } from './chunk-bytes.ts';
import { type ColumnChunk, readChunks } from './column-chunk.ts';
import { isWhole, type ParquetFooter } from './footer.ts';
import { takePage } from './stored-page.ts';

const READ_BYTES = 256 * 1024;

/**
 * The rows, of which none is given before the pages of its row group have been looked at. `names`: columns of the
 * top level that the rows have; `groups`: those of the rows; null: all. Throws an Error in words.
 */
export async function* withIntactPages(
  rows: AsyncIterable<DecodedRows>,
  file: FileHandle,
  footer: ParquetFooter,
  names: readonly string[],
  groups: readonly number[] | null,
): AsyncGenerator<DecodedRows, void, undefined> {
  // Where the groups have not the rows of the file, nothing says which rows are whose.
  const left = isWhole(footer) ? [...(groups ?? footer.groupRows.keys())] : [];
  let looked = 0;
  let given = 0;
  for await (const some of rows) {
    given += some.count;
    while (looked < given && left.length > 0) {
      const group = left.shift()!;
      looked += footer.groupRows[group]!;
      await checkGroup(file, footer, group, names);
    }
    yield some;
  }
}

async function checkGroup(
  file: FileHandle,
  footer: ParquetFooter,
  group: number,
  names: readonly string[],
): Promise<void> {
  const at = footer.groupChunks[group];
  const chunks = at === undefined ? [] : readChunks(footer.bytes, at);
  for (const chunk of chunks)
    if (names.includes(chunk.name) && !chunk.isElsewhere) await checkChunk(file, chunk);
}

/** Writers give all pages of a chunk a checksum or none. */
async function checkChunk(file: FileHandle, { start, compressedBytes }: ColumnChunk): Promise<void> {
  if (start < 0 || compressedBytes < 0) return;
  const bytes = createChunkBytes(file, start, compressedBytes, READ_BYTES, null);
  while (bytes.left() > 0) {
    const { header } = await takePage(bytes);
    if (header.crc === null) return;
  }
}
