/**
 * LZ4 frames, as Arrow compresses its buffers. Every length, offset and checksum is looked at: lz4js takes the checksum
 * of a block for its beginning, and damage for data.
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md
 */
import { xxh32 } from './xxh32.ts';

const MAGIC = 0x184d2204;
const FLAG = {
  version: 0xc0,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
} as const;
const VERSION_1 = 0x40;
/** Bytes that a block may have, by its code in the header. */
const BLOCK_SIZES: Readonly<Record<number, number>> = { 4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22 };
const STORED = 0x80000000;

/** The content of one frame, at the start of memory of its own. Throws an Error in words. */
export function unlz4(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const { flags, blockSize, contentSize, end } = readHeader(frame, view);
  const output = createOutput(contentSize ?? blockSize);
  let at = end;
  for (;;) {
    const word = wordAt(view, at);
    at += 4;
    if (word === 0) break;
    const length = word % STORED;
    const block = partOf(frame, at, length);
    at += length;
    if ((flags & FLAG.blockChecksum) !== 0) {
      if (wordAt(view, at) !== xxh32(block)) throw damaged();
      at += 4;
    }
    if (length !== word) output.copy(block, blockSize);
    else output.decode(block, blockSize);
  }
  const content = output.content();
  if (contentSize !== null && content.length !== contentSize) throw damaged();
  if ((flags & FLAG.contentChecksum) !== 0 && wordAt(view, at) !== xxh32(content)) throw damaged();
  return content;
}

interface Header {
  readonly flags: number;
  readonly blockSize: number;
  readonly contentSize: number | null;
  /** Where the first block begins. */
  readonly end: number;
}

function readHeader(frame: Uint8Array, view: DataView): Header {
  if (wordAt(view, 0) !== MAGIC) throw new Error('bytes that begin no LZ4 frame');
  const flags = byteAt(view, 4);
  const blockSize = BLOCK_SIZES[byteAt(view, 5) >> 4];
  if ((flags & FLAG.version) !== VERSION_1 || blockSize === undefined) throw damaged();
  if ((flags & FLAG.dictionary) !== 0) throw new Error('an LZ4 frame with a dictionary of its own');
  let end = 6;
  let contentSize: number | null = null;
  if ((flags & FLAG.contentSize) !== 0) {
    contentSize = wordAt(view, 6) + wordAt(view, 10) * 2 ** 32;
    end = 14;
  }
  if (byteAt(view, end) !== ((xxh32(frame.subarray(4, end)) >>> 8) & 0xff)) throw damaged();
  return { flags, blockSize, contentSize, end: end + 1 };
}

function damaged(): Error {
  return new Error('its buffers do not decompress');
}

function byteAt(view: DataView, at: number): number {
  if (at + 1 > view.byteLength) throw damaged();
  return view.getUint8(at);
}

function wordAt(view: DataView, at: number): number {
  if (at + 4 > view.byteLength) throw damaged();
  return view.getUint32(at, true);
}

function partOf(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (at + length > bytes.length) throw damaged();
  return bytes.subarray(at, at + length);
}

/** Bytes to begin with, whatever a header says: a few bytes of it could ask for gigabytes. */
const MAX_FIRST = 4 * 1024 * 1024;

/** What was decompressed, which grows: blocks refer to those before them. */
function createOutput(expected: number) {
  let bytes = new Uint8Array(Math.min(expected, MAX_FIRST));
  let length = 0;
  const room = (more: number): void => {
    if (length + more <= bytes.length) return;
    const larger = new Uint8Array(Math.max(bytes.length * 2, length + more));
    larger.set(bytes.subarray(0, length));
    bytes = larger;
  };
  return {
    copy: (block: Uint8Array, most: number): void => {
      if (block.length > most) throw damaged();
      room(block.length);
      bytes.set(block, length);
      length += block.length;
    },
    decode: (block: Uint8Array, most: number): void => {
      room(most);
      length = decodeBlock(block, bytes, length, length + most);
    },
    content: (): Uint8Array => bytes.subarray(0, length),
  };
}

/** Writes from `start` on, up to `limit` at most, and gives the position after. */
function decodeBlock(block: Uint8Array, target: Uint8Array, start: number, limit: number): number {
  let at = 0;
  let to = start;
  /** A length of 15 goes on in bytes of 255 and a last one. */
  const lengthOf = (first: number): number => {
    let length = first;
    if (first < 15) return length;
    for (let byte = 255; byte === 255; length += byte) {
      if (at >= block.length) throw damaged();
      byte = block[at++]!;
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = lengthOf(token >> 4);
    if (at + literals > block.length || to + literals > limit) throw damaged();
    target.set(block.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    // The last sequence has literals only.
    if (at === block.length) return to;
    if (at + 2 > block.length) throw damaged();
    const offset = block[at]! | (block[at + 1]! << 8);
    at += 2;
    const matched = lengthOf(token & 15) + 4;
    if (offset === 0 || offset > to || to + matched > limit) throw damaged();
    // It may reach into what it has just written.
    for (let i = 0; i < matched; i += 1) target[to + i] = target[to - offset + i]!;
    to += matched;
  }
  throw damaged();
}
