/**
 * Sends prepared bytes on the connection of an ioredis client and takes their replies, without an object a
 * command. It touches internals of ioredis, held by a contract test against the pinned version: `client.stream`
 * and its one listener of data, `client.commandQueue` (one entry a reply awaited, in order; ours count theirs),
 * `client.condition.select`, and that an entry's command is only ever asked for `name`, `args`, `resolve`,
 * `reject` and `pipelineIndex` (here undefined). Replies are read here too, also those of ordinary commands:
 * ioredis takes four times as long for one, and on two paths every row brings one or two.
 */
import type { Duplex } from 'node:stream';
import type { Redis } from 'ioredis';
import type { Reply } from './framer.ts';
import { createReplyParser, ReplyError } from './reply-parser.ts';

export interface ReplyTaker {
  /** `times`: so many replies in a row are this one. */
  reply(reply: Reply, times: number): void;
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

interface Bulk {
  readonly taker: ReplyTaker;
  /** Replies that are still to come. */
  left: number;
}

interface Entry {
  readonly command: SharedCommand;
  readonly select: number;
  /** Ours, where the replies of the connection are read here. */
  readonly bulk?: Bulk;
}

interface Internals {
  readonly status: string;
  readonly stream: Duplex | null;
  readonly commandQueue: {
    readonly length: number;
    push(entry: Entry): void;
    peekFront(): Entry | undefined;
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
  /** Gives the reply to what awaits the next ones; gives how many of them it took. */
  const giveNext = (reply: Reply, times: number): number => {
    const { command, bulk } = commandQueue.peekFront() ?? {};
    const count = Math.min(times, bulk?.left ?? 1);
    if (bulk) bulk.left -= count;
    if (!bulk?.left) commandQueue.shift();
    if (bulk) bulk.taker.reply(reply, count);
    else if (reply instanceof Error) command?.reject(reply);
    else command?.resolve(reply);
    return count;
  };
  const parse = createReplyParser((reply, times) => {
    for (let left = times; left > 0; ) left -= giveNext(reply, left);
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
  const command: SharedCommand = {
    name: 'featurectl',
    args: [],
    resolve: (reply) => taker.reply(reply, 1),
    reject: (error) => {
      // What the server answers is a ReplyError; a lost connection is told by another.
      if (error instanceof ReplyError || error.name === 'ReplyError') return taker.reply(error, 1);
      if (!isLost) taker.lost();
      isLost = true;
    },
  };
  const { select } = condition;
  if (taken.has(stream)) commandQueue.push({ select, command, bulk: { taker, left: replies } });
  else for (let i = 0; i < replies; i += 1) commandQueue.push({ select, command });
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
