/**
 * Checks the metadata of an Arrow message before apache-arrow decodes it: apache-arrow passes over messages
 * that it does not know, and makes arrays as long as a damaged file says.
 * https://github.com/apache/arrow/tree/main/format
 */
import { child, elementAt, field, root, type Table, text, vectorSize } from './flatbuffers.ts';

export interface Envelope {
  readonly kind: 'schema' | 'dictionary' | 'batch';
  /** Bytes of the body that follows the metadata. */
  readonly bodyLength: number;
  /** Of a record batch. */
  readonly rows: number;
}

const MESSAGE = { headerType: 1, header: 2, bodyLength: 3, metadata: 4 } as const;
const HEADER = { schema: 1, dictionary: 2, batch: 3 } as const;
const SCHEMA = { fields: 1, metadata: 2 } as const;
const FIELD = { name: 0, children: 5, metadata: 6 } as const;
const BATCH = { length: 0, nodes: 1, buffers: 2, variadic: 4 } as const;
const FOOTER = { schema: 1, dictionaries: 2, batches: 3, metadata: 4 } as const;
const MAX_DEPTH = 64;

/** Throws an Error in words where the metadata is no message. */
export function readEnvelope(metadata: Buffer): Envelope {
  const message = root(metadata);
  const header = child(message, MESSAGE.header);
  const type = field(message, MESSAGE.headerType);
  const length = field(message, MESSAGE.bodyLength);
  const bodyLength = length === 0 ? 0 : Number(metadata.readBigInt64LE(length));
  if (header === null || type === 0 || bodyLength < 0) throw new Error('a message without a header');
  vectorSize(message, MESSAGE.metadata, 4);
  const kind = checkHeader(header, metadata.readUInt8(type));
  return { kind, bodyLength, rows: kind === 'batch' ? batchRows(header) : 0 };
}

/** Throws an Error in words where the bytes are no footer of an Arrow file. */
export function checkFooter(bytes: Buffer): void {
  const footer = root(bytes);
  const schema = child(footer, FOOTER.schema);
  if (schema === null) throw new Error('a footer without a schema');
  checkSchema(schema);
  vectorSize(footer, FOOTER.dictionaries, 24);
  vectorSize(footer, FOOTER.batches, 24);
  vectorSize(footer, FOOTER.metadata, 4);
}

function checkHeader(header: Table, type: number): Envelope['kind'] {
  if (type === HEADER.schema) {
    checkSchema(header);
    return 'schema';
  }
  if (type === HEADER.dictionary) {
    const data = child(header, 1);
    if (data === null) throw new Error('a dictionary without data');
    checkBatchHeader(data);
    return 'dictionary';
  }
  if (type !== HEADER.batch) throw new Error(`a message of unknown type ${type}`);
  checkBatchHeader(header);
  return 'batch';
}

function checkBatchHeader(batch: Table): void {
  vectorSize(batch, BATCH.nodes, 16);
  vectorSize(batch, BATCH.buffers, 16);
  vectorSize(batch, BATCH.variadic, 8);
}

function batchRows(batch: Table): number {
  const length = field(batch, BATCH.length);
  return length === 0 ? 0 : Number(batch.bytes.readBigInt64LE(length));
}

function checkSchema(schema: Table): void {
  vectorSize(schema, SCHEMA.metadata, 4);
  checkFields(schema, SCHEMA.fields, 0);
}

function checkFields(parent: Table, slot: number, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error('too many levels of columns');
  const count = vectorSize(parent, slot, 4);
  for (let index = 0; index < count; index++) {
    const one = elementAt(parent, slot, index);
    // The items of a list need none.
    if (text(one, FIELD.name) === null && depth === 0) throw new Error('a column without a name');
    vectorSize(one, FIELD.metadata, 4);
    checkFields(one, FIELD.children, depth + 1);
  }
}
