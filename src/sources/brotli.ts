import { createBrotliDecompress } from 'node:zlib';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteStream } from './bytes.ts';
import { decompress } from './zlib-stream.ts';

/**
 * Decompresses brotli, whose window is 16 MiB at most. All that can be decompressed is yielded before an error:
 * SOURCE_TRUNCATED where the data ends too early, SOURCE_CORRUPT for damage and for bytes behind the end.
 * Brotli has no checksum: a changed byte may decode to other text, and nothing can tell.
 */
export function unbrotli(chunks: ByteStream, name: string): ByteStream {
  return decompress(chunks, createBrotliDecompress(), (error) => brotliError(name, error));
}

function brotliError(name: string, error: NodeJS.ErrnoException): FeaturectlError {
  if (error.code === 'Z_BUF_ERROR') {
    const message = `${name}: brotli data ends too early: the file is truncated; copy it again`;
    return new FeaturectlError('SOURCE_TRUNCATED', message, { cause: error });
  }
  const message = `${name}: expected brotli data, found damage or data of another kind (${error.message}); check it with brotli -t`;
  return new FeaturectlError('SOURCE_CORRUPT', message, { cause: error });
}
