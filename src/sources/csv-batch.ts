import { isUtf8 } from 'node:buffer';
import type { ByteString, ColumnBatch, RawCell, RowFault, TextColumn } from '../core/types.ts';
import { splitRecord, unquote } from './csv-cells.ts';
import { countFault, encodingFault } from './csv-faults.ts';
import type { CsvLayout } from './csv-reader.ts';
import type { CellMap } from './csv-scan.ts';
import type { WindowStep } from './csv-window.ts';

/** The records of one scan. Its block stays as it is for as long as the batch lives. */
export interface ScannedRecords {
  readonly step: WindowStep;
  /** Used again by the next scan. */
  readonly map: CellMap;
  readonly delimiter: number;
  readonly firstRow: number;
}

const QUOTE = 0x22;

/** A batch of the records, with the columns that the layout selects. */
export function makeBatch(scanned: ScannedRecords, layout: CsvLayout): ColumnBatch {
  const { step, map, delimiter, firstRow } = scanned;
  const { rows, width, line: endLine } = map;
  const bytes = step.block.subarray(step.from, map.at);
  const byte = step.base + step.from;
  const ends = map.ends.slice(0, rows * (width + 1));
  const lines = map.lines.slice(0, rows);
  const starts = map.starts.slice(0, rows);
  const hasQuotes = bytes.includes(QUOTE);
  const columns = layout.selected.map((index) => {
    const quotes = hasQuotes ? findQuotes(bytes, ends, rows, width + 1, index) : null;
    return textColumn(bytes, ends, width + 1, index, quotes);
  });
  const faults = countFaults(map);
  if (!isUtf8(bytes)) addEncodingFaults(faults, { bytes, starts, columns, layout });
  return {
    rowCount: rows,
    firstRow,
    columns,
    faults: faults.size === 0 ? null : faults,
    text: { bytes, delimiter },
    line: (row) => lines[row]!,
    record: (row) => originalRecord(bytes, starts[row]!, starts[row + 1], delimiter),
    position: (row) => ({
      row: firstRow - 1 + row,
      line: row < rows ? lines[row]! : endLine,
      byte: byte + (row < rows ? starts[row]! : bytes.length),
    }),
  };
}

interface Quotes {
  readonly quoted: Uint8Array;
  readonly escaped: Uint8Array | null;
}

/** Null where no cell of the column stands in quotes. */
function findQuotes(
  bytes: Buffer,
  ends: Int32Array,
  rows: number,
  stride: number,
  index: number,
): Quotes | null {
  let quoted: Uint8Array | null = null;
  let escaped: Uint8Array | null = null;
  for (let row = 0, at = index; row < rows; row++, at += stride) {
    const start = ends[at]! + 1;
    const end = ends[at + 1]!;
    // A record of a wrong number of cells has none here: its start is behind its end.
    if (start >= end || bytes[start] !== QUOTE) continue;
    quoted ??= new Uint8Array(rows);
    quoted[row] = 1;
    if (!hasQuote(bytes, start + 1, end - 1)) continue;
    escaped ??= new Uint8Array(rows);
    escaped[row] = 1;
  }
  return quoted === null ? null : { quoted, escaped };
}

function hasQuote(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === QUOTE) return true;
  return false;
}

function textColumn(
  bytes: Buffer,
  ends: Int32Array,
  stride: number,
  offset: number,
  quotes: Quotes | null,
): TextColumn {
  const quoted = quotes?.quoted ?? null;
  const cell = (row: number): ByteString => {
    const at = row * stride + offset;
    const text = bytes.latin1Slice(ends[at]! + 1, Math.max(ends[at]! + 1, ends[at + 1]!));
    return quoted !== null && quoted[row] === 1 ? unquote(text, 0, text.length) : text;
  };
  const spans = { bytes, ends, stride, offset, escaped: quotes?.escaped ?? null };
  return { kind: 'text', cell, quoted, spans };
}

function countFaults({ ragged, width }: CellMap): Map<number, RowFault> {
  const seen = new Map<number, RowFault>();
  const faults = new Map<number, RowFault>();
  for (let at = 0; at < ragged.length; at += 2) {
    const count = ragged[at + 1]!;
    const fault = seen.get(count) ?? countFault(width, count);
    seen.set(count, fault);
    faults.set(ragged[at]!, fault);
  }
  return faults;
}

interface Cells {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly columns: readonly TextColumn[];
  readonly layout: CsvLayout;
}

/** Finds the rows with a selected cell that is not UTF-8. */
function addEncodingFaults(faults: Map<number, RowFault>, cells: Cells): void {
  const { bytes, starts } = cells;
  for (let row = 0; row < starts.length; row++) {
    if (faults.has(row) || isUtf8(bytes.subarray(starts[row], starts[row + 1]))) continue;
    const fault = cellFault(cells, row);
    if (fault !== null) faults.set(row, fault);
  }
}

function cellFault({ columns, layout: { names, selected } }: Cells, row: number): RowFault | null {
  for (const [index, column] of columns.entries()) {
    const fault = encodingFault(column.cell(row), names[selected[index]!]!);
    if (fault !== null) return fault;
  }
  return null;
}

function originalRecord(
  bytes: Buffer,
  start: number,
  end: number | undefined,
  delimiter: number,
): readonly RawCell[] {
  return splitRecord(bytes.latin1Slice(start, end), 0, delimiter);
}
