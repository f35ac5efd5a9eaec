/** The pages of a column chunk, decompressed. */
import type { ChunkBytes } from './chunk-bytes.ts';
import { CODEC, decompress } from './decompress.ts';
import { tooEarly } from './errors.ts';
import { bigEndianBits, type Codes, hybridCodes } from './hybrid.ts';
import { ENCODING, PAGE, type PageHeader } from './page-header.ts';
import { takePage } from './stored-page.ts';

/** Values of a page: its bytes from `start` up to `end`. */
export interface PageValues {
  readonly isDictionary: boolean;
  readonly count: number;
  readonly encoding: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Which rows have a value: 1, or 0; null: all. */
  readonly levels: Codes | null;
}

/** Most bytes that a page may have. */
const MAX_PAGE = 512 * 1024 * 1024;

/** The next page with values, or null at the end. `reserve` is told its bytes before it is decompressed. Throws an Error in words. */
export async function nextPage(
  chunk: ChunkBytes,
  codec: number,
  isOptional: boolean,
  reserve: (bytes: number) => void,
): Promise<PageValues | null> {
  while (chunk.left() > 0) {
    const { header, stored } = await takePage(chunk);
    if (header.uncompressedSize > MAX_PAGE)
      throw new Error(`a page of ${header.uncompressedSize} bytes, of at most ${MAX_PAGE}`);
    reserve(header.uncompressedSize);
    if (header.type === PAGE.dictionary) return wholePage(header, codec, stored, true);
    if (header.type === PAGE.data) return dataPage(header, codec, stored, isOptional);
    if (header.type === PAGE.dataV2) return dataPageV2(header, codec, stored, isOptional);
    if (header.type !== PAGE.index) throw new Error(`a page of unknown type ${header.type}`);
  }
  return null;
}

function wholePage(header: PageHeader, codec: number, stored: Buffer, isDictionary: boolean): PageValues {
  const bytes = decompress(codec, stored, header.uncompressedSize);
  const { values: count, encoding } = header;
  return { isDictionary, count, encoding, bytes, start: 0, end: header.uncompressedSize, levels: null };
}

function dataPage(header: PageHeader, codec: number, stored: Buffer, isOptional: boolean): PageValues {
  const page = wholePage(header, codec, stored, false);
  if (!isOptional) return page;
  const { bytes, end, count } = page;
  if (header.levelEncoding === ENCODING.bitPacked) {
    const start = Math.ceil(count / 8);
    return { ...page, start: inside(start, end), levels: bigEndianBits(bytes, 0, start) };
  }
  if (header.levelEncoding !== ENCODING.rle) throw new Error('levels of unknown encoding');
  const start = inside(4, end) + readLength(bytes, 0);
  return { ...page, start: inside(start, end), levels: hybridCodes(bytes, 4, start, 1) };
}

/** Version 2: levels are not compressed, and their length stands in the header. */
function dataPageV2(header: PageHeader, codec: number, stored: Buffer, isOptional: boolean): PageValues {
  const levelBytes = header.repetitionBytes + header.definitionBytes;
  const length = header.uncompressedSize - levelBytes;
  if (header.repetitionBytes > 0 || (!isOptional && levelBytes > 0)) {
    throw new Error('levels in a column that has none');
  }
  if (levelBytes > stored.length || length < 0) throw tooEarly();
  const packed = stored.subarray(levelBytes);
  // Values may outlive the page, and what it was read into.
  const own = header.isCompressed || codec === CODEC.none ? packed : Buffer.from(packed);
  const bytes = decompress(header.isCompressed ? codec : CODEC.none, own, length);
  const levels = isOptional ? hybridCodes(stored, 0, levelBytes, 1) : null;
  const { values: count, encoding } = header;
  return { isDictionary: false, count, encoding, bytes, start: 0, end: length, levels };
}

function inside(at: number, end: number): number {
  if (at > end) throw tooEarly();
  return at;
}

/** Four bytes, little-endian. */
export function readLength(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)) + bytes[at + 3]! * 2 ** 24;
}
