/** The rows of a Parquet file from parquet-wasm, in its thread. */
import { RecordBatchReader, type Schema } from 'apache-arrow';
import { arrowColumns, namesOf } from '../arrow-types.ts';
import { arrowRows } from '../arrow-values.ts';
import type { DecodedRows } from '../typed-batch.ts';
import type { TypedColumns } from '../typed-columns.ts';
import type { ParquetFooter } from './footer.ts';
import type { ParquetThread } from './wasm-thread.ts';

/** Record batches that the decoder prepares while one is being used. */
const READ_AHEAD = 2;
/** Decoded bytes that a record batch should have, and its bounds in rows. */
const DECODED_BATCH_BYTES = 4 * 1024 * 1024;
const MIN_DECODED_ROWS = 64;
const MAX_DECODED_ROWS = 8192;

/** The columns as the decoder sees them. Throws what it says where it does not take the file. */
export async function wasmColumns(
  name: string,
  footer: ParquetFooter,
  thread: ParquetThread,
): Promise<TypedColumns> {
  return arrowColumns(name, readSchema(await thread.schema), footer.leaves);
}

/** Rows of the groups, in order; null: all that there are. */
export async function* wasmRows(
  thread: ParquetThread,
  footer: ParquetFooter,
  columns: TypedColumns,
  selected: readonly number[],
  groups: readonly number[] | null,
): AsyncGenerator<DecodedRows, void, undefined> {
  await thread.schema;
  thread.select(columns.select(selected), decodedRows(footer), groups);
  const ahead = Array.from({ length: READ_AHEAD }, () => thread.next());
  for (const one of ahead) one.catch(() => undefined);
  for (;;) {
    const ipc = await ahead.shift()!;
    if (ipc === null) return;
    const more = thread.next();
    more.catch(() => undefined);
    ahead.push(more);
    for (const batch of RecordBatchReader.from(ipc)) {
      yield arrowRows(batch, columns.selection(selected, namesOf(batch.schema)));
    }
  }
}

/** Rows a record batch, so that it has some MiB however wide the rows are. */
function decodedRows(footer: ParquetFooter): number {
  const perRow = footer.uncompressedBytes / Math.max(footer.rows, 1);
  const rows = Math.floor(DECODED_BATCH_BYTES / Math.max(perRow, 1));
  return Math.min(Math.max(rows, MIN_DECODED_ROWS), MAX_DECODED_ROWS);
}

function readSchema(ipc: Uint8Array): Schema {
  return RecordBatchReader.from(ipc).open().schema;
}
