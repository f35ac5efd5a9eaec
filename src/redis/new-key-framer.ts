/**
 * Frames rows of modes merge and newer as RESTORE key ttl payload while keys are new: that creates a key with its
 * TTL and leaves one that exists alone (BUSYKEY). All other rows go as script calls, and so does every row that
 * is sent in another chunk than its first one.
 */
import type { RowOrigin } from '../core/types.ts';
import { type Chunk, originOf, unitBytes } from './chunk.ts';
import { DATED } from './deadline.ts';
import type { Framer, ReplyReader } from './framer.ts';
import type { ListpackLimits } from './listpack.ts';
import type { Novelty } from './novelty.ts';
import { payloadFields } from './payload-fields.ts';
import { createRestoreFramer, createRestoreReplies } from './restore-framer.ts';
import type { FramedRow } from './row-framer.ts';
import { createScriptFramer, type ScriptFramerOptions } from './script-framer.ts';
import { createScriptReplies } from './script-replies.ts';
import type { CallRow } from './script-split.ts';
import type { ServerClock } from './server-clock.ts';
import { readWords } from './unit-keys.ts';

export interface NewKeyFramerOptions extends ScriptFramerOptions {
  readonly limits: ListpackLimits;
  readonly clock: ServerClock | null;
  /** Index of the event time in `fields`, for mode newer. */
  readonly eventTimeField: number | null;
  readonly novelty: Novelty;
}

/** The flag of a unit that is a RESTORE; script calls have none. */
const AS_NEW = 1;

export function createNewKeyFramer(options: NewKeyFramerOptions): Framer {
  const { novelty } = options;
  /** By unit, the features that its row removes where the key exists. */
  const removals = new WeakMap<Chunk, Map<number, readonly number[]>>();
  const restore = createRestoreFramer({ ...options, flags: keepRemovals });
  const script = createScriptFramer(options);
  const callRow = rowReader(options);
  let current: Framer = restore;

  function keepRemovals({ removed }: FramedRow, chunk: Chunk): number {
    if (chunk.units === 0) removals.delete(chunk);
    if (removed.length === 0) return AS_NEW;
    const known = removals.get(chunk) ?? new Map<number, readonly number[]>();
    removals.set(chunk, known.set(chunk.units, [...removed]));
    return AS_NEW;
  }

  function adopt(to: Chunk, from: Chunk, unit: number): void {
    if (!wasNew(from, unit)) return script.adopt(to, from, unit);
    const row = from.unitRow[unit]!;
    const origin: RowOrigin = originOf(from, row);
    script.append(to, callRow(from, unit, removals.get(from)?.get(unit) ?? []), origin, from.rowAt[row]!);
  }

  return {
    begin: (key, keyLength, ttlMs, eventTime) => {
      const next = novelty.expectsNew() ? restore : script;
      if (next !== current) current.flush();
      current = next;
      current.begin(key, keyLength, ttlMs, eventTime);
    },
    value: (feature, bytes) => current.value(feature, bytes),
    cell: (feature, bytes, start, end) => current.cell(feature, bytes, start, end),
    commit: (origin, row) => {
      novelty.sent(current === restore);
      current.commit(origin, row);
    },
    abort: () => current.abort(),
    flush: () => current.flush(),
    pending: () => current.pending(),
    resendFrom: (chunk) => (isNew(chunk) ? restore : script).resendFrom(chunk),
    // Else a row that is set aside would come behind a later one of its key, and be stale in mode newer.
    mayFollow: (next, before) => isNew(next) || !isNew(before),
    split: script.split,
    adopt,
    adoptedBytes: (from, unit) => {
      if (!wasNew(from, unit)) return script.adoptedBytes(from, unit);
      // In mode newer the event time is there twice.
      return 2 * unitBytes(from, unit) + script.callOverhead;
    },
  };
}

function isNew(chunk: Chunk): boolean {
  return wasNew(chunk, chunk.unit);
}

function wasNew(chunk: Chunk, unit: number): boolean {
  return (chunk.unitFlags[unit]! & AS_NEW) !== 0;
}

/** Reads a RESTORE as what a script call says of its row. */
function rowReader({ fields, eventTimeField, mode }: NewKeyFramerOptions) {
  const featureOf = new Map(fields.map((field, feature) => [field, feature]));
  return (chunk: Chunk, unit: number, removed: readonly number[]): CallRow => {
    const [, key = '', time = '', payload = ''] = readWords(chunk.buffer, chunk.unitStart[unit]!, 4).words;
    const isDated = (chunk.unitFlags[unit]! & DATED) !== 0;
    const texts = payloadFields(Buffer.from(payload, 'latin1'));
    const letters = new Array<string>(fields.length).fill('0');
    for (const feature of removed) letters[feature] = 'x';
    const values: string[] = [];
    let eventTime = '';
    for (let i = 0; i < texts.length; i += 2) {
      const feature = featureOf.get(texts[i]!)!;
      letters[feature] = '1';
      values.push(texts[i + 1]!);
      if (feature === eventTimeField) eventTime = texts[i + 1]!;
    }
    return {
      key,
      ttlMs: isDated ? String(Number(time) - chunk.datedAt) : time,
      shape: letters.join(''),
      values: mode === 'newer' ? [eventTime, ...values] : values,
    };
  };
}

/** BUSYKEY is a trouble of its own (server-errors.ts): the lane sets the row aside. */
export function createNewKeyReplies(novelty: Novelty): ReplyReader {
  const restored = createRestoreReplies();
  const called = createScriptReplies();
  return {
    take: (reply, chunk, outcomes) => {
      if (!isNew(chunk)) return called.take(reply, chunk, outcomes);
      novelty.answered(!(reply instanceof Error));
      return restored.take(reply, chunk, outcomes);
    },
    // All units of a chunk are of one kind.
    takeOks: (units, chunk, outcomes) => {
      if (!isNew(chunk)) return false;
      for (let i = 0; i < units; i += 1) novelty.answered(true);
      outcomes.written(units);
      return true;
    },
    reset: () => {},
  };
}
