/**
 * Entities of a Redis Cluster: each from the master of its slot, or from a replica where that is asked for;
 * redirections are followed. Bound: MAX_AWAITED keys on the way.
 */
import type { Redis } from 'ioredis';
import type { EntityTaker, FeatureReader } from '../core/feature-reader.ts';
import type { ByteString } from '../core/types.ts';
import { messageOf } from './ask.ts';
import type { Answer } from './cluster-lines.ts';
import { createClusterReading } from './cluster-reading.ts';
import type { Opener } from './connect.ts';
import { atMostEvery } from './persist.ts';
import { deniedCommand, mayNotRead, refusalOf } from './reading-rights.ts';
import { isCommandDenied, noAnswerText, refusedKey } from './server-errors.ts';
import type { ReaderOptions } from './server-reader.ts';

const MAX_AWAITED = 100_000;
const HEARTBEAT_MS = 500;
/** Names spread over the slots, so that nearly surely each master has some; whether they are there does not matter. */
const HEARTBEAT: readonly ByteString[] = Array.from({ length: 32 }, (_, i) => `featurectl:heartbeat:${i}`);

/** `client`: one of any node that is ready; without it reads are `away` until the masters have answered. */
export function createClusterReader(
  opener: Opener,
  { withinMs, tell }: ReaderOptions,
  client: Redis | null = null,
): FeatureReader {
  const reading = createClusterReading(opener, withinMs, client);
  const tellRefusal = atMostEvery(1000, tell);
  let awaited = 0;
  /** Null: not known yet. */
  let isWell: boolean | null = client === null ? null : true;
  /** The right that this user lacks; null: none that is known. */
  let denial: string | null = null;
  let isClosed = false;
  // Who has a client already asks once and ends.
  const watch = client === null ? setInterval(() => void beat(), HEARTBEAT_MS) : undefined;
  if (client === null) void beat();

  async function beat(): Promise<void> {
    try {
      assertPermitted(await reading.read(HEARTBEAT, null, false));
      turn(true, `connected to the Redis Cluster at ${opener.shown}`);
    } catch (error) {
      fail(error);
    }
  }

  function fail(error: unknown): void {
    const refusal = refusalOf(error);
    const what = refusal === null ? ' cannot be reached' : '';
    turn(false, `the Redis Cluster at ${opener.shown}${what}: ${messageOf(error)}`);
    denial = refusal;
  }

  function turn(well: boolean, message: string): void {
    if (well) denial = null;
    if (isClosed || isWell === well) return;
    isWell = well;
    tell(message, well ? 'info' : 'warn');
  }

  async function answer(
    keys: readonly ByteString[],
    fields: readonly ByteString[] | null,
    taker: EntityTaker,
    withTtl: boolean,
  ): Promise<void> {
    awaited += keys.length;
    try {
      const found = await reading.read(keys, fields, withTtl);
      assertPermitted(found);
      for (const [index, each] of found.entries()) give(taker, index, each);
    } catch (error) {
      const text = messageOf(error);
      if (refusalOf(error) !== null) fail(error);
      else tellRefusal(`Redis at ${opener.shown}: ${text}`);
      return denial === null
        ? taker.failed('away', noAnswerText(opener.shown, text))
        : taker.failed('denied', text);
    } finally {
      awaited -= keys.length;
    }
    taker.done();
  }

  return {
    read: (keys, fields, taker, withTtl = false) => {
      if (denial !== null) return taker.failed('denied', denial);
      if (isClosed || isWell !== true) {
        return taker.failed('away', noAnswerText(opener.shown, 'the Cluster does not answer'));
      }
      if (awaited + keys.length > MAX_AWAITED) return taker.failed('busy', 'too much is being read at once');
      void answer(keys, fields, taker, withTtl);
    },
    isReady: () => isWell === true,
    refusal: () => denial,
    close: async () => {
      isClosed = true;
      clearInterval(watch);
      reading.close();
      await opener.close();
    },
  };
}

/** Throws REDIS_AUTH where the command is denied, whatever the key. */
function assertPermitted(found: readonly Answer[]): void {
  for (const each of found) {
    if (each.kind === 'error' && isCommandDenied(each.text)) throw mayNotRead([deniedCommand(each.text)]);
  }
}

/** Throws an ordinary error where the error is not of the key alone. */
function give(taker: EntityTaker, index: number, answer: Answer): void {
  if (answer.kind === 'entity') {
    return taker.entity(index, answer.bytes, answer.spans, answer.count, answer.ttlMs);
  }
  const why = answer.kind === 'error' ? refusedKey(answer.text) : null;
  if (why === null) throw new Error(answer.text);
  taker.refused(index, why, answer.text);
}
