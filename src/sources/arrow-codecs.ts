import { type Codec, CompressionType, compressionRegistry } from 'apache-arrow';
import { decompress as decompressZstd } from 'fzstd';
import lz4 from 'lz4js';

/** Teaches apache-arrow the two codecs of the IPC format, for reading. Safe to call again. */
export function registerArrowCodecs(): void {
  const lz4Codec: Codec = { decode: (bytes) => lz4.decompress(bytes) };
  const zstdCodec: Codec = { decode: (bytes) => decompressZstd(bytes) };
  compressionRegistry.set(CompressionType.LZ4_FRAME, lz4Codec);
  compressionRegistry.set(CompressionType.ZSTD, zstdCodec);
}
