import { createGunzip, type Gunzip } from 'node:zlib';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteStream } from './bytes.ts';

/** Compressed bytes given to zlib at once: deflate expands up to 1032 times, so 16 MiB wait at most. */
const SLICE = 16 * 1024;

/**
 * Decompresses gzip of any number of members. All that can be decompressed is yielded before an error:
 * SOURCE_TRUNCATED where the data ends inside a member, SOURCE_CORRUPT where it is not gzip.
 */
export async function* gunzip(chunks: ByteStream, name: string): ByteStream {
  const zlib = createGunzip();
  const out: Buffer[] = [];
  // In flowing mode zlib hands over each piece before it reports an error; an async iterator would lose it.
  zlib.on('data', (piece: Buffer) => out.push(piece));
  let failure: NodeJS.ErrnoException | null = null;
  zlib.on('error', (error) => {
    failure = error;
  });
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += SLICE) {
        await settle(zlib, (done) => zlib.write(chunk.subarray(at, at + SLICE), done));
        yield* out.splice(0);
        if (failure !== null) throw gzipError(name, failure);
      }
    }
    await settle(zlib, () => zlib.end());
    yield* out.splice(0);
    if (failure !== null) throw gzipError(name, failure);
  } finally {
    zlib.destroy();
    await chunks.return();
  }
}

/** Resolves when the step is done, has ended the stream, or has broken it. */
function settle(zlib: Gunzip, step: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      zlib.off('end', done);
      zlib.off('error', done);
      resolve();
    };
    zlib.once('end', done);
    zlib.once('error', done);
    step(done);
  });
}

function gzipError(name: string, error: NodeJS.ErrnoException): FeaturectlError {
  if (error.code === 'Z_BUF_ERROR') {
    const message = `${name}: gzip data ends too early: the file is truncated; copy it again`;
    return new FeaturectlError('SOURCE_TRUNCATED', message, { cause: error });
  }
  const message = `${name}: gzip data is damaged (${error.message}); check it with gzip -t`;
  return new FeaturectlError('SOURCE_CORRUPT', message, { cause: error });
}
