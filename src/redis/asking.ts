/**
 * Rows of a slot that is on its way to another node: their keys are there already, or are new. Each unit is sent
 * to that node with ASKING in front, one at a time and awaited; the lane sends nothing else meanwhile.
 */
import type { Redis } from 'ioredis';
import { inTime, NoAnswer } from './ask.ts';
import { cut, sendBulk } from './bulk-channel.ts';
import { type Chunk, endOfUnit } from './chunk.ts';
import { takeOver } from './fence.ts';
import type { Framer, Outcomes, Reply, ReplyReader } from './framer.ts';
import { command, fixed } from './resp.ts';
import { judge } from './server-errors.ts';
import { commandStarts } from './unit-keys.ts';

export interface AskingLine {
  /** The replies of the chunk's current unit. Throws NoAnswer, and errors that may pass. */
  send(node: string, framer: Framer, chunk: Chunk, withinMs: number): Promise<Reply[]>;
  /** The next unit goes over a new connection, with the script loaded anew. */
  drop(node: string): void;
}

export interface AskingOptions {
  readonly connect: (node: string, withinMs: number) => Promise<Redis>;
  readonly reload: (client: Redis, withinMs: number) => Promise<void>;
}

const ASKING = fixed(command('ASKING'));
const MULTI = fixed(command('MULTI'));

export function createAskingLine({ connect, reload }: AskingOptions): AskingLine {
  const clients = new Map<string, Redis>();
  const givenUp = new Map<string, Redis[]>();

  async function clientOf(node: string, withinMs: number): Promise<Redis> {
    const known = clients.get(node);
    if (known?.status === 'ready') return known;
    drop(node);
    const client = await connect(node, withinMs);
    clients.set(node, client);
    await takeOver(client, givenUp.get(node) ?? [], withinMs);
    givenUp.delete(node);
    await reload(client, withinMs);
    return client;
  }

  function drop(node: string): void {
    const client = clients.get(node);
    clients.delete(node);
    if (client === undefined) return;
    cut(client);
    givenUp.set(node, [...(givenUp.get(node) ?? []), client]);
  }

  return {
    drop,
    send: async (node, framer, chunk, withinMs) => {
      try {
        const client = await clientOf(node, withinMs);
        const { bytes, isOfUnit } = withAsking(framer, chunk);
        const replies = await inTime(withinMs, exchange(client, bytes, isOfUnit.length), 'rows');
        const refusal = replies.find((reply, i) => !isOfUnit[i] && reply instanceof Error);
        if (refusal instanceof Error) return [refusal];
        return replies.filter((_, i) => isOfUnit[i]);
      } catch (error) {
        drop(node);
        throw error;
      }
    },
  };
}

/** What a lane reads replies with. */
export interface LaneReading {
  readonly framer: Framer;
  readonly replies: ReplyReader;
  readonly outcomesOf: (chunk: Chunk) => Outcomes;
}

/**
 * Brings a chunk's units from the current one on; those that are settled stay so. Throws at the first trouble,
 * after which the rest has to be asked for again.
 */
export async function bringChunk(
  line: AskingLine,
  node: string,
  chunk: Chunk,
  withinMs: number,
  { framer, replies, outcomesOf }: LaneReading,
): Promise<void> {
  for (; chunk.unit < chunk.units; chunk.unit += 1) {
    const got = await line.send(node, framer, chunk, withinMs).catch((error: unknown) => {
      chunk.doubt = true;
      throw error;
    });
    let answered: string | null = null;
    const own = outcomesOf(chunk);
    const trouble = (text: string): void => {
      answered = text;
      if (judge(text) === 'fatal') own.trouble(text);
    };
    for (const reply of got) replies.take(reply, chunk, { ...own, trouble });
    if (answered === null) continue;
    line.drop(node);
    throw new Error(answered);
  }
}

/** ASKING holds for one command, or for the whole of a transaction. */
function withAsking(framer: Framer, chunk: Chunk): { bytes: Buffer; isOfUnit: readonly boolean[] } {
  const { unit } = chunk;
  const start = chunk.unitStart[unit] as number;
  const whole = framer.resendFrom(chunk).subarray(0, endOfUnit(chunk, unit) - start);
  if (whole.subarray(0, MULTI.length).equals(MULTI)) {
    const replies = Array.from({ length: chunk.unitReplies[unit] as number }, () => true);
    return { bytes: Buffer.concat([ASKING, whole]), isOfUnit: [false, ...replies] };
  }
  const starts = commandStarts(chunk, unit).map((at) => at - start);
  const parts = starts.slice(0, -1).flatMap((at, i) => [ASKING, whole.subarray(at, starts[i + 1])]);
  return { bytes: Buffer.concat(parts), isOfUnit: parts.map((_, i) => i % 2 === 1) };
}

function exchange(client: Redis, bytes: Buffer, count: number): Promise<Reply[]> {
  return new Promise((resolve, reject) => {
    const replies: Reply[] = [];
    const lost = (): void => reject(new NoAnswer('the connection was lost'));
    const isSent = sendBulk(client, bytes, count, {
      reply: (reply, times) => {
        for (let i = 0; i < times; i += 1) replies.push(reply);
        if (replies.length === count) resolve(replies);
      },
      lost,
    });
    if (!isSent) lost();
  });
}
