import { Decompress } from 'fzstd';
import { FeaturectlError } from '../core/errors.ts';
import { type ByteReader, createByteReader } from './byte-reader.ts';
import { asBuffer, type ByteStream } from './bytes.ts';
import { inDeadline } from './deadline.ts';
import { createXxh64 } from './xxh64.ts';

/** Most that a frame may look back, which is what the decoder holds: more than level 19 ever needs. */
const MAX_WINDOW = 32 * 1024 * 1024;

const MAX_BLOCK = 128 * 1024;
/**
 * In which a block of 128 KiB must be decoded, which takes milliseconds. fzstd goes on for ever where the weights of
 * a Huffman table come from an FSE table of one symbol, and for minutes where sequences copy beyond the block.
 */
const BLOCK_MS = 10_000;
const FRAME_MAGIC = 0xfd2fb528;

/** A frame that holds no data: its magic number ends in any of 16 digits. */
function isSkippable(magic: number): boolean {
  return magic >>> 4 === 0x184d2a5;
}

/**
 * Decompresses zstd of any number of frames, skippable ones among them. The frames are taken apart here and
 * only their blocks are fzstd's: it checks neither lengths nor checksums and passes over what is cut. All that
 * can be decompressed is yielded before an error: SOURCE_TRUNCATED where the data ends inside a frame,
 * SOURCE_CORRUPT for damage and for bytes that are no frame. Holds one window and one block.
 * https://www.rfc-editor.org/rfc/rfc8878
 */
export async function* unzstd(chunks: ByteStream, name: string, blockMs = BLOCK_MS): ByteStream {
  const input = createByteReader(chunks);
  try {
    for (;;) {
      const magic = await input.take(4);
      if (magic.length === 0) return;
      const number = magic.length < 4 ? 0 : magic.readUInt32LE();
      if (isSkippable(number)) await skipFrame(input, name);
      else if (number === FRAME_MAGIC) yield* readFrame(input, magic, name, blockMs);
      else throw corrupt(name, 'bytes that begin no frame');
    }
  } finally {
    await chunks.return();
  }
}

async function skipFrame(input: ByteReader, name: string): Promise<void> {
  const length = (await exactly(input, 4, name)).readUInt32LE();
  if ((await input.skip(length)) < length) throw truncated(name);
}

async function* readFrame(input: ByteReader, magic: Buffer, name: string, blockMs: number): ByteStream {
  const frame = await readHeader(input, magic, name);
  const hash = frame.hasChecksum ? createXxh64() : null;
  const decode = blockDecoder(frame.header, name, blockMs);
  let total = 0;
  for (let isLast = false; !isLast; ) {
    const block = await readBlock(input, frame.maxBlock, name);
    isLast = block.isLast;
    const checksum = isLast && hash !== null ? await exactly(input, 4, name) : null;
    for (const piece of decode(block.bytes, checksum, isLast)) {
      hash?.update(piece);
      total += piece.length;
      yield piece;
    }
    if (checksum !== null && checksum.readUInt32LE() !== hash?.low32())
      throw corrupt(name, 'a checksum that its data does not have');
  }
  if (frame.contentSize !== null && frame.contentSize !== total)
    throw corrupt(name, `${total} bytes of data where its header says ${frame.contentSize}`);
}

interface Frame {
  /** The header as it is stored, the magic number included. */
  readonly header: Buffer;
  /** Bytes of the data; null: not stored. */
  readonly contentSize: number | null;
  readonly maxBlock: number;
  readonly hasChecksum: boolean;
}

async function readHeader(input: ByteReader, magic: Buffer, name: string): Promise<Frame> {
  const descriptor = (await exactly(input, 1, name))[0] as number;
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  const rest = await exactly(input, (isSingle ? 0 : 1) + dictionaryBytes + sizeBytes, name);
  if ((descriptor & 0x08) !== 0) throw corrupt(name, 'a frame header with a reserved bit');
  const dictionaryAt = isSingle ? 0 : 1;
  const sizeAt = dictionaryAt + dictionaryBytes;
  if (rest.subarray(dictionaryAt, sizeAt).some((byte) => byte !== 0)) throw needsDictionary(name);
  const contentSize = sizeBytes === 0 ? null : readSize(rest.subarray(sizeAt), sizeBytes);
  const window = isSingle ? (contentSize ?? 0) : windowOf(rest[0] as number);
  if (window > MAX_WINDOW) throw tooWide(name, window);
  return {
    header: Buffer.concat([magic, Buffer.from([descriptor]), rest]),
    contentSize,
    maxBlock: Math.min(window, MAX_BLOCK),
    hasChecksum: (descriptor & 0x04) !== 0,
  };
}

/** Two bytes hold the size less 256. */
function readSize(bytes: Buffer, length: number): number {
  if (length === 8) return Number(bytes.readBigUInt64LE());
  return bytes.readUIntLE(0, length) + (length === 2 ? 256 : 0);
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

interface Block {
  /** The block as it is stored, its header of three bytes included. */
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

/** Of a block that repeats one byte, the size is that of the data; of the others, that of the stored bytes. */
async function readBlock(input: ByteReader, maxBlock: number, name: string): Promise<Block> {
  const header = await exactly(input, 3, name);
  const value = header.readUIntLE(0, 3);
  const type = (value >> 1) & 3;
  const size = value >> 3;
  if (type === 3 || size > maxBlock) throw corrupt(name, 'a block of a wrong type or size');
  const content = await exactly(input, type === 1 ? 1 : size, name);
  return { bytes: Buffer.concat([header, content]), isLast: (value & 1) === 1 };
}

type DecodeBlock = (block: Buffer, checksum: Buffer | null, isLast: boolean) => readonly Buffer[];

/** fzstd wants the header together with the first block, and the checksum with the last one. */
function blockDecoder(header: Buffer, name: string, blockMs: number): DecodeBlock {
  let pieces: Buffer[] = [];
  let pending: Buffer | null = header;
  const decoder = new Decompress((piece) => {
    if (piece.length > 0) pieces.push(asBuffer(piece));
  });
  return (block, checksum, isLast) => {
    pieces = [];
    const parts = [pending, block, checksum].filter((part) => part !== null);
    pending = null;
    try {
      inDeadline(blockMs, () => decoder.push(Buffer.concat(parts), isLast));
    } catch (error) {
      throw corrupt(name, 'a block that does not decode', error);
    }
    return pieces;
  };
}

async function exactly(input: ByteReader, length: number, name: string): Promise<Buffer> {
  const bytes = await input.take(length);
  if (bytes.length < length) throw truncated(name);
  return bytes;
}

function truncated(name: string): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_TRUNCATED',
    `${name}: zstd data ends too early: the file is truncated; copy it again`,
  );
}

function corrupt(name: string, found: string, cause?: unknown): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_CORRUPT',
    `${name}: expected zstd data, found ${found}; check it with zstd -t`,
    { cause },
  );
}

function tooWide(name: string, window: number): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_FORMAT',
    `${name}: expected zstd data with a window of at most ${MAX_WINDOW} bytes, found ${window}; compress it without --ultra and --long, or pipe it through zstd -dc`,
  );
}

function needsDictionary(name: string): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_FORMAT',
    `${name}: expected zstd data without a dictionary, found a frame that needs one; compress it without`,
  );
}
