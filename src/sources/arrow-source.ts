import { type AsyncRecordBatchStreamReader, type RecordBatch, RecordBatchReader } from 'apache-arrow';
import type { ColumnBatch, Source } from '../core/types.ts';
import { checkBatch } from './arrow-check.ts';
import { registerArrowCodecs } from './arrow-codecs.ts';
import { arrowError } from './arrow-errors.ts';
import { fileMessages } from './arrow-file.ts';
import { type MessageCount, wholeMessages } from './arrow-messages.ts';
import { arrowColumns, namesOf } from './arrow-types.ts';
import { arrowRows } from './arrow-values.ts';
import type { ByteStream } from './bytes.ts';
import type { RawInput } from './input.ts';
import { spoolToFile } from './spool.ts';
import { inTurns } from './turns.ts';
import { cutBatch, type RowWindow, rowWindow } from './typed-batch.ts';
import type { TypedColumns } from './typed-columns.ts';

/** A file lists its messages at the end and is read at any place; a stream is read from the start. */
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
  const state: ReadState = { rows: 0, batches: 0, seen: { batches: 0, skip: 0, skippedRows: 0 } };
  const spool = kind === 'file' && raw.path === null ? await spoolToFile(chunks, raw.name) : null;
  const close = async (): Promise<void> => {
    if (!signal?.aborted) await chunks.return();
    await messages.return();
    await spool?.remove();
    await raw.close();
  };
  const messages =
    kind === 'stream'
      ? wholeMessages(chunks, raw.name, state.seen)
      : fileMessages(spool?.path ?? raw.path!, raw.name, raw.counter, state.seen);
  try {
    const reader: Reader = await (await RecordBatchReader.from(messages)).open({ autoDestroy: false });
    const columns = arrowColumns(raw.name, reader.schema, []);
    return {
      info: { name: raw.name, format: 'arrow', totalBytes: raw.totalBytes, version: raw.version ?? null },
      columns: columns.infos,
      recordColumns: (selected) => selected.map((index) => columns.infos[index]!.name),
      warnings: columns.warnings,
      bytesRead: () => raw.counter.bytes,
      batches: (selected, range) =>
        inTurns(
          readBatches({ raw, reader, columns, batchRows, signal, state }, selected, rowWindow(range)),
          signal,
        ),
      close,
    };
  } catch (error) {
    await close();
    throw arrowError(raw.name, 0, error);
  }
}

type Reader = Pick<AsyncRecordBatchStreamReader, 'schema' | 'next'>;

interface ReadState {
  rows: number;
  batches: number;
  readonly seen: MessageCount;
}

interface OpenArrow {
  readonly raw: RawInput;
  readonly reader: Reader;
  readonly columns: TypedColumns;
  readonly batchRows: number;
  readonly signal: AbortSignal | undefined;
  readonly state: ReadState;
}

async function* readBatches(
  opened: OpenArrow,
  selected: readonly number[],
  window: RowWindow,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const { columns, batchRows, signal, state } = opened;
  columns.select(selected);
  state.seen.skip = window.skip;
  for (; state.rows < window.end; ) {
    signal?.throwIfAborted();
    const batch = await nextBatch(opened, selected);
    if (batch === null) break;
    // Also where no column is wanted: all of its rows in one batch would be too many to keep.
    const selection = columns.selection(selected, namesOf(batch.schema));
    yield* cutBatch(arrowRows(batch, selection), state.rows + 1, batchRows, window);
    state.rows += batch.numRows;
  }
}

async function nextBatch(opened: OpenArrow, selected: readonly number[]): Promise<RecordBatch | null> {
  const { raw, reader, columns, state } = opened;
  try {
    const step = await reader.next();
    if (state.batches === 0) state.rows = state.seen.skippedRows;
    if (step.done) {
      if (state.batches === state.seen.batches) return null;
      throw new Error(`${state.seen.batches} record batches of which ${state.batches} could be read`);
    }
    // Of no batch at all apache-arrow makes an empty one.
    if (state.seen.batches === 0) return null;
    state.batches++;
    const batch: RecordBatch = step.value;
    const indexes = columns.selection(selected, namesOf(batch.schema)).map((column) => column.index);
    checkBatch(batch, indexes);
    return batch;
  } catch (error) {
    opened.signal?.throwIfAborted();
    throw arrowError(raw.name, state.rows, error);
  }
}
