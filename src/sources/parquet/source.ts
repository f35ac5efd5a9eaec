/** The rows of a Parquet file, from the decoder's thread. */
import { stat } from 'node:fs/promises';
import { RecordBatchReader, type Schema } from 'apache-arrow';
import { FeaturectlError } from '../../core/errors.ts';
import type { ColumnBatch, Source } from '../../core/types.ts';
import { arrowRows } from '../arrow-values.ts';
import { assertUnchanged, type FileState } from '../bytes.ts';
import type { RawInput } from '../input.ts';
import { cutBatch, emptyBatch, type RowWindow, rowWindow } from '../typed-batch.ts';
import { type TypedColumns, typedColumns } from '../typed-columns.ts';
import { decodeError } from './errors.ts';
import type { ParquetFooter } from './footer.ts';
import type { ParquetThread } from './wasm-thread.ts';

/** Record batches that the decoder prepares while one is being used. */
const READ_AHEAD = 2;
/** Decoded bytes that a record batch should have, and its bounds in rows. */
const DECODED_BATCH_BYTES = 4 * 1024 * 1024;
const MIN_DECODED_ROWS = 64;
const MAX_DECODED_ROWS = 8192;

export interface OpenParquet {
  readonly raw: RawInput;
  readonly path: string;
  readonly atOpen: FileState;
  readonly file: { readonly footer: ParquetFooter; readonly size: number };
  readonly thread: ParquetThread;
  readonly batchRows: number;
  readonly signal: AbortSignal | undefined;
  close(): Promise<void>;
}

/** Throws SOURCE_CORRUPT where the decoder does not take the file. */
export async function parquetSource(opened: OpenParquet): Promise<Source> {
  const { raw, file, thread, signal } = opened;
  const schema = readSchema(raw.name, await answer(raw.name, 0, thread.schema, signal));
  const columns = typedColumns(raw.name, schema, file.footer.leaves);
  const progress = { rows: 0 };
  const share = (): number => (file.footer.rows === 0 ? 1 : Math.min(progress.rows / file.footer.rows, 1));
  return {
    info: { name: raw.name, format: 'parquet', totalBytes: file.size, version: raw.version ?? null },
    columns: columns.infos,
    ...blocksOf(file.footer),
    recordColumns: (selected) => selected.map((index) => columns.infos[index]!.name),
    warnings: columns.warnings,
    bytesRead: () => Math.round(share() * file.size),
    batches: (selected, range) =>
      unchanged(opened, readBatches(opened, columns, selected, progress, rowWindow(range))),
    close: opened.close,
  };
}

/** None where the groups have not the rows that the file has: then only reading all of it shows what is wrong. */
function blocksOf({ groupRows, rows }: ParquetFooter): Pick<Source, 'blocks'> {
  return groupRows.reduce((sum, count) => sum + count, 0) === rows ? { blocks: groupRows } : {};
}

/** A file that was replaced or rewritten meanwhile mostly shows as damage: its own name for that is clearer. */
async function* unchanged(
  { raw, path, atOpen }: OpenParquet,
  batches: AsyncGenerator<ColumnBatch, void, undefined>,
): AsyncGenerator<ColumnBatch, void, undefined> {
  try {
    yield* batches;
  } catch (error) {
    const now = await stat(path).catch(() => null);
    if (now !== null) assertUnchanged(raw.name, atOpen, now);
    throw error;
  }
}

async function* readBatches(
  opened: OpenParquet,
  columns: TypedColumns,
  selected: readonly number[],
  progress: { rows: number },
  window: RowWindow,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const { raw, thread, batchRows, signal, file } = opened;
  const names = columns.select(selected);
  if (names.length === 0) {
    yield* rowsOnly(window, file.footer.rows, batchRows, progress);
    return;
  }
  const groups = groupsOf(file.footer, window);
  progress.rows = groups.firstRow;
  if (groups.rowGroups?.length === 0) return;
  thread.select(names, decodedRows(file.footer), groups.rowGroups);
  const ahead = Array.from({ length: READ_AHEAD }, () => thread.next());
  for (const one of ahead) one.catch(() => undefined);
  for (;;) {
    const ipc = await answer(raw.name, progress.rows, ahead.shift()!, signal);
    if (ipc === null) break;
    const more = thread.next();
    more.catch(() => undefined);
    ahead.push(more);
    for (const batch of RecordBatchReader.from(ipc)) {
      const rows = arrowRows(batch, columns.selection(selected, batch.schema));
      yield* cutBatch(rows, progress.rows + 1, batchRows, window);
      progress.rows += batch.numRows;
    }
  }
  if (progress.rows !== groups.endRow) throw wrongRowCount(raw.name, progress.rows, groups.endRow);
}

interface GroupRange {
  /** Null: all of the file, whatever its footer says of its groups. */
  readonly rowGroups: readonly number[] | null;
  /** Rows before the first group, and up to the end of the last one. */
  readonly firstRow: number;
  readonly endRow: number;
}

/** The row groups that hold rows of the window. */
function groupsOf({ groupRows, rows }: ParquetFooter, { skip, end }: RowWindow): GroupRange {
  if (skip === 0 && end >= rows) return { rowGroups: null, firstRow: 0, endRow: rows };
  const rowGroups: number[] = [];
  let firstRow = Math.min(skip, rows);
  let at = 0;
  let endRow = firstRow;
  for (const [index, count] of groupRows.entries()) {
    if (at < end && at + count > skip) {
      if (rowGroups.push(index) === 1) firstRow = at;
      endRow = at + count;
    }
    at += count;
  }
  return { rowGroups, firstRow, endRow };
}

function* rowsOnly(
  { skip, end }: RowWindow,
  rows: number,
  batchRows: number,
  progress: { rows: number },
): Generator<ColumnBatch, void, undefined> {
  const total = Math.min(rows, end);
  for (let row = skip; row < total; row += batchRows) {
    const count = Math.min(batchRows, total - row);
    progress.rows = row + count;
    yield emptyBatch(row + 1, count);
  }
}

/** Rows a record batch, so that it has some MiB however wide the rows are. */
function decodedRows(footer: ParquetFooter): number {
  const perRow = footer.uncompressedBytes / Math.max(footer.rows, 1);
  const rows = Math.floor(DECODED_BATCH_BYTES / Math.max(perRow, 1));
  return Math.min(Math.max(rows, MIN_DECODED_ROWS), MAX_DECODED_ROWS);
}

/** The decoder's answer, or its failure in the words of the catalogue, or the signal's reason. */
async function answer<T>(
  name: string,
  row: number,
  reply: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await reply;
  } catch (error) {
    signal?.throwIfAborted();
    throw decodeError(name, row, error);
  }
}

function wrongRowCount(name: string, found: number, expected: number): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_CORRUPT',
    `${name}: expected ${expected} rows as the footer says, found ${found}; write the file again`,
  );
}

function readSchema(name: string, ipc: Uint8Array): Schema {
  try {
    return RecordBatchReader.from(ipc).open().schema;
  } catch (error) {
    throw decodeError(name, 0, error);
  }
}
