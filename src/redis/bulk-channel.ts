/**
 * Sends prepared bytes on the connection of an ioredis client and takes their replies, without an object a
 * command. It touches internals of ioredis, held by a contract test against the pinned version: `client.stream`
 * and its one listener of data, `client.commandQueue` (one entry a reply awaited, in order),
 * `client.condition.select`, and that an entry's command is only ever asked for `name`, `args`, `resolve`,
 * `reject` and `pipelineIndex` (here undefined). Replies are read here too, also those of ordinary commands:
 * ioredis takes four times as long for one, and on two paths every row brings one or two.
 */
import type { Duplex } from 'node:stream';
import type { Redis } from 'ioredis';
import type { Reply } from './framer.ts';
import { createReplyParser, ReplyError } from './reply-parser.ts';

export interface ReplyTaker {
  reply(reply: Reply): void;
  /** The connection ended; told once, no reply comes after it. */
  lost(): void;
}

/** What both ioredis's commands and ours have. */
interface SharedCommand {
  readonly name: string;
  readonly args: readonly never[];
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

interface Entry {
  readonly command: SharedCommand;
  readonly select: number;
}

interface Internals {
  readonly status: string;
  readonly stream: Duplex | null;
  readonly commandQueue: {
    readonly length: number;
    push(entry: Entry): void;
    shift(): Entry | undefined;
  };
  readonly condition: { readonly select: number };
}

/** Connections whose replies are read here. */
const taken = new WeakSet<Duplex>();

/** From here on, between two replies, what comes is read by us and not by ioredis. */
function takeReplies({ stream, commandQueue }: Internals): void {
  if (stream === null || taken.has(stream) || commandQueue.length > 0) return;
  taken.add(stream);
  const parse = createReplyParser((reply) => {
    const command = commandQueue.shift()?.command;
    if (reply instanceof Error) command?.reject(reply);
    else command?.resolve(reply);
  });
  stream.removeAllListeners('data');
  stream.on('data', (chunk: Buffer) => {
    try {
      parse(chunk);
    } catch (error) {
      stream.destroy(error as Error);
    }
  });
}

/** False where the connection is not ready: nothing was sent then, and `taker` hears nothing. */
export function sendBulk(client: Redis, bytes: Buffer, replies: number, taker: ReplyTaker): boolean {
  const { status, stream, commandQueue, condition } = client as unknown as Internals;
  if (status !== 'ready' || stream === null || !stream.writable) return false;
  takeReplies(client as unknown as Internals);
  let isLost = false;
  const entry = {
    select: condition.select,
    command: {
      name: 'featurectl',
      args: [],
      resolve: (reply: Reply) => taker.reply(reply),
      reject: (error: Error) => {
        // What the server answers is a ReplyError; a lost connection is told by another.
        if (error instanceof ReplyError || error.name === 'ReplyError') return taker.reply(error);
        if (!isLost) taker.lost();
        isLost = true;
      },
    },
  };
  for (let i = 0; i < replies; i += 1) commandQueue.push(entry);
  // What write() answers needs no attention: inFlight chunks are the bound of what the socket can hold.
  stream.write(bytes);
  return true;
}

/**
 * Closes the connection at once. What the socket has not sent is dropped, so the buffers given to sendBulk may
 * be used again; disconnect() alone goes on sending them for up to two seconds.
 */
export function cut(client: Redis): void {
  const { stream } = client as unknown as Internals;
  // ioredis would set a timer for a stream that never says 'close' again.
  if (stream?.destroyed) return;
  client.disconnect();
  stream?.destroy();
}
