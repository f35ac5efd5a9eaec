/** The compression of pages, as far as it is read here; parquet-wasm has the rest. */
import zlib from 'node:zlib';
import { snappyUncompressor } from 'hysnappy';
import { toBuffer } from '../decoded-column.ts';
import { readVarint } from './thrift.ts';

/** CompressionCodec of the format. */
export const CODEC = { none: 0, snappy: 1, gzip: 2, brotli: 4, zstd: 6 } as const;

type Native = (input: Uint8Array, options: { maxOutputLength: number; chunkSize: number }) => Buffer;

/** Node has it from 22.15 and 23.8 on. */
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: Native };

const NATIVE: Readonly<Record<number, Native | undefined>> = {
  [CODEC.gzip]: zlib.gunzipSync,
  [CODEC.brotli]: zlib.brotliDecompressSync,
  [CODEC.zstd]: zstdDecompressSync,
};

export function canDecompress(codec: number): boolean {
  return codec === CODEC.none || codec === CODEC.snappy || NATIVE[codec] !== undefined;
}

type Unsnappy = (input: Uint8Array, length: number) => Uint8Array;

let unsnappy: Unsnappy | null = null;

/** The `length` bytes that the input stands for. Throws an Error in words. */
export function decompress(codec: number, input: Uint8Array, length: number): Uint8Array {
  // A page of nulls alone may have no bytes, which no compression would leave.
  if (codec === CODEC.none || (length === 0 && input.length === 0)) return exactly(input, length);
  try {
    if (codec !== CODEC.snappy) return exactly(byNode(codec, input, length), length);
    // Not told of its own length, it gives back what lay in its memory where the data is shorter.
    if (snappyLength(input) !== length) throw new Error('snappy data of another length');
    // It gives a copy of what is in its memory: pages of several columns are in use at a time.
    unsnappy ??= snappyUncompressor();
    return unsnappy(input, length);
  } catch (error) {
    throw new Error('its pages do not decompress', { cause: error });
  }
}

/** Snappy data begins with the number of bytes that it stands for. */
function snappyLength(input: Uint8Array): number {
  return readVarint({ bytes: toBuffer(input), at: 0 });
}

/** The least that Node takes. */
const MIN_CHUNK = 64;

function byNode(codec: number, input: Uint8Array, length: number): Uint8Array {
  // In one piece, as many would be put together at the end: twice the memory, and half as fast. Node takes no limit of 0.
  const chunkSize = Math.max(length + 1, MIN_CHUNK);
  return NATIVE[codec]!(input, { maxOutputLength: Math.max(length, 1), chunkSize });
}

function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes;
  throw new Error(`a page of ${bytes.length} bytes where ${length} belong`);
}
