import { ARROW_SCHEMA } from './arrow-hints.ts';
import {
  elementPatches,
  type LeafOverride,
  leafOverride,
  type Patch,
  readElement,
  type SchemaElement,
  topLevelNames,
} from './elements.ts';
import { type LeafColumn, leafColumns } from './leaf-columns.ts';
import {
  type Cursor,
  readBinary,
  readFields,
  readInteger,
  readList,
  readStruct,
  TYPE,
  writeStruct,
} from './thrift.ts';

/**
 * What the footer of a Parquet file says that the reader (parquet-rs in WebAssembly) does not tell or
 * gets wrong. https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
export interface ParquetFooter {
  readonly bytes: Buffer;
  readonly rows: number;
  /** The columns, where each has one leaf and a type that is told for sure; else null. */
  readonly columns: readonly LeafColumn[] | null;
  /** Where the list of each row group's column chunks is in the bytes. */
  readonly groupChunks: readonly number[];
  /** Rows of each row group. */
  readonly groupRows: readonly number[];
  /** Bytes of all column data before compression. */
  readonly uncompressedBytes: number;
  readonly encrypted: boolean;
  readonly topLevel: readonly string[];
  /** One per leaf column, in order; null: as the reader gives it. */
  readonly leaves: readonly (LeafOverride | null)[];
  /** The footer with which the reader gives the overridden leaves as plain bytes; null: the file's own. */
  readonly rewritten: Buffer | null;
}

/** Whether the row groups have the rows that the file has. */
export function isWhole({ groupRows, rows }: ParquetFooter): boolean {
  return groupRows.reduce((sum, count) => sum + count, 0) === rows;
}

/** Throws an Error in words where the bytes are no footer. */
export function readFooter(bytes: Buffer): ParquetFooter {
  const elements: SchemaElement[] = [];
  const groups: GroupTotals = { bytes: 0, values: 0, encrypted: false, patches: [], rows: [], chunks: [] };
  const found = new Set<number>();
  let rows = 0;
  let encrypted = false;
  let arrowSchema: string | null = null;
  readStruct({ bytes, at: 0 }, (field, cursor) => {
    found.add(field.id * 16 + field.type);
    if (field.id === 2 && field.type === TYPE.list)
      readList(cursor, () => elements.push(readElement(cursor)));
    else if (field.id === 3 && field.type === TYPE.i64) rows = readInteger(cursor);
    else if (field.id === 4 && field.type === TYPE.list) readList(cursor, () => readRowGroup(cursor, groups));
    else if (field.id === 5 && field.type === TYPE.list)
      readList(cursor, () => {
        arrowSchema = readArrowSchema(cursor) ?? arrowSchema;
      });
    else {
      if (field.id === 8) encrypted = true;
      return false;
    }
    return true;
  });
  const root = elements[0];
  if (root === undefined) throw new Error('no schema in the footer');
  const hasRows = found.has(3 * 16 + TYPE.i64) && found.has(4 * 16 + TYPE.list);
  if (!hasRows && !encrypted) throw new Error('no rows or row groups in the footer');
  if (rows < 0) throw new Error(`a number of rows of ${rows}`);
  if (rows === 0 && groups.values > 0) {
    throw new Error(`no rows by the footer, but ${groups.values} values in the columns`);
  }
  return {
    bytes,
    rows,
    columns: leafColumns(elements, arrowSchema),
    groupChunks: groups.chunks,
    groupRows: groups.rows,
    uncompressedBytes: groups.bytes,
    encrypted: encrypted || groups.encrypted,
    topLevel: topLevelNames(elements),
    leaves: elements.filter((element) => element.physical !== null).map(leafOverride),
    rewritten: patched(bytes, [...elementPatches(elements), ...groups.patches]),
  };
}

/** Of one pair of the file's own metadata. */
function readArrowSchema(cursor: Cursor): string | null {
  const pair = readFields(cursor);
  const text = (id: number): string | null => {
    const field = pair.find((one) => one.id === id && one.type === TYPE.binary);
    return field === undefined ? null : readBinary({ bytes: field.value, at: 0 }).toString('latin1');
  };
  return text(1) === ARROW_SCHEMA ? text(2) : null;
}

interface GroupTotals {
  bytes: number;
  values: number;
  encrypted: boolean;
  readonly patches: Patch[];
  /** Of each group. */
  readonly rows: number[];
  readonly chunks: number[];
}

/** Where the page index lies. It serves filters only, and some writers (parquetjs) write it wrong. */
const PAGE_INDEX = [4, 5, 6, 7];

function readRowGroup(cursor: Cursor, totals: GroupTotals): void {
  readStruct(cursor, (field) => {
    if (field.id === 1 && field.type === TYPE.list) {
      totals.chunks.push(cursor.at);
      readList(cursor, () => readColumnChunk(cursor, totals));
      return true;
    }
    if (field.type !== TYPE.i64 || (field.id !== 2 && field.id !== 3)) return false;
    const number = readInteger(cursor);
    if (field.id === 2) totals.bytes += number;
    else totals.rows.push(number);
    return true;
  });
}

function readColumnChunk(cursor: Cursor, totals: GroupTotals): void {
  const start = cursor.at;
  const fields = readFields(cursor);
  // 9 encrypted_column_metadata: the column has a key of its own.
  if (fields.some((field) => field.id === 9)) totals.encrypted = true;
  const meta = fields.find((field) => field.id === 3 && field.type === TYPE.struct);
  if (meta !== undefined) totals.values += valuesOf(meta.value);
  const kept = fields.filter((field) => !PAGE_INDEX.includes(field.id));
  if (kept.length < fields.length) {
    totals.patches.push({ start, end: cursor.at, bytes: writeStruct(kept) });
  }
}

/** 5 num_values of ColumnMetaData. */
function valuesOf(meta: Buffer): number {
  const cursor: Cursor = { bytes: meta, at: 0 };
  let values = 0;
  readStruct(cursor, (field) => {
    if (field.id !== 5 || field.type !== TYPE.i64) return false;
    values = readInteger(cursor);
    return true;
  });
  return values;
}

function patched(bytes: Buffer, patches: readonly Patch[]): Buffer | null {
  if (patches.length === 0) return null;
  const parts: Buffer[] = [];
  let done = 0;
  for (const patch of [...patches].sort((a, b) => a.start - b.start)) {
    parts.push(bytes.subarray(done, patch.start), patch.bytes);
    done = patch.end;
  }
  return Buffer.concat([...parts, bytes.subarray(done)]);
}
