import type { ValueSlots } from '../core/slots.ts';
import type { ByteString, ColumnBatch, RowFault, SourceRange, TypedColumn, Value } from '../core/types.ts';
import { areAllUtf8, type DecodedColumn, latin1, type Reader } from './decoded-column.ts';
import { valueText } from './value-text.ts';

/** Rows `skip` + 1 to `end` of a source, numbered from 1. */
export interface RowWindow {
  readonly skip: number;
  readonly end: number;
}

export function rowWindow(range: SourceRange | undefined): RowWindow {
  return { skip: range?.from?.row ?? 0, end: range?.to?.row ?? Number.POSITIVE_INFINITY };
}

/** Decoded rows, all columns of the same number. */
export interface DecodedRows {
  readonly count: number;
  readonly columns: readonly DecodedColumn[];
}

/**
 * Cuts decoded rows into batches of at most `batchRows` rows, without copying. Text that is not UTF-8 makes its
 * row a fault. Rows outside of the window are left out. `firstRow`: number of the first in its source.
 */
export function* cutBatch(
  { count: all, columns }: DecodedRows,
  firstRow: number,
  batchRows: number,
  { skip, end }: RowWindow,
): Generator<ColumnBatch, void, undefined> {
  const rows = Math.min(all, end - firstRow + 1);
  for (let start = Math.max(0, skip - firstRow + 1); start < rows; start += batchRows) {
    const count = Math.min(batchRows, rows - start);
    const parts = columns.map((column) => cutColumn(column, start, count));
    yield makeBatch(parts, firstRow + start, count);
  }
}

/** Rows without any column, for a selection of none. */
export function emptyBatch(firstRow: number, rowCount: number): ColumnBatch {
  return makeBatch([], firstRow, rowCount);
}

interface Part {
  readonly name: string;
  readonly column: TypedColumn;
  /** Rows whose text is not UTF-8. */
  readonly invalid: readonly number[];
}

function cutColumn(decoded: DecodedColumn, start: number, count: number): Part {
  const { name, type, read, slots } = decoded;
  const plain: Reader = start === 0 ? read : (row) => read(start + row);
  const at = sliceBytes(decoded, start, count) ?? plain;
  return {
    name,
    column: { kind: 'typed', type, at, slots: slots && slotsFrom(slots, start) },
    invalid: invalidRows(decoded, start, count),
  };
}

function slotsFrom(slots: ValueSlots, start: number): ValueSlots {
  return { ...slots, first: slots.first + start, validFirst: slots.validFirst + start };
}

/** Bytes of one column in one batch up to which they are turned into one string and cut from it. */
const ONE_STRING = 256 * 1024;

/**
 * One native call for the bytes of the whole batch, then substrings: several times faster than a call a
 * value. A substring keeps the whole alive, so long texts are read one by one: null.
 */
function sliceBytes({ places, isNull }: DecodedColumn, start: number, count: number): Reader | null {
  if (places === null) return null;
  const from = places.start(start);
  const to = places.end(start + count - 1);
  if (to - from > ONE_STRING) return null;
  let all: ByteString | null = null;
  return (row) => {
    const index = start + row;
    if (isNull?.(index)) return null;
    all ??= latin1(places.bytes, from, to);
    return all.substring(places.start(index) - from, places.end(index) - from);
  };
}

function invalidRows(
  { isText, isNull, places }: DecodedColumn,
  start: number,
  count: number,
): readonly number[] {
  if (isText === null) return [];
  if (places !== null && areAllUtf8(places, start, start + count)) return [];
  const rows: number[] = [];
  for (let index = start; index < start + count; index++) {
    if (!isNull?.(index) && !isText(index)) rows.push(index - start);
  }
  return rows;
}

function makeBatch(parts: readonly Part[], firstRow: number, rowCount: number): ColumnBatch {
  const columns = parts.map((part) => part.column);
  return {
    rowCount,
    firstRow,
    columns,
    faults: utf8Faults(parts),
    line: (row) => firstRow + row,
    record: (row) =>
      columns.map((column) => ({ text: valueText(column.type, column.at(row)), quoted: false })),
    position: (row) => ({ row: firstRow - 1 + row, line: firstRow + row, byte: 0 }),
  };
}

function utf8Faults(parts: readonly Part[]): ReadonlyMap<number, RowFault> | null {
  const faults = new Map<number, RowFault>();
  for (const { name, column, invalid } of parts) {
    for (const row of invalid) {
      if (faults.has(row)) continue;
      const reason = `invalid UTF-8: expected text in UTF-8, found ${hexOf(column.at(row))}; write the column as binary`;
      faults.set(row, { code: 'INVALID_UTF8', column: name, reason });
    }
  }
  return faults.size > 0 ? faults : null;
}

function hexOf(value: Value): string {
  return `bytes ${Buffer.from(String(value), 'latin1').subarray(0, 16).toString('hex')}`;
}
