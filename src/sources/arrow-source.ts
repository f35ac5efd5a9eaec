import { open } from 'node:fs/promises';
import { type AsyncRecordBatchStreamReader, type RecordBatch, RecordBatchReader } from 'apache-arrow';
import type { ColumnBatch, Source } from '../core/types.ts';
import { checkBatch } from './arrow-check.ts';
import { registerArrowCodecs } from './arrow-codecs.ts';
import { arrowError, cutError } from './arrow-errors.ts';
import { wholeMessages } from './arrow-messages.ts';
import { type ByteStream, readError } from './bytes.ts';
import type { RawInput } from './input.ts';
import { spoolToFile } from './spool.ts';
import { cutBatch, emptyBatch } from './typed-batch.ts';
import { type TypedColumns, typedColumns } from './typed-columns.ts';

/** A file has its batches listed at the end and is read at any place; a stream is read once, from the start. */
export type ArrowKind = 'file' | 'stream';

/**
 * Opens an Arrow IPC file (Feather version 2) or stream, one record batch in memory at a time. Throws
 * SOURCE_TRUNCATED and SOURCE_CORRUPT.
 */
export async function openArrow(
  raw: RawInput,
  chunks: ByteStream,
  kind: ArrowKind,
  batchRows: number,
  signal: AbortSignal | undefined,
): Promise<Source> {
  registerArrowCodecs();
  const state = { rows: 0, bytes: 0 };
  const input = kind === 'file' ? await fileInput(raw, chunks) : streamInput(raw, chunks);
  const close = async (): Promise<void> => {
    await input.close();
    await raw.close();
  };
  try {
    const reader = await input.open();
    const columns = typedColumns(raw.name, reader.schema, []);
    return {
      info: { name: raw.name, format: 'arrow', totalBytes: raw.totalBytes },
      columns: columns.infos,
      recordColumns: (selected) => selected.map((index) => columns.infos[index]!.name),
      warnings: columns.warnings,
      bytesRead: () => (kind === 'file' ? state.bytes : raw.counter.bytes),
      batches: (selected) => readBatches({ raw, reader, columns, batchRows, signal, state }, selected),
      close,
    };
  } catch (error) {
    await close();
    throw arrowError(raw.name, 0, error);
  }
}

type Reader = Pick<AsyncRecordBatchStreamReader, 'schema' | 'next'>;

interface ArrowInput {
  open(): Promise<Reader>;
  close(): Promise<void>;
}

async function fileInput(raw: RawInput, chunks: ByteStream): Promise<ArrowInput> {
  const spool = raw.path === null ? await spoolToFile(chunks, raw.name) : null;
  const handle = await open(spool?.path ?? raw.path!).catch((error: unknown) => {
    throw readError(raw.name, error);
  });
  return {
    open: async () => {
      const { size } = await handle.stat();
      const tail = Buffer.alloc(6);
      await handle.read(tail, 0, 6, Math.max(size - 6, 0));
      if (size < 20 || tail.toString('latin1') !== 'ARROW1') throw cutError(raw.name, 'ARROW1 at its end');
      const reader = await RecordBatchReader.from(handle);
      return (await reader.open({ autoDestroy: false })) as Reader;
    },
    close: async () => {
      await handle.close().catch(() => undefined);
      await chunks.return();
      await spool?.remove();
    },
  };
}

function streamInput(raw: RawInput, chunks: ByteStream): ArrowInput {
  return {
    open: async () => {
      const reader = await RecordBatchReader.from(wholeMessages(chunks, raw.name));
      return (await reader.open({ autoDestroy: false })) as Reader;
    },
    close: async () => {
      await chunks.return();
    },
  };
}

interface OpenArrow {
  readonly raw: RawInput;
  readonly reader: Reader;
  readonly columns: TypedColumns;
  readonly batchRows: number;
  readonly signal: AbortSignal | undefined;
  readonly state: { rows: number; bytes: number };
}

async function* readBatches(
  opened: OpenArrow,
  selected: readonly number[],
): AsyncGenerator<ColumnBatch, void, undefined> {
  const { raw, columns, batchRows, signal, state } = opened;
  columns.select(selected);
  for (;;) {
    signal?.throwIfAborted();
    const batch = await nextBatch(opened, selected);
    if (batch === null) break;
    state.bytes = Math.min(state.bytes + batch.data.byteLength, raw.totalBytes ?? 0);
    if (selected.length > 0) {
      const selection = columns.selection(selected, batch.schema);
      yield* cutBatch(batch, selection, state.rows + 1, batchRows);
    } else if (batch.numRows > 0) {
      yield emptyBatch(state.rows + 1, batch.numRows);
    }
    state.rows += batch.numRows;
  }
  state.bytes = raw.totalBytes ?? 0;
}

async function nextBatch(opened: OpenArrow, selected: readonly number[]): Promise<RecordBatch | null> {
  const { raw, reader, columns, state } = opened;
  try {
    const step = await reader.next();
    if (step.done) return null;
    const batch: RecordBatch = step.value;
    const indexes = columns.selection(selected, batch.schema).map((column) => column.index);
    checkBatch(batch, indexes);
    return batch;
  } catch (error) {
    opened.signal?.throwIfAborted();
    throw arrowError(raw.name, state.rows, error);
  }
}
