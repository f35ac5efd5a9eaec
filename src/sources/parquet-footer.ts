import {
  type Cursor,
  fieldHeader,
  malformed,
  readBinary,
  readInteger,
  readList,
  readStruct,
  skip,
  TYPE,
  zigzag,
} from './thrift.ts';

/**
 * What the footer of a Parquet file says that the reader (parquet-rs in WebAssembly) does not tell or
 * gets wrong. https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
export interface ParquetFooter {
  readonly rows: number;
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

/** A leaf whose Arrow type does not tell its meaning. */
export type LeafOverride =
  | { readonly kind: 'uuid' }
  /** An enum, which the reader gives as plain bytes. */
  | { readonly kind: 'utf8' }
  /** 8 bytes nanoseconds of the day and 4 bytes Julian day, both little-endian, as 12 plain bytes. */
  | { readonly kind: 'int96' }
  /** Big-endian two's complement in plain bytes: a decimal wider than Arrow's 76 digits. */
  | { readonly kind: 'wide-decimal'; readonly precision: number; readonly scale: number };

interface RawField {
  readonly id: number;
  readonly type: number;
  readonly value: Buffer;
}

interface SchemaElement {
  readonly fields: readonly RawField[];
  readonly start: number;
  readonly end: number;
  readonly physical: number | null;
  readonly name: string;
  readonly children: number;
  readonly precision: number;
  readonly scale: number;
  readonly uuid: boolean;
  readonly enumerated: boolean;
  readonly decimal: boolean;
}

const ELEMENT = {
  type: 1,
  typeLength: 2,
  repetition: 3,
  name: 4,
  children: 5,
  converted: 6,
  scale: 7,
  precision: 8,
  logical: 10,
} as const;
const PHYSICAL = { int96: 3, byteArray: 6, fixed: 7 } as const;
const LOGICAL = { enumerated: 4, decimal: 5, uuid: 14 } as const;
const CONVERTED = { enumerated: 4, decimal: 5 } as const;
const ARROW_MAX_PRECISION = 76;

/** Throws an Error in words where the bytes are no footer. */
export function readFooter(bytes: Buffer): ParquetFooter {
  const elements: SchemaElement[] = [];
  const groups: GroupTotals = { bytes: 0, values: 0, encrypted: false, patches: [], rows: [] };
  let rows = 0;
  let encrypted = false;
  readStruct({ bytes, at: 0 }, (field, cursor) => {
    if (field.id === 2 && field.type === TYPE.list)
      readList(cursor, () => elements.push(readElement(cursor)));
    else if (field.id === 3 && field.type === TYPE.i64) rows = readInteger(cursor);
    else if (field.id === 4 && field.type === TYPE.list) readList(cursor, () => readRowGroup(cursor, groups));
    else {
      if (field.id === 8) encrypted = true;
      return false;
    }
    return true;
  });
  const root = elements[0];
  if (root === undefined) throw new Error('no schema in the footer');
  if (rows < 0) throw new Error(`a number of rows of ${rows}`);
  if (rows === 0 && groups.values > 0) {
    throw new Error(`no rows by the footer, but ${groups.values} values in the columns`);
  }
  return {
    rows,
    groupRows: groups.rows,
    uncompressedBytes: groups.bytes,
    encrypted: encrypted || groups.encrypted,
    topLevel: topLevelNames(elements),
    leaves: elements.filter((element) => element.physical !== null).map(leafOverride),
    rewritten: patched(bytes, [...elementPatches(elements), ...groups.patches]),
  };
}

function readElement(cursor: Cursor): SchemaElement {
  const start = cursor.at;
  const fields = readFields(cursor);
  const logical = logicalKind(fields);
  const integer = (id: number): number | null => integerField(fields, id);
  return {
    fields,
    start,
    end: cursor.at,
    physical: integer(ELEMENT.type),
    name: nameOf(fields, cursor),
    children: integer(ELEMENT.children) ?? 0,
    precision: integer(ELEMENT.precision) ?? 0,
    scale: integer(ELEMENT.scale) ?? 0,
    uuid: logical === LOGICAL.uuid,
    enumerated: logical === LOGICAL.enumerated || integer(ELEMENT.converted) === CONVERTED.enumerated,
    decimal: logical === LOGICAL.decimal || integer(ELEMENT.converted) === CONVERTED.decimal,
  };
}

function readFields(cursor: Cursor): readonly RawField[] {
  const fields: RawField[] = [];
  readStruct(cursor, (field) => {
    const from = cursor.at;
    skip(cursor, field.type, 0);
    fields.push({ id: field.id, type: field.type, value: cursor.bytes.subarray(from, cursor.at) });
    return true;
  });
  return fields;
}

function integerField(fields: readonly RawField[], id: number): number | null {
  const field = fields.find((one) => one.id === id && one.type === TYPE.i32);
  return field === undefined ? null : readInteger({ bytes: field.value, at: 0 });
}

function nameOf(fields: readonly RawField[], cursor: Cursor): string {
  const field = fields.find((one) => one.id === ELEMENT.name && one.type === TYPE.binary);
  if (field === undefined) throw malformed('a column without a name', cursor);
  return readBinary({ bytes: field.value, at: 0 }).toString('utf8');
}

/** The logical type is a union: a struct of which one field is set, whose id says the type. */
function logicalKind(fields: readonly RawField[]): number | null {
  const field = fields.find((one) => one.id === ELEMENT.logical && one.type === TYPE.struct);
  if (field === undefined) return null;
  let kind: number | null = null;
  readStruct({ bytes: field.value, at: 0 }, (inner) => {
    kind = inner.id;
    return false;
  });
  return kind;
}

interface GroupTotals {
  bytes: number;
  values: number;
  encrypted: boolean;
  readonly patches: Patch[];
  /** Of each group. */
  readonly rows: number[];
}

/** Bytes to stand in the footer in place of those from `start` up to `end`. */
interface Patch {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** Where the page index lies. It serves filters only, and some writers (parquetjs) write it wrong. */
const PAGE_INDEX = [4, 5, 6, 7];

function readRowGroup(cursor: Cursor, totals: GroupTotals): void {
  readStruct(cursor, (field) => {
    if (field.id === 1 && field.type === TYPE.list) {
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

function topLevelNames(elements: readonly SchemaElement[]): readonly string[] {
  const names: string[] = [];
  for (let at = 1; at < elements.length && names.length < elements[0]!.children; ) {
    names.push(elements[at]!.name);
    at = afterTree(elements, at);
  }
  return names;
}

/** The schema is a tree written depth first, each group with the number of its children. */
function afterTree(elements: readonly SchemaElement[], start: number): number {
  let at = start;
  for (let missing = 1; missing > 0 && at < elements.length; at++) missing += elements[at]!.children - 1;
  return at;
}

function leafOverride(element: SchemaElement): LeafOverride | null {
  if (element.physical === PHYSICAL.int96) return { kind: 'int96' };
  if (element.uuid && element.physical === PHYSICAL.fixed) return { kind: 'uuid' };
  if (element.enumerated && element.physical === PHYSICAL.byteArray) return { kind: 'utf8' };
  if (!isWideDecimal(element)) return null;
  return { kind: 'wide-decimal', precision: element.precision, scale: element.scale };
}

function isWideDecimal(element: SchemaElement): boolean {
  const bytes = element.physical === PHYSICAL.byteArray || element.physical === PHYSICAL.fixed;
  return bytes && element.decimal && element.precision > ARROW_MAX_PRECISION;
}

/**
 * The reader would turn INT96 into nanoseconds in 64 bits, which wrap outside 1677–2262, and refuses a
 * decimal of more than 76 digits. Declared as plain bytes, both come through as they are stored. A leaf
 * without a repetition type, which old writers left out, is given `required`.
 */
function elementPatches(elements: readonly SchemaElement[]): Patch[] {
  return elements.flatMap((element, index) => {
    const fields = rewriteElement(element, index === 0);
    return fields === null ? [] : [{ start: element.start, end: element.end, bytes: writeStruct(fields) }];
  });
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

function rewriteElement(element: SchemaElement, root: boolean): readonly RawField[] | null {
  const int96 = element.physical === PHYSICAL.int96;
  const plain = int96 || isWideDecimal(element);
  const lacksRepetition = !root && integerField(element.fields, ELEMENT.repetition) === null;
  if (!plain && !lacksRepetition) return null;
  const dropped: number[] = plain
    ? [ELEMENT.converted, ELEMENT.scale, ELEMENT.precision, ELEMENT.logical]
    : [];
  if (int96) dropped.push(ELEMENT.type, ELEMENT.typeLength);
  const kept = element.fields.filter((field) => !dropped.includes(field.id));
  if (int96) kept.push(integer(ELEMENT.type, PHYSICAL.fixed), integer(ELEMENT.typeLength, 12));
  if (lacksRepetition) kept.push(integer(ELEMENT.repetition, 0));
  return kept.sort((a, b) => a.id - b.id);
}

function integer(id: number, value: number): RawField {
  return { id, type: TYPE.i32, value: zigzag(value) };
}

function writeStruct(fields: readonly RawField[]): Buffer {
  const parts: Buffer[] = [];
  let previous = 0;
  for (const field of fields) {
    parts.push(fieldHeader(field.id, previous, field.type), field.value);
    previous = field.id;
  }
  return Buffer.concat([...parts, Buffer.from([0])]);
}
