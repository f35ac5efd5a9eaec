/**
 * Takes the socket of a ready ioredis client away from it: ioredis has done TLS, Sentinel and authentication, and
 * from here on bytes go both ways without its objects. Touches `client.stream`, `client.commandQueue` and the
 * stream's only listener of data, held by a contract test against the pinned version. The client stays the owner:
 * `cut` it to close.
 */
import type { Duplex } from 'node:stream';
import type { Redis } from 'ioredis';

interface Internals {
  readonly status: string;
  readonly stream: Duplex | null;
  readonly commandQueue: { readonly length: number };
}

/** Throws an ordinary error where the connection went away or still awaits replies. */
export function takeStream(client: Redis, onData: (chunk: Buffer) => void, onClose: () => void): Duplex {
  const { status, stream, commandQueue } = client as unknown as Internals;
  if (status !== 'ready' || stream === null || !stream.writable) throw new Error('the connection was closed');
  if (commandQueue.length > 0) throw new Error('the connection still awaits replies');
  stream.removeAllListeners('data');
  stream.on('data', onData);
  stream.once('close', onClose);
  return stream;
}
