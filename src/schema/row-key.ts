/** The keys of a source's rows, written into one buffer that the next row uses again. */
import { basename } from 'node:path';
import type { ByteString, Column, ColumnBatch, RowFault } from '../core/types.ts';
import { type Coded, fromBytes, isFault, type TypedCodec, toBytes } from './codecs/codec.ts';
import { putBytes } from './codecs/put.ts';
import { putScalar } from './codecs/string.ts';
import { keyCodec } from './columns.ts';
import type { KeyPart, KeyTemplate } from './key-template.ts';
import { createPlaces } from './places.ts';
import { bindText, bindTyped, type Read } from './read-column.ts';
import { createSlotReader } from './slot-reader.ts';
import { createSpanReader, type SpanReader, settler } from './span-reader.ts';
import type { FeatureSchema } from './types.ts';

export interface RowKey {
  /** The key of the row last written is bytes[0 .. length). */
  bytes: Buffer;
  length: number;
}

/** Writes the key of a row; gives the fault of an entity that is none. */
export type WriteKey = (row: number) => RowFault | null;

type WritePart = (row: number) => RowFault | null;

/** Column of a batch by its name in the template. */
export type KeyColumnOf = (name: string) => Column;

export function bindKey(
  schema: FeatureSchema,
  batch: ColumnBatch,
  sourceName: string,
  columnOf: KeyColumnOf,
  key: RowKey,
): WriteKey {
  const parts = schema.key.parts.map((part) => bindPart(part, schema, batch, sourceName, columnOf, key));
  return (row) => {
    key.length = 0;
    for (let i = 0; i < parts.length; i += 1) {
      const fault = parts[i]!(row);
      if (fault !== null) return fault;
    }
    return null;
  };
}

function bindPart(
  part: KeyPart,
  schema: FeatureSchema,
  batch: ColumnBatch,
  sourceName: string,
  columnOf: KeyColumnOf,
  key: RowKey,
): WritePart {
  if (part.kind === 'row') return (row) => addText(key, String(batch.firstRow + row));
  if (part.kind === 'column') return bindEntity(part.column, columnOf(part.column), schema, key);
  const literal = part.kind === 'literal' ? part.bytes : schema.key.escape(toBytes(fileName(sourceName)));
  const bytes = Buffer.from(literal, 'latin1');
  return () => addBytes(key, bytes, 0, bytes.length);
}

function addText(key: RowKey, text: ByteString): null {
  makeRoom(key, text.length);
  key.bytes.latin1Write(text, key.length);
  key.length += text.length;
  return null;
}

function addBytes(key: RowKey, bytes: Uint8Array, start: number, end: number): null {
  makeRoom(key, end - start);
  key.length = putBytes(key.bytes, key.length, bytes, start, end);
  return null;
}

function makeRoom(key: RowKey, length: number): void {
  if (key.length + length <= key.bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * (key.length + length));
  key.bytes.copy(larger, 0, 0, key.length);
  key.bytes = larger;
}

const BLANK = /^\s+$/;
/** No white space beyond ASCII begins with another byte in UTF-8. */
const BLANK_START = /^[\t-\r \xc2\xe1-\xe3\xef]/;

/** An entity; null, empty and blank ones are faults that carry their column. */
function bindEntity(column: string, source: Column, schema: FeatureSchema, key: RowKey): WritePart {
  const read =
    source.kind === 'text'
      ? bindText(source, schema.nullTokens, (cell) => cell)
      : bindTyped(source, keyCodec(source.type, schema.zone) as TypedCodec);
  const slow = readEntity(column, read, schema.key, key);
  const reader = entityReader(source, schema);
  return reader === null ? slow : bindSpans(reader, key, slow);
}

function readEntity(column: string, read: Read, template: KeyTemplate, key: RowKey): WritePart {
  const bad = (code: 'KEY_NULL' | 'KEY_EMPTY' | 'KEY_BLANK', found: string): RowFault => {
    return { code, column, reason: `expected an entity, found ${found}` };
  };
  return (row) => {
    const value: Coded | null = read(row);
    if (value === null) return bad('KEY_NULL', 'null');
    if (isFault(value)) return { ...value, column };
    if (value === '') return bad('KEY_EMPTY', 'an empty string');
    if (BLANK_START.test(value) && BLANK.test(fromBytes(value))) return bad('KEY_BLANK', 'only white space');
    return addText(key, template.escape(value));
  };
}

/** Entities that begin with a visible ASCII character and need no escape are copied as they stand; a quoted one may be empty. */
function bindSpans(reader: SpanReader, key: RowKey, slow: WritePart): WritePart {
  return (row) => {
    if (!reader.find(row) || reader.start === reader.end) return slow(row);
    const first = reader.bytes[reader.start]!;
    if (first <= 32 || first >= 127) return slow(row);
    return addBytes(key, reader.bytes, reader.start, reader.end);
  };
}

function entityReader(source: Column, { key, nullTokens }: FeatureSchema): SpanReader | null {
  const [place] = createPlaces(1);
  const settle = settler(key.isPlain, null, place!);
  if (source.kind === 'text') return createSpanReader(source, nullTokens, settle);
  return createSlotReader(source, { settle, put: putScalar(source.type), packed: null }, place!);
}

/** The last part of a path, or of a URL without its query. */
function fileName(source: string): string {
  return basename(/^https?:\/\//i.test(source) ? source.replace(/[?#].*$/s, '') : source);
}
