import type { FileHandle } from 'node:fs/promises';
import { FeaturectlError } from '../core/errors.ts';
import { whyUnread } from '../core/unread.ts';

/** Bytes of a source in order, in chunks of any size. Ends the underlying read when it is returned. */
export type ByteStream = AsyncGenerator<Buffer, void, undefined>;

/** Bytes asked for in one read of a file. */
export const READ_SIZE = 256 * 1024;

export interface ByteCounter {
  bytes: number;
}

/**
 * Reads a file from its start, or a regular one (`atOpen`) from the byte `from` on, `size` bytes at a time. An I/O
 * error is SOURCE_READ; a regular file that is not at its end what it was at its start is SOURCE_CHANGED.
 */
export async function* readHandle(
  handle: FileHandle,
  name: string,
  size: number,
  counter: ByteCounter,
  atOpen: FileState | null,
  from = 0,
): ByteStream {
  for (let at = from; ; ) {
    const buffer = Buffer.allocUnsafe(size);
    const { bytesRead } = await handle.read(buffer, 0, size, atOpen && at).catch((error: unknown) => {
      throw readError(name, error);
    });
    if (bytesRead === 0) {
      if (atOpen !== null) assertUnchanged(name, atOpen, await handle.stat());
      return;
    }
    counter.bytes = atOpen ? Math.max(counter.bytes, at + bytesRead) : counter.bytes + bytesRead;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** What of a file's status tells that it was written to. */
export interface FileState {
  readonly size: number;
  readonly mtimeMs: number;
}

/** Throws SOURCE_CHANGED. Half a file, or two halves of two, must not pass for a whole one. */
export function assertUnchanged(name: string, before: FileState, after: FileState): void {
  if (before.size === after.size && before.mtimeMs === after.mtimeMs) return;
  const shown = ({ size, mtimeMs }: FileState): string =>
    `${size} bytes of ${new Date(mtimeMs).toISOString()}`;
  throw new FeaturectlError(
    'SOURCE_CHANGED',
    `${name}: expected the file to stay as it was (${shown(before)}), found it changed while it was read ` +
      `(${shown(after)}); rows that were read are written. Load it again when its writer is done`,
  );
}

/** Chunks of a pipe or of any iterable, counted; an error of it is SOURCE_READ. */
export async function* readIterable(
  iterable: AsyncIterable<Uint8Array>,
  name: string,
  counter: ByteCounter,
): ByteStream {
  const iterator = iterable[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await iterator.next().catch((error: unknown) => {
        throw readError(name, error);
      });
      if (step.done) return;
      counter.bytes += step.value.length;
      if (step.value.length > 0) yield asBuffer(step.value);
    }
  } finally {
    await iterator.return?.();
  }
}

/**
 * Ends with the signal's reason as soon as it is aborted, also while a pipe has nothing to read. The read
 * that was waiting is left behind: it ends when its source is closed.
 */
export async function* untilAborted(chunks: ByteStream, signal: AbortSignal | undefined): ByteStream {
  if (signal === undefined) {
    yield* chunks;
    return;
  }
  try {
    for (;;) {
      signal.throwIfAborted();
      const step = await orAborted(chunks.next(), signal);
      if (step.done) return;
      yield step.value;
    }
  } finally {
    // A read that is still waiting would hold `return` up.
    if (!signal.aborted) await chunks.return();
  }
}

/** Unlike Promise.race with one promise for the signal, leaves nothing behind after each step. */
function orAborted<T>(step: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    step.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
  });
}

export interface Peeked {
  /** The first `size` bytes or more; fewer only when the source has no more. */
  readonly head: Buffer;
  /** All chunks from the first one on, as they came. */
  readonly chunks: ByteStream;
}

/** Looks at the first bytes without taking them away. */
export async function peek(chunks: ByteStream, size: number): Promise<Peeked> {
  const seen: Buffer[] = [];
  let length = 0;
  while (length < size) {
    const step = await chunks.next();
    if (step.done) break;
    seen.push(step.value);
    length += step.value.length;
  }
  return { head: Buffer.concat(seen), chunks: replay(seen, chunks) };
}

async function* replay(seen: Buffer[], rest: ByteStream): ByteStream {
  try {
    while (seen.length > 0) yield seen.shift() as Buffer;
    yield* rest;
  } finally {
    await rest.return();
  }
}

/** A failed system call, with the path in the user's words. */
export function readError(name: string, error: unknown): FeaturectlError {
  if (error instanceof FeaturectlError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new FeaturectlError('SOURCE_MISSING', `${name}: no such file; check the path`, { cause: error });
  }
  const message = `${name}: expected a file that can be read, but ${whyUnread(error)}`;
  return new FeaturectlError('SOURCE_READ', message, { cause: error });
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The stream without its first bytes. */
export async function* skipped(chunks: ByteStream, bytes: number): ByteStream {
  let left = bytes;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left);
    left -= Math.min(left, chunk.length);
  }
}

/** The first bytes of the stream, of which no more than the chunk that holds the last one is read. */
export async function* upTo(chunks: ByteStream, bytes: number): ByteStream {
  let left = bytes;
  while (left > 0) {
    const step = await chunks.next();
    if (step.done) return;
    yield step.value.subarray(0, left);
    left -= Math.min(left, step.value.length);
  }
}
