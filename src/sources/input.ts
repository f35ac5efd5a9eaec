import { constants, openSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import {
  assertUnchanged,
  type ByteCounter,
  type ByteStream,
  READ_SIZE,
  readError,
  readHandle,
  readIterable,
  untilAborted,
} from './bytes.ts';
import type { NameHint } from './format.ts';
import type { RemoteSettings, SourceLocation } from './source-location.ts';

export interface InputOptions extends RemoteSettings {
  /** Bytes of one read of a file; default 256 KiB. */
  readonly readSize?: number;
  /** What `-` reads; default: the process's standard input. */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/** What is known of a source before its format's reader takes over. */
export interface RawInput {
  readonly name: string;
  /** Null: a pipe, which cannot be read at any place. */
  readonly path: string | null;
  readonly totalBytes: number | null;
  /** Of a remote object, see SourceInfo. */
  readonly version?: string | null;
  readonly chunks: ByteStream;
  /** The bytes of a regular file from this one on; null for what can only be read from its start. */
  readonly readFrom: ((byte: number) => ByteStream) | null;
  /** Throws SOURCE_CHANGED where a regular file is no longer what it was when it was opened. */
  assertSame(): Promise<void>;
  /** What a remote source's address and headers say of its format; absent: its name says that. */
  readonly hint?: NameHint;
  readonly counter: ByteCounter;
  close(): Promise<void>;
}

/** Opens a file or pipe. Throws SOURCE_MISSING and SOURCE_READ. */
export async function openRaw(location: SourceLocation, options: InputOptions): Promise<RawInput> {
  const counter: ByteCounter = { bytes: 0 };
  if (location.kind === 'stdin') {
    const stdin = readIterable(options.stdin ?? process.stdin, location.name, counter);
    const chunks = untilAborted(stdin, options.signal);
    return {
      name: location.name,
      path: null,
      totalBytes: null,
      chunks,
      readFrom: null,
      assertSame: async () => {},
      counter,
      close: async () => destroy(options.stdin ?? process.stdin),
    };
  }
  const fifo = await openFifo(location);
  if (fifo !== null) return rawFifo(location, fifo, options, counter);
  const handle = await open(location.path).catch((error: unknown) => {
    throw readError(location.name, error);
  });
  try {
    return await rawFile(location, handle, options, counter);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * A named pipe, or null for what is none. It is opened without waiting for its writer: a waiting open would
 * hold the process up against every signal. Throws SOURCE_READ.
 */
async function openFifo({ name, path }: SourceLocation): Promise<Socket | null> {
  const stats = await stat(path).catch(() => null);
  if (!stats?.isFIFO()) return null;
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    throw readError(name, error);
  }
}

function rawFifo(
  { name }: SourceLocation,
  fifo: Socket,
  { signal }: InputOptions,
  counter: ByteCounter,
): RawInput {
  return {
    name,
    path: null,
    totalBytes: null,
    chunks: untilAborted(readIterable(fifo, name, counter), signal),
    readFrom: null,
    assertSame: async () => {},
    counter,
    close: async () => void fifo.destroy(),
  };
}

/** Ends a stream that may be waiting for its writer; another iterable ends by itself. */
function destroy(iterable: AsyncIterable<Uint8Array> & { destroy?: () => void }): void {
  iterable.destroy?.();
}

async function rawFile(
  location: SourceLocation,
  handle: FileHandle,
  options: InputOptions,
  counter: ByteCounter,
): Promise<RawInput> {
  const stats = await handle.stat();
  if (stats.isDirectory()) throw readError(location.name, { code: 'EISDIR' });
  const regular = stats.isFile();
  const atOpen = regular ? stats : null;
  const read = (from: number): ByteStream => {
    const reads = readHandle(handle, location.name, options.readSize ?? READ_SIZE, counter, atOpen, from);
    return untilAborted(reads, options.signal);
  };
  let closed: Promise<void> | null = null;
  return {
    name: location.name,
    path: regular ? location.path : null,
    totalBytes: regular ? stats.size : null,
    chunks: read(0),
    readFrom: regular ? read : null,
    assertSame: async () => {
      if (atOpen !== null) assertUnchanged(location.name, atOpen, await handle.stat());
    },
    counter,
    close: () => {
      closed ??= handle.close();
      return closed;
    },
  };
}
