import { type FileHandle, open } from 'node:fs/promises';
import { Table, tableToIPC } from 'apache-arrow';
import { type FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import { checkFooter, readEnvelope } from './arrow-envelope.ts';
import { arrowError, cutError } from './arrow-errors.ts';
import { countBatch, type MessageCount } from './arrow-messages.ts';
import { assertUnchanged, type ByteCounter, type ByteStream, readError } from './bytes.ts';

/** The length of the footer, and `ARROW1`. */
const TAIL_BYTES = 10;

interface Block {
  readonly kind: 'dictionary' | 'batch';
  readonly offset: number;
  readonly length: number;
  /** Bytes of `length` before the body. */
  readonly metadataLength: number;
}

/**
 * An Arrow file as the stream of its messages: the schema, the dictionaries and the record batches as the
 * footer lists them. Some writers (apache-arrow's among them) write no schema at the start. Throws
 * SOURCE_TRUNCATED where the end is missing and SOURCE_CORRUPT for a footer that does not fit the file.
 * https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format
 */
export async function* fileMessages(
  path: string,
  name: string,
  counter: ByteCounter,
  seen: MessageCount,
): ByteStream {
  const handle = await open(path).catch((error: unknown) => {
    throw readError(name, error);
  });
  try {
    const atOpen = await handle.stat();
    const { size } = atOpen;
    const { schema, blocks } = await readFileFooter(handle, size, name);
    counter.bytes = 0;
    yield schema;
    for (const block of blocks) {
      if (!fits(block, size))
        throw arrowError(name, 0, new Error('a footer that points outside of the file'));
      counter.bytes = Math.max(counter.bytes, block.offset + block.length);
      const message = await readBlock(handle, block, name, seen).catch(async (error: unknown) => {
        // A file that was cut or written to meanwhile shows as damage: its own name for that is clearer.
        assertUnchanged(name, atOpen, await handle.stat());
        throw error;
      });
      if (message !== null) yield message;
    }
    counter.bytes = size;
    assertUnchanged(name, atOpen, await handle.stat());
  } finally {
    await handle.close();
  }
}

/** Null: a record batch that is left out. */
async function readBlock(
  handle: FileHandle,
  block: Block,
  name: string,
  seen: MessageCount,
): Promise<Buffer | null> {
  if (block.kind === 'batch') {
    const metadata = await readAt(handle, block.offset, block.metadataLength, name);
    if (!countBatch(seen, checkMessage(name, metadata, block))) return null;
  }
  const message = await readAt(handle, block.offset, block.length, name);
  checkMessage(name, message, block);
  return message;
}

function fits({ offset, length, metadataLength }: Block, size: number): boolean {
  const isInside = offset >= 8 && length > 0 && offset + length <= size - TAIL_BYTES;
  return isInside && metadataLength > 0 && metadataLength <= length;
}

/** A message is its continuation mark, the length of its metadata, the metadata and the body. Returns its rows. */
function checkMessage(name: string, message: Buffer, block: Block): number {
  try {
    const old = message.readUInt32LE(0) !== 0xffffffff;
    const prefix = old ? 4 : 8;
    const size = message.readInt32LE(prefix - 4);
    const { kind, bodyLength, rows } = readEnvelope(message.subarray(prefix, prefix + size));
    const whole = size > 0 && prefix + size + bodyLength <= block.length;
    if (kind !== block.kind || !whole) throw new Error('a message that is not what the footer says');
    return rows;
  } catch (error) {
    throw arrowError(name, 0, error);
  }
}

async function readFileFooter(
  handle: FileHandle,
  size: number,
  name: string,
): Promise<{ schema: Buffer; blocks: readonly Block[] }> {
  const tail = await readAt(handle, Math.max(size - TAIL_BYTES, 0), Math.min(size, TAIL_BYTES), name);
  const ended = size > 8 + TAIL_BYTES && tail.subarray(-6).toString('latin1') === 'ARROW1';
  if (!ended) throw cutError(name, 'ARROW1 after a footer at its end');
  const length = tail.readInt32LE(0);
  const start = size - TAIL_BYTES - length;
  if (length <= 0 || start < 8) throw arrowError(name, 0, new Error(`a footer of ${length} bytes`));
  const bytes = await readAt(handle, start, length, name);
  try {
    return decodeFooter(bytes);
  } catch (error) {
    throw arrowError(name, 0, error);
  }
}

function decodeFooter(bytes: Buffer): { schema: Buffer; blocks: readonly Block[] } {
  checkFooter(bytes);
  const footer = Footer.decode(bytes);
  const block = (kind: Block['kind'], { offset, metaDataLength, bodyLength }: FileBlock): Block => ({
    kind,
    offset: Number(offset),
    metadataLength: Number(metaDataLength),
    length: Number(metaDataLength) + Number(bodyLength),
  });
  const dictionaries = [...footer.dictionaryBatches()].map((one) => block('dictionary', one));
  const batches = [...footer.recordBatches()].map((one) => block('batch', one));
  return { schema: schemaMessage(footer.schema), blocks: [...dictionaries, ...batches] };
}

/** The first message of a stream of that schema; what follows it is the mark of the end. */
function schemaMessage(schema: Footer['schema']): Buffer {
  const stream = Buffer.from(tableToIPC(new Table(schema), 'stream'));
  return stream.subarray(0, 8 + stream.readInt32LE(4));
}

async function readAt(handle: FileHandle, at: number, length: number, name: string): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(buffer, 0, length, at).catch((error: unknown) => {
    throw readError(name, error);
  });
  if (bytesRead < length) throw cutError(name, `${length} bytes at ${at}`);
  return buffer;
}
