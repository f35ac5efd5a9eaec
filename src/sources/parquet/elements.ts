/** The columns of a Parquet footer: what they are, what of them the reader gets wrong, and how it is told otherwise. */
import { type ParquetLogical, readLogical } from './logical-type.ts';
import {
  type Cursor,
  malformed,
  type RawField,
  readBinary,
  readFields,
  readInteger,
  TYPE,
  writeStruct,
  zigzag,
} from './thrift.ts';

/** A leaf whose Arrow type does not tell its meaning. */
export type LeafOverride =
  | { readonly kind: 'uuid' }
  /** An enum, which the reader gives as plain bytes. */
  | { readonly kind: 'utf8' }
  /** 8 bytes nanoseconds of the day and 4 bytes Julian day, both little-endian, as 12 plain bytes. */
  | { readonly kind: 'int96' }
  /** Big-endian two's complement in plain bytes: a decimal wider than Arrow's 76 digits. */
  | { readonly kind: 'wide-decimal'; readonly precision: number; readonly scale: number };

export interface SchemaElement {
  readonly fields: readonly RawField[];
  readonly start: number;
  readonly end: number;
  /** One of PHYSICAL; null: a group. */
  readonly physical: number | null;
  readonly name: string;
  readonly children: number;
  /** Bytes of a value of fixed length. */
  readonly length: number;
  /** One of REPETITION. */
  readonly repetition: number | null;
  readonly precision: number;
  readonly scale: number;
  readonly logical: ParquetLogical | null;
  /** The older form of the logical type: one of CONVERTED. */
  readonly converted: number | null;
  /** Neither of the two. */
  readonly isPlain: boolean;
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
export const PHYSICAL = {
  boolean: 0,
  int32: 1,
  int64: 2,
  int96: 3,
  float: 4,
  double: 5,
  byteArray: 6,
  fixed: 7,
} as const;
export const REPETITION = { required: 0, optional: 1, repeated: 2 } as const;
export const CONVERTED = {
  utf8: 0,
  list: 3,
  enumerated: 4,
  decimal: 5,
  date: 6,
  timeMillis: 7,
  timeMicros: 8,
  timestampMillis: 9,
  timestampMicros: 10,
  /** And three wider ones; of `int8` likewise. */
  uint8: 11,
  int8: 15,
  json: 19,
  bson: 20,
} as const;
const ARROW_MAX_PRECISION = 76;

/** Bytes to stand in the footer in place of those from `start` up to `end`. */
export interface Patch {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

export function readElement(cursor: Cursor): SchemaElement {
  const start = cursor.at;
  const fields = readFields(cursor);
  const integer = (id: number): number | null => integerField(fields, id);
  const logical = logicalOf(fields);
  const converted = integer(ELEMENT.converted);
  return {
    fields,
    start,
    end: cursor.at,
    physical: integer(ELEMENT.type),
    name: nameOf(fields, cursor),
    children: integer(ELEMENT.children) ?? 0,
    length: integer(ELEMENT.typeLength) ?? 0,
    repetition: integer(ELEMENT.repetition),
    precision: integer(ELEMENT.precision) ?? 0,
    scale: integer(ELEMENT.scale) ?? 0,
    logical,
    converted,
    isPlain: logical === null && converted === null,
    uuid: logical?.name === 'uuid',
    enumerated: logical?.name === 'enum' || converted === CONVERTED.enumerated,
    decimal: logical?.name === 'decimal' || converted === CONVERTED.decimal,
  };
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

function logicalOf(fields: readonly RawField[]): ParquetLogical | null {
  const field = fields.find((one) => one.id === ELEMENT.logical && one.type === TYPE.struct);
  return field === undefined ? null : readLogical({ bytes: field.value, at: 0 });
}

export function topLevelNames(elements: readonly SchemaElement[]): readonly string[] {
  const names: string[] = [];
  for (let at = 1; at < elements.length && names.length < elements[0]!.children; ) {
    names.push(elements[at]!.name);
    at = afterTree(elements, at);
  }
  return names;
}

/** The schema is a tree written depth first, each group with the number of its children. */
export function afterTree(elements: readonly SchemaElement[], start: number): number {
  let at = start;
  for (let missing = 1; missing > 0 && at < elements.length; at++) missing += elements[at]!.children - 1;
  return at;
}

export function leafOverride(element: SchemaElement): LeafOverride | null {
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
export function elementPatches(elements: readonly SchemaElement[]): Patch[] {
  return elements.flatMap((element, index) => {
    const fields = rewriteElement(element, index === 0);
    return fields === null ? [] : [{ start: element.start, end: element.end, bytes: writeStruct(fields) }];
  });
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
  if (lacksRepetition) kept.push(integer(ELEMENT.repetition, REPETITION.required));
  return kept.sort((a, b) => a.id - b.id);
}

function integer(id: number, value: number): RawField {
  return { id, type: TYPE.i32, value: zigzag(value) };
}
