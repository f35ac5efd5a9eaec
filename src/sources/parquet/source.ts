/** A Parquet file as a source, whoever decodes its rows. */
import { stat } from 'node:fs/promises';
import { FeaturectlError } from '../../core/errors.ts';
import type { ColumnBatch, Source } from '../../core/types.ts';
import { assertUnchanged, type FileState, readError } from '../bytes.ts';
import type { RawInput } from '../input.ts';
import { inTurns } from '../turns.ts';
import { cutBatch, type DecodedRows, emptyBatch, type RowWindow, rowWindow } from '../typed-batch.ts';
import type { TypedColumns } from '../typed-columns.ts';
import { decodeError } from './errors.ts';
import { isWhole, type ParquetFooter } from './footer.ts';

export interface OpenParquet {
  readonly raw: RawInput;
  readonly path: string;
  readonly atOpen: FileState;
  readonly footer: ParquetFooter;
  readonly size: number;
  readonly columns: TypedColumns;
  readonly batchRows: number;
  readonly signal: AbortSignal | undefined;
  /** Rows of the groups, in order; null: all of the file, whatever its footer says of its groups. */
  rows(selected: readonly number[], groups: readonly number[] | null): AsyncIterable<DecodedRows>;
  close(): Promise<void>;
}

export function parquetSource(opened: OpenParquet): Source {
  const { raw, footer, size, columns } = opened;
  const progress = { rows: 0 };
  const share = (): number => (footer.rows === 0 ? 1 : Math.min(progress.rows / footer.rows, 1));
  return {
    info: { name: raw.name, format: 'parquet', totalBytes: size, version: raw.version ?? null },
    columns: columns.infos,
    ...blocksOf(footer),
    recordColumns: (selected) => selected.map((index) => columns.infos[index]!.name),
    warnings: columns.warnings,
    bytesRead: () => Math.round(share() * size),
    batches: (selected, range) =>
      inTurns(readBatches(opened, selected, progress, rowWindow(range)), opened.signal),
    close: opened.close,
  };
}

/** None where the groups have not the rows that the file has: then only reading all of it shows what is wrong. */
function blocksOf(footer: ParquetFooter): Pick<Source, 'blocks'> {
  return isWhole(footer) ? { blocks: footer.groupRows } : {};
}

async function* readBatches(
  opened: OpenParquet,
  selected: readonly number[],
  progress: { rows: number },
  window: RowWindow,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const { raw, batchRows, signal, footer, columns } = opened;
  if (columns.select(selected).length === 0) {
    yield* rowsOnly(window, footer.rows, batchRows, progress);
    return;
  }
  const groups = groupsOf(footer, window);
  progress.rows = groups.firstRow;
  if (groups.rowGroups?.length === 0) return;
  try {
    for await (const rows of opened.rows(selected, groups.rowGroups)) {
      signal?.throwIfAborted();
      yield* cutBatch(rows, progress.rows + 1, batchRows, window);
      progress.rows += rows.count;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw await explained(opened, progress.rows, error);
  }
  if (progress.rows !== groups.endRow) throw wrongRowCount(raw.name, progress.rows, groups.endRow);
}

/** A file that was replaced or rewritten meanwhile mostly shows as damage: its own name for that is clearer. */
async function explained({ raw, path, atOpen }: OpenParquet, row: number, error: unknown): Promise<unknown> {
  const now = await stat(path).catch(() => null);
  if (now !== null) assertUnchanged(raw.name, atOpen, now);
  if (error instanceof FeaturectlError) return error;
  const isOfSystem = error instanceof Error && 'syscall' in error;
  return isOfSystem ? readError(raw.name, error) : decodeError(raw.name, row, error);
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

function wrongRowCount(name: string, found: number, expected: number): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_CORRUPT',
    `${name}: expected ${expected} rows as the footer says, found ${found}; write the file again`,
  );
}
