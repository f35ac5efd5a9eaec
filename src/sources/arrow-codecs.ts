import { type Codec, CompressionType, compressionRegistry } from 'apache-arrow';
import { decompress as decompressZstd } from 'fzstd';
import { unlz4 } from './lz4-frame.ts';

/** Teaches apache-arrow the two codecs of the IPC format, for reading. Safe to call again. */
export function registerArrowCodecs(): void {
  const lz4Codec: Codec = { decode: (bytes) => ofLength(bytes, unlz4(bytes)) };
  const zstdCodec: Codec = { decode: (bytes) => ofLength(bytes, aligned(decompressZstd(bytes))) };
  compressionRegistry.set(CompressionType.LZ4_FRAME, lz4Codec);
  compressionRegistry.set(CompressionType.ZSTD, zstdCodec);
}

/** Numbers of 64 bits must begin at a multiple of 8 in their memory, and fzstd's content begins anywhere. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
}

/** How long a buffer is when it is decompressed stands in the 8 bytes before it; apache-arrow's own writer puts there how long it is compressed. */
function ofLength(compressed: Uint8Array, content: Uint8Array): Uint8Array {
  const { buffer, byteOffset } = compressed;
  const length = Number(new DataView(buffer, byteOffset - 8, 8).getBigInt64(0, true));
  if (length === content.length || length === compressed.length) return content;
  throw new Error(`a buffer of ${content.length} bytes where ${length} belong`);
}
