/**
 * The Thrift compact protocol, as far as Parquet needs it.
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

export interface FieldHeader {
  readonly id: number;
  /** One of TYPE. */
  readonly type: number;
}

export const TYPE = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

/** Structs inside structs; a footer has fewer than ten. */
const MAX_DEPTH = 64;

/** Thrown for bytes that are not of the protocol. */
export function malformed(what: string, cursor: Cursor): Error {
  return new Error(`${what} at byte ${cursor.at} of the metadata`);
}

/** Most bytes of a number of 64 bits. */
const VARINT_BYTES = 10;

/** As a double: exact below 2^53. */
export function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let i = 0, scale = 1; i < VARINT_BYTES; i++, scale *= 128) {
    const byte = readByte(cursor);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
  throw malformed('a number without an end', cursor);
}

/** An i16, i32 or i64. */
export function readInteger(cursor: Cursor): number {
  const raw = readVarint(cursor);
  const half = Math.floor(raw / 2);
  return raw % 2 === 0 ? half : -half - 1;
}

export function readBinary(cursor: Cursor): Buffer {
  const length = readSize(cursor);
  const start = cursor.at;
  cursor.at += length;
  return cursor.bytes.subarray(start, cursor.at);
}

/**
 * Calls `visit` for each field of the struct at the cursor. It takes the field's value and returns true,
 * or returns false to have it skipped.
 */
export function readStruct(cursor: Cursor, visit: (field: FieldHeader, cursor: Cursor) => boolean): void {
  let id = 0;
  for (;;) {
    const header = readByte(cursor);
    if (header === 0) return;
    const delta = header >> 4;
    id = delta === 0 ? readInteger(cursor) : id + delta;
    const field = { id, type: header & 0x0f };
    if (!visit(field, cursor)) skip(cursor, field.type, 0);
  }
}

/** Calls `visit` at each of a list's elements; it takes the element's value. */
export function readList(cursor: Cursor, visit: (cursor: Cursor, index: number) => void): void {
  const { size } = readListHeader(cursor);
  for (let index = 0; index < size; index++) visit(cursor, index);
}

/** The bytes that a field begins with, for a field `id` that follows field `previous`. */
function fieldHeader(id: number, previous: number, type: number): Buffer {
  const delta = id - previous;
  return delta > 0 && delta < 16
    ? Buffer.from([(delta << 4) | type])
    : Buffer.concat([Buffer.from([type]), zigzag(id)]);
}

export function zigzag(value: number): Buffer {
  const bytes: number[] = [];
  let rest = (value << 1) ^ (value >> 31);
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function readListHeader(cursor: Cursor): { size: number; type: number } {
  const header = readByte(cursor);
  const short = header >> 4;
  return { size: short === 15 ? readSize(cursor) : short, type: header & 0x0f };
}

/** A length that must fit into what is left, so that a damaged one cannot ask for gigabytes. */
function readSize(cursor: Cursor): number {
  const size = readVarint(cursor);
  if (size > cursor.bytes.length - cursor.at) throw malformed('a length beyond the end', cursor);
  return size;
}

export function readByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) throw malformed('an end too early', cursor);
  cursor.at++;
  return byte;
}

export function skip(cursor: Cursor, type: number, depth: number): void {
  if (depth > MAX_DEPTH) throw malformed('too many levels', cursor);
  if (type === TYPE.true || type === TYPE.false) return;
  if (type === TYPE.byte) cursor.at += 1;
  else if (type === TYPE.i16 || type === TYPE.i32 || type === TYPE.i64) readVarint(cursor);
  else if (type === TYPE.double) cursor.at += 8;
  else if (type === TYPE.binary) skipBinary(cursor);
  else if (type === TYPE.list || type === TYPE.set) skipList(cursor, depth);
  else if (type === TYPE.map) skipMap(cursor, depth);
  else if (type === TYPE.struct) skipStruct(cursor, depth);
  else throw malformed(`a value of unknown type ${type}`, cursor);
}

function skipBinary(cursor: Cursor): void {
  const size = readSize(cursor);
  cursor.at += size;
}

function skipList(cursor: Cursor, depth: number): void {
  const { size, type } = readListHeader(cursor);
  for (let index = 0; index < size; index++) skipElement(cursor, type, depth);
}

function skipMap(cursor: Cursor, depth: number): void {
  const size = readSize(cursor);
  if (size === 0) return;
  const types = readByte(cursor);
  for (let index = 0; index < size; index++) {
    skipElement(cursor, types >> 4, depth);
    skipElement(cursor, types & 0x0f, depth);
  }
}

/** Inside a collection a boolean takes a byte; as a field it stands in the header. */
function skipElement(cursor: Cursor, type: number, depth: number): void {
  if (type === TYPE.true || type === TYPE.false) cursor.at += 1;
  else skip(cursor, type, depth + 1);
}

function skipStruct(cursor: Cursor, depth: number): void {
  for (;;) {
    const header = readByte(cursor);
    if (header === 0) return;
    if (header >> 4 === 0) readInteger(cursor);
    skip(cursor, header & 0x0f, depth + 1);
  }
}

/** A field as it stands, with the bytes of its value. */
export interface RawField {
  readonly id: number;
  readonly type: number;
  readonly value: Buffer;
}

/** All fields of a struct. */
export function readFields(cursor: Cursor): readonly RawField[] {
  const fields: RawField[] = [];
  readStruct(cursor, (field) => {
    const from = cursor.at;
    skip(cursor, field.type, 0);
    fields.push({ id: field.id, type: field.type, value: cursor.bytes.subarray(from, cursor.at) });
    return true;
  });
  return fields;
}

export function writeStruct(fields: readonly RawField[]): Buffer {
  const parts: Buffer[] = [];
  let previous = 0;
  for (const field of fields) {
    parts.push(fieldHeader(field.id, previous, field.type), field.value);
    previous = field.id;
  }
  return Buffer.concat([...parts, Buffer.from([0])]);
}
