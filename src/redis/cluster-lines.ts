/** Connections to the nodes of a Redis Cluster, one a node, and what one of them answers to a read. */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import type { EntityTaker } from '../core/feature-reader.ts';
import type { ByteString } from '../core/types.ts';
import { ask, messageOf } from './ask.ts';
import { cut } from './bulk-channel.ts';
import type { Opener } from './connect.ts';
import { createEntityLine, type EntityLine, type LineKeeper, newRead, type Read } from './entity-line.ts';
import type { ReadForm } from './read-commands.ts';
import { mayNotRead } from './reading-rights.ts';
import { isCommandDenied } from './server-errors.ts';

/** What a key was answered. Its bytes are held, since keys that other nodes have may have to be told before it. */
export type Answer =
  | {
      readonly kind: 'entity';
      readonly bytes: Buffer;
      readonly spans: Int32Array;
      readonly count: number;
      readonly ttlMs: number;
    }
  /** An error reply. */
  | { readonly kind: 'error'; readonly text: string }
  /** No reply came: the connection ended, or it was late. */
  | { readonly kind: 'lost'; readonly text: string };

export interface ClusterLines {
  /** An answer for each key, in order. Rejects with REDIS_AUTH only. */
  ask(
    node: string,
    keys: readonly ByteString[],
    form: ReadForm,
    withinMs: number,
  ): Promise<readonly Answer[]>;
  close(): void;
}

/** `withinMs`: a node that is silent for so long is lost. With `opener.readsReplicas` every node is told READONLY. */
export function createClusterLines(opener: Opener, withinMs: number): ClusterLines {
  /** At most one to each node; it is taken out when it ends. */
  const lines = new Map<string, Promise<EntityLine>>();
  const open = new Set<EntityLine>();
  const watch = setInterval(look, Math.max(10, Math.min(250, withinMs / 8)));

  function look(): void {
    const now = performance.now();
    // What has come meanwhile is read before anything is called late: this process may have been the slow one.
    setImmediate(() => {
      for (const line of open) line.look(now, withinMs);
    });
  }

  async function openLine(node: string, openMs: number): Promise<EntityLine> {
    const client = await opener.openAt(node, openMs);
    try {
      if (opener.readsReplicas) await acceptBehind(client, openMs);
      const line: EntityLine = createEntityLine(
        client,
        keeperOf(() => {
          open.delete(line);
          lines.delete(node);
        }),
      );
      open.add(line);
      return line;
    } catch (error) {
      cut(client);
      throw error;
    }
  }

  function lineTo(node: string, openMs: number): Promise<EntityLine> {
    const known = lines.get(node);
    if (known !== undefined) return known;
    const opening = openLine(node, openMs);
    lines.set(node, opening);
    opening.catch(() => lines.delete(node));
    return opening;
  }

  return {
    ask: async (node, keys, form, askMs) => {
      const until = performance.now() + askMs;
      try {
        const line = await lineTo(node, askMs);
        if (!line.hasRoom(keys.length)) return lostAll(keys.length, 'too much is being read at once');
        return await new Promise((resolve) => {
          line.ask(newRead(keys, form, collect(keys.length, resolve), until));
        });
      } catch (error) {
        if (error instanceof FeaturectlError) throw error;
        return lostAll(keys.length, messageOf(error));
      }
    },
    close: () => {
      clearInterval(watch);
      for (const line of open) line.close('the reading ended');
    },
  };
}

/** A replica sends readers to its master unless they say that what is behind is welcome. A master takes it as well. */
async function acceptBehind(client: Redis, withinMs: number): Promise<void> {
  try {
    await ask(client, withinMs, 'READONLY');
  } catch (error) {
    throw isCommandDenied(messageOf(error)) ? mayNotRead(['READONLY']) : error;
  }
}

function keeperOf(ended: () => void): LineKeeper {
  const fail = (read: Read, text: string): void => {
    const { taker } = read;
    read.taker = null;
    taker?.failed('away', text);
  };
  return {
    // The text is what counts here.
    refused: (read, index, text) => read.taker?.refused(index, 'type', text),
    late: (read) => fail(read, 'no answer in time'),
    broken: (read, error) => fail(read, messageOf(error)),
    ponged: () => {},
    closed: (why, lost) => {
      ended();
      for (const read of lost) fail(read, why);
    },
  };
}

function lostAll(count: number, text: string): Answer[] {
  return Array.from({ length: count }, () => ({ kind: 'lost', text }));
}

function collect(keys: number, resolve: (answers: readonly Answer[]) => void): EntityTaker {
  const answers: Answer[] = [];
  return {
    entity: (_index, bytes, spans, count, ttlMs) => void answers.push(held(bytes, spans, count, ttlMs)),
    refused: (_index, _why, text) => void answers.push({ kind: 'error', text }),
    done: () => resolve(answers),
    failed: (_why, text) => resolve([...answers, ...lostAll(keys - answers.length, text)]),
  };
}

/** A copy: the spans and bytes of a line are its own. */
function held(from: Buffer, theirs: Int32Array, count: number, ttlMs: number): Answer {
  const spans = theirs.slice(0, 2 * count);
  let start = -1;
  let end = 0;
  for (let i = 0; i < spans.length; i += 2) {
    if ((spans[i] as number) < 0) continue;
    if (start < 0) start = spans[i] as number;
    end = spans[i + 1] as number;
  }
  if (start < 0) start = 0;
  for (let i = 0; i < spans.length; i += 1)
    if ((spans[i] as number) >= 0) spans[i] = (spans[i] as number) - start;
  return { kind: 'entity', bytes: Buffer.from(from.subarray(start, end)), spans, count, ttlMs };
}
