import { isUtf8 } from 'node:buffer';
import type { ByteString, ColumnBatch, RawCell, RowFault, SourcePosition } from '../core/types.ts';
import { encodingFault } from './csv-faults.ts';
import { decodeString } from './json-skip.ts';
import type { RecordFault, RecordScanner } from './ndjson-record.ts';

const QUOTE = 0x22;
const NULL = 0x6e;

interface CellColumn {
  readonly name: string;
  /** Number of its key. */
  readonly key: number;
  readonly cells: ByteString[];
  /** 1 where the value is a JSON string: it is never null, whatever it says. */
  quoted: Uint8Array | null;
}

/** A batch that is being filled line by line. */
export interface NdjsonBatch {
  rows: number;
  /** Bytes of text taken so far. */
  bytes: number;
  /** The place after the last row. */
  endByte: number;
  endLine: number;
  readonly firstRow: number;
  readonly capacity: number;
  readonly columns: readonly CellColumn[];
  /** Each row's line, and the bytes of the text before it. */
  readonly lines: Float64Array;
  readonly starts: Float64Array;
  readonly faults: Map<number, RowFault>;
  /** The lines of rows that have no cells, as they stand. */
  readonly raw: Map<number, ByteString>;
}

/** `selected`: the columns of the batch as numbers of keys. */
export function createNdjsonBatch(
  names: readonly string[],
  selected: readonly number[],
  capacity: number,
  firstRow: number,
): NdjsonBatch {
  return {
    rows: 0,
    bytes: 0,
    endByte: 0,
    endLine: 1,
    firstRow,
    capacity,
    columns: selected.map((key) => ({
      name: names[key] ?? '',
      key,
      cells: new Array<ByteString>(capacity).fill(''),
      quoted: null,
    })),
    lines: new Float64Array(capacity),
    starts: new Float64Array(capacity),
    faults: new Map(),
    raw: new Map(),
  };
}

/** Where a line stands in its text, which has a line end behind it or ends there. */
export interface LinePlace {
  readonly text: ByteString;
  readonly start: number;
  readonly end: number;
  /** Number of the line, from 1. */
  readonly line: number;
  /** Bytes of the source before the text. */
  readonly base: number;
  /** Whether all bytes of the text are UTF-8. */
  readonly isUtf8: boolean;
}

export function addLine(batch: NdjsonBatch, scanner: RecordScanner, place: LinePlace): void {
  const { text, start, end, line } = place;
  const row = batch.rows++;
  batch.lines[row] = line;
  batch.starts[row] = place.base + start;
  batch.bytes += end - start + 1;
  batch.endByte = place.base + Math.min(end + 1, text.length);
  batch.endLine = line + 1;
  const fault = scanner.scan(text, start);
  if (fault !== null) {
    batch.faults.set(row, describe(fault, text, start, end));
    batch.raw.set(row, text.slice(start, end));
    return;
  }
  for (let index = 0; index < batch.columns.length; index++) {
    const column = batch.columns[index] as CellColumn;
    const from = scanner.start(column.key);
    if (from >= 0 && !takeValue(batch, column, row, text, from, scanner.end(column.key)))
      addFault(batch, row, loneSurrogate(column.name));
  }
  if (!place.isUtf8 && !isUtf8(Buffer.from(text.slice(start, end), 'latin1'))) checkCells(batch, row);
}

/** A string's cell is its text; that of any other value is the value as it is written, and null has none. */
function takeValue(
  batch: NdjsonBatch,
  column: CellColumn,
  row: number,
  text: ByteString,
  from: number,
  end: number,
): boolean {
  const first = text.charCodeAt(from);
  if (first === NULL) return true;
  if (first !== QUOTE) {
    column.cells[row] = text.slice(from, end);
    return true;
  }
  const value = decodeString(text.slice(from + 1, end - 1));
  column.cells[row] = value ?? text.slice(from, end);
  column.quoted ??= new Uint8Array(batch.capacity);
  column.quoted[row] = 1;
  return value !== null;
}

function addFault(batch: NdjsonBatch, row: number, fault: RowFault): void {
  if (!batch.faults.has(row)) batch.faults.set(row, fault);
}

function checkCells(batch: NdjsonBatch, row: number): void {
  for (const { cells, name } of batch.columns) {
    const fault = encodingFault(cells[row] as ByteString, name);
    if (fault !== null) addFault(batch, row, fault);
  }
}

function loneSurrogate(column: string): RowFault {
  const reason =
    'invalid UTF-8: expected characters, found half of a surrogate pair in an escape; escape both halves';
  return { code: 'INVALID_UTF8', column, reason };
}

function describe(fault: RecordFault, text: ByteString, start: number, end: number): RowFault {
  if (fault.kind === 'json') {
    const found =
      fault.at < end ? JSON.stringify(fromBytes(text.slice(fault.at, end))) : 'the end of the line';
    const reason = `expected a JSON object, found ${cut(found)} at byte ${fault.at - start + 1} of the line`;
    return { code: 'JSON', column: null, reason };
  }
  const key = fromBytes(fault.key);
  if (fault.kind === 'duplicate')
    return {
      code: 'DUPLICATE_KEY',
      column: key,
      reason: `expected each key once, found ${JSON.stringify(key)} twice`,
    };
  const reason = `expected the keys of the file's first rows, found ${cut(JSON.stringify(key))}; name the keys to load in a schema`;
  return { code: 'UNKNOWN_KEY', column: key, reason };
}

function cut(shown: string): string {
  return shown.length > 42 ? `${shown.slice(0, 41)}…"` : shown;
}

function fromBytes(bytes: ByteString): string {
  return Buffer.from(bytes.slice(0, 200), 'latin1').toString('utf8');
}

export function finishNdjsonBatch(batch: NdjsonBatch): ColumnBatch {
  const { rows, lines } = batch;
  for (const column of batch.columns) column.cells.length = rows;
  return {
    rowCount: rows,
    firstRow: batch.firstRow,
    columns: batch.columns.map(({ cells, quoted }) => ({
      kind: 'text',
      cell: (row) => cells[row] ?? '',
      quoted: quoted === null ? null : quoted.subarray(0, rows),
      spans: null,
    })),
    faults: batch.faults.size === 0 ? null : batch.faults,
    line: (row) => lines[row] as number,
    record: (row) => originalRecord(batch, row),
    position: (row) => positionOf(batch, row),
  };
}

function positionOf(batch: NdjsonBatch, row: number): SourcePosition {
  const before = batch.firstRow - 1 + row;
  if (row === batch.rows) return { row: before, line: batch.endLine, byte: batch.endByte };
  return { row: before, line: batch.lines[row] as number, byte: batch.starts[row] as number };
}

/**
 * The cells of the columns asked for. A line that has none is one cell, and another where one cell would fit
 * under the columns, so that it is never taken for a value.
 */
function originalRecord(batch: NdjsonBatch, row: number): readonly RawCell[] {
  const raw = batch.raw.get(row);
  if (raw === undefined)
    return batch.columns.map(({ cells, quoted }) => ({
      text: cells[row] as ByteString,
      quoted: quoted?.[row] === 1,
    }));
  const line: RawCell = { text: raw, quoted: true };
  return batch.columns.length === 1 ? [line, { text: null, quoted: false }] : [line];
}
