/** The pages of a column chunk as they stand in the file. */
import zlib from 'node:zlib';
import type { ChunkBytes } from './chunk-bytes.ts';
import { tooEarly } from './errors.ts';
import { type PageHeader, readPageHeader } from './page-header.ts';

export interface StoredPage {
  readonly header: PageHeader;
  /** Levels and values, compressed or not. */
  readonly stored: Buffer;
}

/** Most bytes that a header may have: its statistics hold values. */
const MAX_HEADER = 16 * 1024 * 1024;
const USUAL_HEADER = 256;

/** Node has it from 20.15 and 22.2 on. */
const { crc32 } = zlib as { crc32?: (bytes: Uint8Array) => number };

/** The next one; there must be one. Throws an Error in words, also where its checksum says that it is another. */
export async function takePage(chunk: ChunkBytes): Promise<StoredPage> {
  const header = await takeHeader(chunk);
  if (header.compressedSize > chunk.left()) throw tooEarly();
  const stored = await chunk.peek(header.compressedSize);
  chunk.take(header.compressedSize);
  if (!isIntact(header, stored)) throw new Error('a page that differs from its checksum');
  return { header, stored };
}

function isIntact({ crc }: PageHeader, stored: Buffer): boolean {
  return crc === null || crc32 === undefined || (crc32(stored) | 0) === (crc | 0);
}

/** How long it is shows by reading it only. */
async function takeHeader(chunk: ChunkBytes): Promise<PageHeader> {
  for (let size = USUAL_HEADER; ; size *= 4) {
    const bytes = await chunk.peek(size);
    const cursor = { bytes, at: 0 };
    try {
      const header = readPageHeader(cursor);
      if (cursor.at <= bytes.length) {
        chunk.take(cursor.at);
        return header;
      }
    } catch (error) {
      if (bytes.length === chunk.left() || size >= MAX_HEADER) throw error;
    }
    if (bytes.length === chunk.left()) throw tooEarly();
  }
}
