/** One rejected row as a line of the rejects file. Pure. */
import type { RowFailure } from '../core/ledger.ts';
import type { ByteString, RawCell, RowOrigin, SourceFormat } from '../core/types.ts';
import { csvCell, csvLine, utf8Bytes } from './csv-line.ts';

/** The columns that a rejects file has after the original ones. */
export const REJECT_COLUMNS = ['_source', '_line', '_stage', '_code', '_column', '_reason'] as const;

/** Their cells say whether they stood in quotes. */
const TEXT_FORMATS: ReadonlySet<SourceFormat> = new Set<SourceFormat>(['csv', 'tsv', 'ndjson']);

type RejectColumn = (typeof REJECT_COLUMNS)[number];

/** Which cells of a record are repeated, and which of our own columns follow them. */
export interface RejectLayout {
  readonly kept: readonly number[];
  readonly own: readonly RejectColumn[];
  readonly header: ByteString;
}

/**
 * A source with all six of our columns is a mended rejects file: its old six are replaced, so that the file
 * stays one that can be loaded. Where a source has only some of these names, they are its own data: they
 * stay, and ours of the same name are left out.
 */
export function layoutFor(recordColumns: readonly string[]): RejectLayout {
  const taken = new Set(recordColumns);
  const mended = REJECT_COLUMNS.every((name) => taken.has(name));
  const isOurs = (name: string): boolean => REJECT_COLUMNS.some((own) => own === name);
  const kept = recordColumns.flatMap((name, index) => (mended && isOurs(name) ? [] : [index]));
  const own = mended ? [...REJECT_COLUMNS] : REJECT_COLUMNS.filter((name) => !taken.has(name));
  const names = [...kept.map((index) => recordColumns[index] ?? ''), ...own];
  return { kept, own, header: csvLine(names.map((name) => csvCell(utf8Bytes(name), false))) };
}

/**
 * The line of one row. A record with more or fewer cells than columns cannot be put under the columns: they
 * stay null and `_reason` ends with the record as a JSON array. So no cell is lost, the file stays
 * rectangular, and a rerun before mending does not load cells under the wrong columns.
 */
export function rejectLine(
  layout: RejectLayout,
  origin: RowOrigin,
  row: number,
  failure: RowFailure,
): ByteString {
  const record = origin.batch.record(row);
  const fits = record.length === origin.recordColumns.length;
  const isText = TEXT_FORMATS.has(origin.source.info.format);
  const cells = layout.kept.map((index) => (fits ? originalCell(record[index], isText) : ''));
  const reason = utf8Bytes(failure.reason) + (fits ? '' : `; the record: ${asJson(record)}`);
  for (const column of layout.own) cells.push(csvCell(ownCell(column, failure, reason), false));
  return csvLine(cells);
}

function originalCell(cell: RawCell | undefined, isText: boolean): ByteString {
  if (!cell || cell.text === null) return '';
  // A typed value has no quotes of its own: without them "" and texts equal to a null token would turn null.
  return csvCell(cell.text, cell.quoted || !isText);
}

function ownCell(column: RejectColumn, failure: RowFailure, reason: ByteString): ByteString {
  switch (column) {
    case '_source':
      return utf8Bytes(failure.source);
    case '_line':
      return String(failure.line);
    case '_stage':
      return failure.stage;
    case '_code':
      return failure.code;
    case '_column':
      return utf8Bytes(failure.column ?? '');
    case '_reason':
      return reason;
  }
}

/** JSON text in bytes: JSON.stringify leaves chars 128–255 as they are. */
function asJson(record: readonly RawCell[]): ByteString {
  return JSON.stringify(record.map((cell) => cell.text));
}
