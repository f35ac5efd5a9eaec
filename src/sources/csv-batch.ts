import { isUtf8 } from 'node:buffer';
import type { ByteString, ColumnBatch, RawCell, RowFault, SourcePosition } from '../core/types.ts';
import { splitRecord, unquote } from './csv-cells.ts';
import { countFault, encodingFault } from './csv-faults.ts';
import { BATCH_BYTES, type CsvLayout } from './csv-reader.ts';
import type { CellMap } from './csv-scan.ts';
import type { WindowStep } from './csv-window.ts';

/** Text that some rows of a batch stand in. It lives as long as the batch: cells are slices of it. */
interface Segment {
  readonly firstRow: number;
  readonly text: ByteString;
  /** Bytes of the source's text before it. */
  readonly byte: number;
}

interface CellColumn {
  readonly cells: ByteString[];
  quoted: Uint8Array | null;
}

/** A batch that is being filled from scans. */
export interface BatchBuilder {
  rows: number;
  /** Bytes of text taken so far. */
  bytes: number;
  /** Where the text taken so far ends: its byte and line in the source. */
  endByte: number;
  endLine: number;
  readonly firstRow: number;
  readonly layout: CsvLayout;
  readonly delimiter: number;
  /** Rows it can take. */
  readonly capacity: number;
  readonly columns: readonly CellColumn[];
  readonly lines: Float64Array;
  /** Offset of each row's record in its segment. */
  readonly starts: Int32Array;
  readonly segments: Segment[];
  faults: Map<number, RowFault> | null;
}

const QUOTE = 0x22;

/** A record and its line end are two bytes at least, so that more rows have no room in BATCH_BYTES. */
export function batchCapacity(batchRows: number): number {
  return Math.min(batchRows, BATCH_BYTES / 2);
}

export function createBatch(layout: CsvLayout, delimiter: number, firstRow: number): BatchBuilder {
  const capacity = batchCapacity(layout.batchRows);
  return {
    rows: 0,
    bytes: 0,
    endByte: 0,
    endLine: 1,
    firstRow,
    layout,
    delimiter,
    capacity,
    // Filled to the end or cut in `finishBatch`; growing them by push takes a third more time.
    columns: layout.selected.map(() => ({ cells: new Array<ByteString>(capacity), quoted: null })),
    lines: new Float64Array(capacity),
    starts: new Int32Array(capacity),
    segments: [],
    faults: null,
  };
}

/** Takes the records of a scan. There is room for them. */
export function addRecords(batch: BatchBuilder, { block, from, base }: WindowStep, map: CellMap): void {
  const bytes = block.subarray(from, map.at);
  const text = bytes.latin1Slice();
  const slice = bytes.includes(QUOTE) ? sliceQuoted : slicePlain;
  for (let index = 0; index < batch.columns.length; index++) {
    slice(text, map, batch.layout.selected[index]!, batch.columns[index]!, batch);
  }
  batch.lines.set(map.lines.subarray(0, map.rows), batch.rows);
  batch.starts.set(map.starts.subarray(0, map.rows), batch.rows);
  batch.segments.push({ firstRow: batch.rows, text, byte: base + from });
  addCountFaults(batch, map);
  if (!isUtf8(bytes)) addEncodingFaults(batch, bytes, map);
  batch.rows += map.rows;
  batch.bytes += bytes.length;
  batch.endByte = base + map.at;
  batch.endLine = map.line;
}

/** The cells of column `index` as they stand: there is no quote in the text. */
function slicePlain(
  text: ByteString,
  map: CellMap,
  index: number,
  { cells }: CellColumn,
  batch: BatchBuilder,
): void {
  const { ends, width, rows } = map;
  const first = batch.rows;
  for (let row = 0, at = index; row < rows; row++, at += width + 1) {
    cells[first + row] = text.slice(ends[at]! + 1, ends[at + 1]);
  }
}

function sliceQuoted(
  text: ByteString,
  map: CellMap,
  index: number,
  column: CellColumn,
  batch: BatchBuilder,
): void {
  const { ends, width, rows } = map;
  const first = batch.rows;
  for (let row = 0, at = index; row < rows; row++, at += width + 1) {
    const start = ends[at]! + 1;
    const end = ends[at + 1]!;
    // A record of a wrong number of cells has none here: its start is behind its end.
    if (start < end && text.charCodeAt(start) === QUOTE) {
      column.cells[first + row] = unquote(text, start, end);
      column.quoted ??= new Uint8Array(batch.capacity);
      column.quoted[first + row] = 1;
    } else {
      column.cells[first + row] = text.slice(start, end);
    }
  }
}

function addCountFaults(batch: BatchBuilder, { ragged, width }: CellMap): void {
  const seen = new Map<number, RowFault>();
  for (let at = 0; at < ragged.length; at += 2) {
    const count = ragged[at + 1]!;
    const fault = seen.get(count) ?? countFault(width, count);
    seen.set(count, fault);
    batch.faults ??= new Map();
    batch.faults.set(batch.rows + ragged[at]!, fault);
  }
}

/** Finds the rows with a selected cell that is not UTF-8. */
function addEncodingFaults(batch: BatchBuilder, bytes: Buffer, { starts, rows }: CellMap): void {
  for (let index = 0; index < rows; index++) {
    const end = index + 1 < rows ? starts[index + 1] : bytes.length;
    const row = batch.rows + index;
    if (batch.faults?.has(row) || isUtf8(bytes.subarray(starts[index], end))) continue;
    const fault = cellFault(batch, row);
    if (fault === null) continue;
    batch.faults ??= new Map();
    batch.faults.set(row, fault);
  }
}

function cellFault(batch: BatchBuilder, row: number): RowFault | null {
  const { names, selected } = batch.layout;
  for (let index = 0; index < selected.length; index++) {
    const fault = encodingFault(batch.columns[index]!.cells[row]!, names[selected[index]!]!);
    if (fault !== null) return fault;
  }
  return null;
}

export function finishBatch(batch: BatchBuilder): ColumnBatch {
  const { rows, lines } = batch;
  for (const column of batch.columns) column.cells.length = rows;
  return {
    rowCount: rows,
    firstRow: batch.firstRow,
    columns: batch.columns.map(({ cells, quoted }) => ({
      kind: 'text',
      cells,
      quoted: quoted === null ? null : quoted.subarray(0, rows),
    })),
    faults: batch.faults,
    line: (row) => lines[row]!,
    record: (row) => originalRecord(batch, row),
    position: (row) => positionOf(batch, row),
  };
}

function originalRecord(batch: BatchBuilder, row: number): readonly RawCell[] {
  const segment = segmentOf(batch, row);
  return splitRecord(segment.text, batch.starts[row]!, batch.delimiter);
}

function segmentOf(batch: BatchBuilder, row: number): Segment {
  return batch.segments.findLast(({ firstRow }) => firstRow <= row)!;
}

function positionOf(batch: BatchBuilder, row: number): SourcePosition {
  const before = batch.firstRow - 1 + row;
  if (row === batch.rows) return { row: before, line: batch.endLine, byte: batch.endByte };
  return {
    row: before,
    line: batch.lines[row]!,
    byte: segmentOf(batch, row).byte + batch.starts[row]!,
  };
}
