/**
 * Entities for a server, from a Redis Cluster: each read asks the masters of its keys and follows redirections. It
 * makes objects of replies, which the source of a single server does not. Bound: MAX_AWAITED keys on the way.
 */
import type { EntitySource, EntityTaker } from '../core/feature-reader.ts';
import type { ByteString } from '../core/types.ts';
import { messageOf } from './ask.ts';
import { createAsk, type RawEntity } from './ask-entities.ts';
import { createClusterReader } from './cluster-reader.ts';
import type { Opener } from './connect.ts';
import type { EntitySourceOptions } from './entity-source.ts';
import { atMostEvery } from './persist.ts';
import { deniedCommand, mayNotRead, refusalOf } from './reading-rights.ts';
import { firstWord, isCommandDenied } from './server-errors.ts';

const MAX_AWAITED = 100_000;
const HEARTBEAT_MS = 500;
/** Names spread over the slots, so that nearly surely each master has some; whether they are there does not matter. */
const HEARTBEAT: readonly ByteString[] = Array.from({ length: 32 }, (_, i) => `featurectl:heartbeat:${i}`);

export function createClusterSource(opener: Opener, { withinMs, tell }: EntitySourceOptions): EntitySource {
  const readCluster = createClusterReader(opener, createAsk(false));
  const tellRefusal = atMostEvery(1000, tell);
  let awaited = 0;
  /** Null: not known yet. */
  let isWell: boolean | null = null;
  /** The right that this user lacks; null: none that is known. */
  let denial: string | null = null;
  let isClosed = false;
  const watch = setInterval(() => void beat(), HEARTBEAT_MS);
  void beat();

  async function beat(): Promise<void> {
    try {
      assertPermitted(await readCluster(HEARTBEAT, withinMs));
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
  ): Promise<void> {
    awaited += keys.length;
    try {
      const found = await readCluster(keys, withinMs);
      assertPermitted(found);
      const refused = found.find(({ error }) => error !== null && ofKey(error) === null);
      if (refused?.error) throw refused.error;
      for (const [index, raw] of found.entries()) give(taker, index, raw, fields);
    } catch (error) {
      if (refusalOf(error) !== null) fail(error);
      else tellRefusal(`Redis at ${opener.shown}: ${messageOf(error)}`);
      return taker.failed(denial === null ? 'away' : 'denied');
    } finally {
      awaited -= keys.length;
    }
    taker.done();
  }

  return {
    read: (keys, fields, taker) => {
      if (denial !== null) return taker.failed('denied');
      if (isClosed || isWell !== true) return taker.failed('away');
      if (awaited + keys.length > MAX_AWAITED) return taker.failed('busy');
      void answer(keys, fields, taker);
    },
    isReady: () => isWell === true,
    refusal: () => denial,
    close: async () => {
      isClosed = true;
      clearInterval(watch);
      await opener.close();
    },
  };
}

/** Throws REDIS_AUTH where the command is denied, whatever the key. */
function assertPermitted(found: readonly RawEntity[]): void {
  const denied = found.find(({ error }) => error !== null && isCommandDenied(error.message));
  if (denied?.error) throw mayNotRead([deniedCommand(denied.error.message)]);
}

/** Null where the error is not of the key alone. */
function ofKey({ message }: Error): 'type' | 'rights' | null {
  if (firstWord(message) === 'WRONGTYPE') return 'type';
  return /^NOPERM\b.* to access .*\bkeys?\b/i.test(message) ? 'rights' : null;
}

function give(
  taker: EntityTaker,
  index: number,
  { error, hash }: RawEntity,
  fields: readonly ByteString[] | null,
): void {
  if (error !== null) return taker.refused(index, ofKey(error) ?? 'rights');
  const flat = Array.isArray(hash) ? (hash as readonly Buffer[]) : [];
  const strings = fields === null || flat.length === 0 ? flat : valuesOf(flat, fields);
  const spans = new Int32Array(2 * strings.length);
  let end = 0;
  for (const [i, text] of strings.entries()) {
    spans[2 * i] = text === null ? -1 : end;
    end += text?.length ?? 0;
    spans[2 * i + 1] = text === null ? -1 : end;
  }
  const bytes = Buffer.concat(strings.filter((text) => text !== null));
  taker.entity(index, bytes, spans, strings.length);
}

/** In the order of the fields; null where the hash has no such field. */
function valuesOf(flat: readonly Buffer[], fields: readonly ByteString[]): (Buffer | null)[] {
  const values = new Map<ByteString, Buffer>();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    values.set((flat[i] as Buffer).latin1Slice(), flat[i + 1] as Buffer);
  }
  return fields.map((field) => values.get(field) ?? null);
}
