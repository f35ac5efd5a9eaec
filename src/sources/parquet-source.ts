import { type FileHandle, open, stat } from 'node:fs/promises';
import { RecordBatchReader, type Schema } from 'apache-arrow';
import { FeaturectlError } from '../core/errors.ts';
import type { ColumnBatch, Source } from '../core/types.ts';
import { assertUnchanged, type ByteStream, type FileState, readError } from './bytes.ts';
import { encryptedError } from './format.ts';
import type { RawInput } from './input.ts';
import { type ParquetFooter, readFooter } from './parquet-footer.ts';
import { type ParquetThread, startParquetThread } from './parquet-thread.ts';
import { spoolToFile } from './spool.ts';
import { cutBatch, emptyBatch, type RowWindow, rowWindow } from './typed-batch.ts';
import { type TypedColumns, typedColumns } from './typed-columns.ts';
import { loadWasmEngine } from './wasm-engine.ts';

/** Record batches that the decoder prepares while one is being used. */
const READ_AHEAD = 2;
/** Decoded bytes that a record batch should have, and its bounds in rows. */
const DECODED_BATCH_BYTES = 4 * 1024 * 1024;
const MIN_DECODED_ROWS = 64;
const MAX_DECODED_ROWS = 8192;
/** The length of the footer and PAR1. */
const TAIL_BYTES = 8;

/**
 * Opens a Parquet file; a pipe is first written to a private temporary file, as the footer is at the end.
 * Throws SOURCE_TRUNCATED where the end is missing, SOURCE_ENCRYPTED, and SOURCE_CORRUPT for the rest.
 */
export async function openParquet(
  raw: RawInput,
  chunks: ByteStream,
  batchRows: number,
  signal: AbortSignal | undefined,
): Promise<Source> {
  const spool = raw.path === null ? await spoolToFile(chunks, raw.name) : null;
  const path = spool?.path ?? raw.path!;
  let thread: ParquetThread | null = null;
  const onAbort = (): void => void thread?.stop();
  const close = async (): Promise<void> => {
    signal?.removeEventListener('abort', onAbort);
    await thread?.stop();
    await chunks.return();
    await spool?.remove();
    await raw.close();
  };
  try {
    const atOpen = await stat(path);
    const file = await readFileFooter(path, raw.name);
    const footer = file.rewritten === null ? null : { start: file.start, bytes: file.rewritten };
    const started = startParquetThread({ engine: await loadWasmEngine(), path, footer });
    thread = started;
    // The decoder may be busy for long; ending its thread makes every answer fail at once.
    signal?.addEventListener('abort', onAbort);
    const schema = await readSchema(raw.name, await answer(raw.name, 0, started.schema, signal));
    const columns = typedColumns(raw.name, schema, file.footer.leaves);
    return parquetSource({ raw, path, atOpen, file, thread: started, columns, batchRows, signal, close });
  } catch (error) {
    await close();
    throw error;
  }
}

interface OpenParquet {
  readonly raw: RawInput;
  readonly path: string;
  readonly atOpen: FileState;
  readonly file: FileFooter;
  readonly thread: ParquetThread;
  readonly columns: TypedColumns;
  readonly batchRows: number;
  readonly signal: AbortSignal | undefined;
  close(): Promise<void>;
}

function parquetSource(opened: OpenParquet): Source {
  const { raw, file, columns } = opened;
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
      unchanged(opened, readBatches(opened, selected, progress, rowWindow(range))),
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
  selected: readonly number[],
  progress: { rows: number },
  window: RowWindow,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const { raw, thread, columns, batchRows, signal, file } = opened;
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
      yield* cutBatch(batch, columns.selection(selected, batch.schema), progress.rows + 1, batchRows, window);
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

function decodeError(name: string, row: number, error: unknown): FeaturectlError {
  const text = error instanceof Error ? error.message : String(error);
  if (/encrypt/i.test(text)) return encryptedError(name);
  const detail = /unreachable|memory access|out of bounds/.test(text) ? 'its pages do not decode' : text;
  const where = row === 0 ? name : `${name}, after row ${row}`;
  return new FeaturectlError(
    'SOURCE_CORRUPT',
    `${where}: expected readable Parquet, found damage or a feature that is not supported (${detail.replace(/^(Error: |Parquet error: )+/, '')}); write the file again`,
    { cause: error },
  );
}

function wrongRowCount(name: string, found: number, expected: number): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_CORRUPT',
    `${name}: expected ${expected} rows as the footer says, found ${found}; write the file again`,
  );
}

async function readSchema(name: string, ipc: Uint8Array): Promise<Schema> {
  try {
    return RecordBatchReader.from(ipc).open().schema;
  } catch (error) {
    throw decodeError(name, 0, error);
  }
}

interface FileFooter {
  readonly footer: ParquetFooter;
  readonly size: number;
  /** Bytes before the footer. */
  readonly start: number;
  /** A whole new end of the file; null: its own will do. */
  readonly rewritten: Buffer | null;
}

async function readFileFooter(path: string, name: string): Promise<FileFooter> {
  const handle = await open(path).catch((error: unknown) => {
    throw readError(name, error);
  });
  try {
    const { size } = await handle.stat();
    const tail = await readAt(handle, Math.max(size - TAIL_BYTES, 0), Math.min(size, TAIL_BYTES));
    checkTail(name, tail, size);
    const length = tail.readUInt32LE(0);
    const start = size - TAIL_BYTES - length;
    if (start < 4)
      throw footerError(name, `its footer to have ${length} bytes, found only ${size} in the file`);
    return parseFooter(name, await readAt(handle, start, length), start, size);
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, at);
  return buffer.subarray(0, bytesRead);
}

function checkTail(name: string, tail: Buffer, size: number): void {
  const magic = tail.subarray(-4).toString('latin1');
  if (magic === 'PARE') throw encryptedError(name);
  if (magic !== 'PAR1' || size < 12)
    throw footerError(name, 'PAR1 after a footer at its end, found other bytes');
}

function footerError(name: string, expected: string): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_TRUNCATED',
    `${name}: expected ${expected}: the file is cut or was not finished; copy or write it again`,
  );
}

function parseFooter(name: string, bytes: Buffer, start: number, size: number): FileFooter {
  let footer: ParquetFooter;
  try {
    footer = readFooter(bytes);
  } catch (error) {
    throw decodeError(name, 0, error);
  }
  if (footer.encrypted) throw encryptedError(name);
  return { footer, size, start, rewritten: footer.rewritten === null ? null : withTail(footer.rewritten) };
}

function withTail(footer: Buffer): Buffer {
  const tail = Buffer.from('\0\0\0\0PAR1', 'latin1');
  tail.writeUInt32LE(footer.length);
  return Buffer.concat([footer, tail]);
}
