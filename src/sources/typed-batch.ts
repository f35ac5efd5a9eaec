import { isUtf8 } from 'node:buffer';
import type { Data, RecordBatch } from 'apache-arrow';
import type {
  ByteString,
  ColumnBatch,
  LogicalType,
  RowFault,
  SourceRange,
  TypedColumn,
  Value,
} from '../core/types.ts';
import { byteReader, byteSlots, latin1, type Reader, valueReader } from './arrow-values.ts';
import { slotsFrom, valueSlots } from './value-slots.ts';
import { valueText } from './value-text.ts';

/** A column that was asked for, and where it stands in the record batch. */
export interface TypedSelection {
  readonly name: string;
  readonly type: LogicalType;
  readonly index: number;
}

/** Rows `skip` + 1 to `end` of a source, numbered from 1. */
export interface RowWindow {
  readonly skip: number;
  readonly end: number;
}

export function rowWindow(range: SourceRange | undefined): RowWindow {
  return { skip: range?.from?.row ?? 0, end: range?.to?.row ?? Number.POSITIVE_INFINITY };
}

/**
 * Cuts an Arrow record batch into batches of at most `batchRows` rows, without copying. Text that is not
 * UTF-8 makes its row a fault. Rows outside of the window are left out.
 */
export function* cutBatch(
  batch: RecordBatch,
  selection: readonly TypedSelection[],
  firstRow: number,
  batchRows: number,
  { skip, end }: RowWindow,
): Generator<ColumnBatch, void, undefined> {
  const parts = selection.map((column) => prepare(batch.data.children[column.index]!, column));
  const rows = Math.min(batch.numRows, end - firstRow + 1);
  for (let start = Math.max(0, skip - firstRow + 1); start < rows; start += batchRows) {
    const count = Math.min(batchRows, rows - start);
    yield makeBatch(
      parts.map((part) => part(start, count)),
      selection,
      firstRow + start,
      count,
    );
  }
}

/** Rows without any column, for a selection of none. */
export function emptyBatch(firstRow: number, rowCount: number): ColumnBatch {
  return makeBatch([], [], firstRow, rowCount);
}

interface Part {
  readonly column: TypedColumn;
  /** Rows whose text is not UTF-8. */
  readonly invalid: readonly number[];
}

type Cut = (start: number, count: number) => Part;

function prepare(data: Data, { type }: TypedSelection): Cut {
  const isText = type.kind === 'utf8' && data.dictionary === undefined;
  const bytes = isText || (type.kind === 'binary' && data.dictionary === undefined) ? byteSlots(data) : null;
  const read = valueReader(data, type);
  const slots = valueSlots(data, type);
  const columnOf = (start: number, at: Reader | null): TypedColumn => {
    const plain: Reader = start === 0 ? read : (row) => read(start + row);
    return { kind: 'typed', type, at: at ?? plain, slots: slots && slotsFrom(slots, start) };
  };
  if (bytes === null) {
    return (start, count) => {
      return { column: columnOf(start, null), invalid: isText ? invalidViews(data, start, count) : [] };
    };
  }
  return (start, count) => {
    const from = bytes.start(start);
    const to = bytes.end(start + count - 1);
    const invalid = isText ? invalidSlots(data, start, count, from, to) : [];
    return { column: columnOf(start, sliceBytes(data, start, from, to)), invalid };
  };
}

/** Bytes of one column in one batch up to which they are turned into one string and cut from it. */
const ONE_STRING = 256 * 1024;

/**
 * One native call for the bytes of the whole batch, then substrings: several times faster than a call a
 * value. A substring keeps the whole alive, so long texts are read one by one: null.
 */
function sliceBytes(data: Data, start: number, from: number, to: number): Reader | null {
  if (to - from > ONE_STRING) return null;
  const slots = byteSlots(data)!;
  const hasNulls = data.nullCount > 0;
  let all: ByteString | null = null;
  return (row) => {
    const index = start + row;
    if (hasNulls && !data.getValid(index)) return null;
    all ??= latin1(slots.bytes, from, to);
    return all.substring(slots.start(index) - from, slots.end(index) - from);
  };
}

function invalidSlots(data: Data, start: number, count: number, from: number, to: number): readonly number[] {
  const slots = byteSlots(data)!;
  if (isUtf8(slots.bytes.subarray(from, to)) && startsOnCharacters(data, start, count)) return [];
  const read = byteReader(data);
  return rowsWhere(data, start, count, (index) => !isUtf8(Buffer.from(read(index) as ByteString, 'latin1')));
}

/** Bytes that are valid together are valid apart unless a value begins inside a character. */
function startsOnCharacters(data: Data, start: number, count: number): boolean {
  const { bytes, start: startOf } = byteSlots(data)!;
  for (let index = start; index < start + count; index++) {
    if ((bytes[startOf(index)]! & 0xc0) === 0x80) return false;
  }
  return true;
}

function invalidViews(data: Data, start: number, count: number): readonly number[] {
  const read = byteReader(data);
  return rowsWhere(data, start, count, (index) => !isUtf8(Buffer.from(read(index) as ByteString, 'latin1')));
}

function rowsWhere(
  data: Data,
  start: number,
  count: number,
  test: (index: number) => boolean,
): readonly number[] {
  const rows: number[] = [];
  for (let index = start; index < start + count; index++) {
    if (data.getValid(index) && test(index)) rows.push(index - start);
  }
  return rows;
}

function makeBatch(
  parts: readonly Part[],
  selection: readonly TypedSelection[],
  firstRow: number,
  rowCount: number,
): ColumnBatch {
  const columns = parts.map((part) => part.column);
  return {
    rowCount,
    firstRow,
    columns,
    faults: utf8Faults(parts, selection),
    line: (row) => firstRow + row,
    record: (row) =>
      columns.map((column) => ({ text: valueText(column.type, column.at(row)), quoted: false })),
    position: (row) => ({ row: firstRow - 1 + row, line: firstRow + row, byte: 0 }),
  };
}

function utf8Faults(
  parts: readonly Part[],
  selection: readonly TypedSelection[],
): ReadonlyMap<number, RowFault> | null {
  const faults = new Map<number, RowFault>();
  for (const [index, part] of parts.entries()) {
    for (const row of part.invalid) {
      if (faults.has(row)) continue;
      const reason = `invalid UTF-8: expected text in UTF-8, found ${hexOf(part.column.at(row))}; write the column as binary`;
      faults.set(row, { code: 'INVALID_UTF8', column: selection[index]!.name, reason });
    }
  }
  return faults.size > 0 ? faults : null;
}

function hexOf(value: Value): string {
  return `bytes ${Buffer.from(String(value), 'latin1').subarray(0, 16).toString('hex')}`;
}
