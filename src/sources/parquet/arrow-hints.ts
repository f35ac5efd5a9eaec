/**
 * What Arrow's writers note of the columns beside Parquet's own types: the Arrow schema, as a message in base64.
 * https://arrow.apache.org/docs/cpp/parquet.html#roundtripping-arrow-types-and-schema
 */
import { child, elementAt, field, root, type Table, text, vectorSize } from '../flatbuffers.ts';

/** The metadata's key. */
export const ARROW_SCHEMA = 'ARROW:schema';

export interface ArrowHint {
  readonly name: string;
  /** One of ARROW_TYPE, or another of the format's. */
  readonly type: number;
  /** Bits of an integer, and whether it has a sign. */
  readonly bits: number;
  readonly isSigned: boolean;
  /** Of dates, times, timestamps: its number in the format. */
  readonly unit: number;
  readonly hasZone: boolean;
  /** UUIDs and the like. */
  readonly isExtension: boolean;
  /** Of lists of so many values each. */
  readonly listSize: number;
  /** Of the values of lists; null: it is none, or lists of lists. */
  readonly item: ArrowHint | null;
}

/** Type of the format. https://github.com/apache/arrow/blob/main/format/Schema.fbs */
export const ARROW_TYPE = {
  null: 1,
  int: 2,
  float: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  list: 12,
  fixedBinary: 15,
  fixedList: 16,
  largeBinary: 19,
  largeUtf8: 20,
  largeList: 21,
  binaryView: 23,
  utf8View: 24,
} as const;

const MESSAGE_HEADER = 2;
const SCHEMA_FIELDS = 1;
const FIELD = { name: 0, typeKind: 2, type: 3, children: 5, metadata: 6 } as const;
const LISTS: readonly number[] = [ARROW_TYPE.list, ARROW_TYPE.fixedList, ARROW_TYPE.largeList];

/** One a column of the top level. Throws an Error or RangeError where the text is none. */
export function readArrowHints(base64: string): readonly ArrowHint[] {
  const bytes = Buffer.from(base64, 'base64');
  // Before the message stands its length, and before that, in all but old files, four bytes of ones.
  const start = bytes.readInt32LE(0) === -1 ? 8 : 4;
  const schema = child(root(bytes.subarray(start)), MESSAGE_HEADER);
  if (schema === null) throw new Error('an Arrow schema without columns');
  const count = vectorSize(schema, SCHEMA_FIELDS, 4);
  return Array.from({ length: count }, (_, index) => readHint(elementAt(schema, SCHEMA_FIELDS, index), true));
}

/** `top`: whether the column may be of lists. */
function readHint(column: Table, top: boolean): ArrowHint {
  const kind = field(column, FIELD.typeKind);
  const type = kind === 0 ? 0 : column.bytes.readUInt8(kind);
  const details = child(column, FIELD.type);
  return {
    name: text(column, FIELD.name) ?? '',
    type,
    bits: type === ARROW_TYPE.int ? int32(details, 0) : 0,
    isSigned: type === ARROW_TYPE.int && byte(details, 1) !== 0,
    unit: unitOf(type, details),
    hasZone: type === ARROW_TYPE.timestamp && details !== null && (text(details, 1) ?? '') !== '',
    isExtension: vectorSize(column, FIELD.metadata, 4) > 0 && hasExtension(column),
    listSize: type === ARROW_TYPE.fixedList ? int32(details, 0) : 0,
    item: top && LISTS.includes(type) ? itemOf(column) : null,
  };
}

function itemOf(lists: Table): ArrowHint | null {
  return vectorSize(lists, FIELD.children, 4) === 1
    ? readHint(elementAt(lists, FIELD.children, 0), false)
    : null;
}

/** A date's is milliseconds unless it says days; a time's likewise, a timestamp's seconds. */
function unitOf(type: number, details: Table | null): number {
  if (type === ARROW_TYPE.date || type === ARROW_TYPE.time) return short(details, 0, 1);
  return type === ARROW_TYPE.timestamp ? short(details, 0, 0) : 0;
}

function hasExtension(column: Table): boolean {
  const count = vectorSize(column, FIELD.metadata, 4);
  for (let index = 0; index < count; index++) {
    if (text(elementAt(column, FIELD.metadata, index), 0)?.startsWith('ARROW:extension:')) return true;
  }
  return false;
}

function int32(table: Table | null, slot: number): number {
  const at = table === null ? 0 : field(table, slot);
  return at === 0 ? 0 : table!.bytes.readInt32LE(at);
}

function byte(table: Table | null, slot: number): number {
  const at = table === null ? 0 : field(table, slot);
  return at === 0 ? 0 : table!.bytes.readUInt8(at);
}

function short(table: Table | null, slot: number, preset: number): number {
  const at = table === null ? 0 : field(table, slot);
  return at === 0 ? preset : table!.bytes.readInt16LE(at);
}
