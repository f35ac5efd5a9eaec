import type { Transform } from 'node:stream';
import type { ByteStream } from './bytes.ts';

/** Compressed bytes given to the decompressor at once. */
const SLICE = 16 * 1024;

/** Decompressed bytes that may wait; the decompressor is paused above. */
const WAITING = 1024 * 1024;

/**
 * Decompresses through one of node:zlib's streams. All that can be decompressed is yielded before an error,
 * which `describe` puts into words. Bytes behind the end are an error too.
 */
export async function* decompress(
  chunks: ByteStream,
  stream: Transform,
  describe: (error: NodeJS.ErrnoException) => Error,
): ByteStream {
  const output = collect(stream);
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += SLICE) {
        yield* output.during((done) => stream.write(chunk.subarray(at, at + SLICE), done));
        const failure = output.failure();
        if (failure !== null) throw describe(failure);
        // Only bytes that it does not want make it end before it is told to.
        if (output.ended()) throw describe(new Error('bytes behind its end'));
      }
    }
    yield* output.during(() => stream.end());
    const failure = output.failure();
    if (failure !== null) throw describe(failure);
  } finally {
    stream.destroy();
    await chunks.return();
  }
}

interface Output {
  ended(): boolean;
  failure(): NodeJS.ErrnoException | null;
  /** Runs a step and yields what comes out until it is done, has ended the stream, or has broken it. */
  during(step: (done: () => void) => void): ByteStream;
}

/** In flowing mode zlib hands over each piece before it reports an error; an async iterator would lose it. */
function collect(stream: Transform): Output {
  let out: Buffer[] = [];
  let waiting = 0;
  let isEnded = false;
  let error: NodeJS.ErrnoException | null = null;
  let wake = (): void => {};
  stream.on('data', (piece: Buffer) => {
    out.push(piece);
    waiting += piece.length;
    if (waiting < WAITING) return;
    stream.pause();
    wake();
  });
  stream.on('end', () => {
    isEnded = true;
    wake();
  });
  stream.on('error', (failure) => {
    error = failure;
    wake();
  });

  async function* during(step: (done: () => void) => void): ByteStream {
    let isDone = false;
    let isWoken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    step(() => {
      isDone = true;
      wake();
    });
    for (;;) {
      await isWoken;
      isWoken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const pieces = out;
      out = [];
      waiting = 0;
      yield* pieces;
      if (isDone || isEnded || error !== null) return;
      stream.resume();
    }
  }
  return { ended: () => isEnded, failure: () => error, during };
}
