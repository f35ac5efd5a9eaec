import { createGunzip } from 'node:zlib';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteStream } from './bytes.ts';
import { decompress } from './zlib-stream.ts';

/**
 * Decompresses gzip of any number of members. All that can be decompressed is yielded before an error:
 * SOURCE_TRUNCATED where the data ends inside a member, SOURCE_CORRUPT where it is not gzip.
 */
export function gunzip(chunks: ByteStream, name: string): ByteStream {
  return decompress(chunks, createGunzip(), (error) => gzipError(name, error));
}

function gzipError(name: string, error: NodeJS.ErrnoException): FeaturectlError {
  if (error.code === 'Z_BUF_ERROR') {
    const message = `${name}: gzip data ends too early: the file is truncated; copy it again`;
    return new FeaturectlError('SOURCE_TRUNCATED', message, { cause: error });
  }
  const message = `${name}: gzip data is damaged (${error.message}); check it with gzip -t`;
  return new FeaturectlError('SOURCE_CORRUPT', message, { cause: error });
}
