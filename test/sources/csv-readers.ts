/** Drives a CSV reader without I/O and tells all that it gave, for comparing two readers. */
import type { FeaturectlError } from '../../src/core/errors.ts';
import type { ColumnBatch } from '../../src/core/types.ts';
import type { CsvReader } from '../../src/sources/csv-reader.ts';

export interface Drive {
  /** Chunk sizes, used round and round. */
  readonly sizes: readonly number[];
  readonly batchRows: number;
  /** Columns to read; those the header does not have are left out. */
  readonly selected: readonly number[];
}

export interface Transcript {
  readonly rows: readonly string[];
  readonly error: FeaturectlError | null;
}

export function drive(reader: CsvReader, bytes: Buffer, { sizes, batchRows, selected }: Drive): Transcript {
  const chunks = cut(bytes, sizes);
  const rows: string[] = [];
  let header = reader.header();
  for (let ended = false; header === null && !ended; ) {
    ended = pushNext(reader, chunks);
    header = reader.header();
  }
  if (header === null || header instanceof Error) return { rows, error: header };
  rows.push(`${header.line}: ${JSON.stringify(header.cells)}`);
  const names = header.cells.map((_, index) => `c${index}`);
  const pull = reader.rows({ names, selected: selected.filter((index) => index < names.length), batchRows });
  for (let ended = false; ; ) {
    for (let step = pull(ended); step !== null; step = pull(ended)) {
      if (step instanceof Error) return { rows, error: step };
      rows.push(...tell(step));
    }
    if (ended) return { rows, error: null };
    ended = pushNext(reader, chunks);
  }
}

function pushNext(reader: CsvReader, chunks: Generator<Buffer, undefined>): boolean {
  const chunk = chunks.next();
  reader.push(chunk.value ?? null);
  return chunk.done === true;
}

function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer, undefined> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Row number, line, fault, selected cells and whole record of each row. */
function tell(batch: ColumnBatch): string[] {
  return Array.from({ length: batch.rowCount }, (_, row) => {
    const fault = batch.faults?.get(row) ?? null;
    const cells = batch.columns.map((column) =>
      column.kind === 'text' ? [column.cell(row), column.quoted?.[row] ?? 0] : null,
    );
    // A row of a wrong number of fields is not encoded: its cells may be anything.
    const known = fault?.code === 'FIELD_COUNT' ? [] : cells;
    return JSON.stringify([batch.firstRow + row, batch.line(row), fault, known, batch.record(row)]);
  });
}
