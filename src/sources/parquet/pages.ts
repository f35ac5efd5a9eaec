/** The pages of a column chunk, decompressed. */
import type { ChunkBytes } from './chunk-bytes.ts';
import { CODEC, decompress } from './decompress.ts';
import { tooEarly } from './errors.ts';
import { bigEndianLevels, type Codes, hybridCodes } from './hybrid.ts';
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
  /** Of what a row or a value of a list is there; null: of all. */
  readonly definitions: Codes | null;
  /** 0 where another row begins; null: with each value. */
  readonly repetitions: Codes | null;
}

/** Bits that a level of each kind has; 0: there are none. */
export interface LevelWidths {
  readonly definition: 0 | 1 | 2;
  readonly repetition: 0 | 1;
}

/** Most bytes that a page may have. */
const MAX_PAGE = 512 * 1024 * 1024;

/** The next page with values, or null at the end. `reserve` is told its bytes before it is decompressed. Throws an Error in words. */
export async function nextPage(
  chunk: ChunkBytes,
  codec: number,
  widths: LevelWidths,
  reserve: (bytes: number) => void,
): Promise<PageValues | null> {
  while (chunk.left() > 0) {
    const { header, stored } = await takePage(chunk);
    if (header.uncompressedSize > MAX_PAGE)
      throw new Error(`a page of ${header.uncompressedSize} bytes, of at most ${MAX_PAGE}`);
    reserve(header.uncompressedSize);
    if (header.type === PAGE.dictionary) return wholePage(header, codec, stored, true);
    if (header.type === PAGE.data) return dataPage(header, codec, stored, widths);
    if (header.type === PAGE.dataV2) return dataPageV2(header, codec, stored, widths);
    if (header.type !== PAGE.index) throw new Error(`a page of unknown type ${header.type}`);
  }
  return null;
}

function wholePage(header: PageHeader, codec: number, stored: Buffer, isDictionary: boolean): PageValues {
  const bytes = decompress(codec, stored, header.uncompressedSize);
  const { values: count, encoding, uncompressedSize: end } = header;
  return { isDictionary, count, encoding, bytes, start: 0, end, definitions: null, repetitions: null };
}

function dataPage(
  header: PageHeader,
  codec: number,
  stored: Buffer,
  { repetition, definition }: LevelWidths,
): PageValues {
  const page = wholePage(header, codec, stored, false);
  const repetitions = levelsAt(page, header.repetitionEncoding, 0, repetition);
  const definitions = levelsAt(page, header.definitionEncoding, repetitions.end, definition);
  return { ...page, start: definitions.end, definitions: definitions.codes, repetitions: repetitions.codes };
}

/** Levels of version 1 from `at` on, and where they end. */
function levelsAt(
  { bytes, end: pageEnd, count }: PageValues,
  encoding: number,
  at: number,
  width: 0 | 1 | 2,
): { readonly codes: Codes | null; readonly end: number } {
  if (width === 0) return { codes: null, end: at };
  if (encoding === ENCODING.bitPacked) {
    const end = inside(at + Math.ceil((count * width) / 8), pageEnd);
    return { codes: bigEndianLevels(bytes, at, end, width), end };
  }
  if (encoding !== ENCODING.rle) throw new Error('levels of unknown encoding');
  const start = inside(at + 4, pageEnd);
  const end = inside(start + readLength(bytes, at), pageEnd);
  return { codes: hybridCodes(bytes, start, end, width), end };
}

/** Version 2: levels are not compressed, and their length stands in the header. */
function dataPageV2(
  header: PageHeader,
  codec: number,
  stored: Buffer,
  { repetition, definition }: LevelWidths,
): PageValues {
  const { repetitionBytes, definitionBytes, values: count, encoding } = header;
  if ((repetition === 0 && repetitionBytes > 0) || (definition === 0 && definitionBytes > 0)) {
    throw new Error('levels in a column that has none');
  }
  const levelBytes = repetitionBytes + definitionBytes;
  const end = header.uncompressedSize - levelBytes;
  if (levelBytes > stored.length || end < 0) throw tooEarly();
  const packed = stored.subarray(levelBytes);
  // Values may outlive the page, and what it was read into.
  const own = header.isCompressed || codec === CODEC.none ? packed : Buffer.from(packed);
  const bytes = decompress(header.isCompressed ? codec : CODEC.none, own, end);
  const codes = (from: number, to: number, width: number): Codes | null =>
    width === 0 ? null : hybridCodes(stored, from, to, width);
  const repetitions = codes(0, repetitionBytes, repetition);
  const definitions = codes(repetitionBytes, levelBytes, definition);
  return { isDictionary: false, count, encoding, bytes, start: 0, end, definitions, repetitions };
}

function inside(at: number, end: number): number {
  if (at > end) throw tooEarly();
  return at;
}

/** Four bytes, little-endian. */
export function readLength(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)) + bytes[at + 3]! * 2 ** 24;
}
