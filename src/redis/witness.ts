/**
 * Whether a server that comes back still has what it took. One that was restarted has what it had saved, and a replica
 * that became the master what had reached it: of all writes those up to some moment. So the row that was written last
 * is the witness for all before it. It is asked for where the server is another run (INFO's run_id) than it was.
 */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteString, TakenRow } from '../core/types.ts';
import { ask, messageOf } from './ask.ts';
import { type Chunk, unitOfRow } from './chunk.ts';
import { DATED } from './deadline.ts';
import { callTtl } from './script-split.ts';
import { isDenied, isUnknown, judge } from './server-errors.ts';
import { commandStarts, readWords, unitKeys } from './unit-keys.ts';

export interface Witness {
  /** The row is written. */
  saw(chunk: Chunk, row: number): void;
  /** The bytes of the chunk may be used again, or become others. */
  release(chunk: Chunk): void;
  /** Before anything more is sent to a server that was lost. Throws REDIS_DATA_LOSS, NoAnswer. */
  check(client: Redis, withinMs: number): Promise<void>;
  /** The row that was written last, and when; null: none was, or nothing can be asked. */
  last(): { readonly taken: TakenRow; readonly seenAt: number } | null;
}

/** How much earlier than its TTL says a row may expire, in milliseconds: clocks differ, and replies are late. */
const EARLY_MS = 20_000;

type Taken = Omit<TakenRow, 'runId'>;

/** `firstRunId`: of the server that the lane begins with; null: it does not tell, or there is none yet. `width`: fields of a call. */
export function createWitness(firstRunId: string | null, width: number, shown: string): Witness {
  let runId = firstRunId;
  let chunk: Chunk | null = null;
  let row = 0;
  let seenAt = 0;
  let taken: Taken | null = null;
  const read = (): void => {
    if (chunk !== null) taken = takenRow(chunk, row, width, seenAt);
    chunk = null;
  };
  return {
    saw: (of, at) => {
      chunk = of;
      row = at;
      seenAt = Date.now();
    },
    release: (of) => {
      if (of === chunk) read();
    },
    check: async (client, withinMs) => {
      read();
      runId =
        taken === null || runId === null
          ? await runIdOf(client, withinMs)
          : await stillHas(client, { ...taken, runId }, withinMs, shown);
    },
    last: () => {
      read();
      return taken === null || runId === null ? null : { taken: { ...taken, runId }, seenAt };
    },
  };
}

/** Gives the server's run_id. Throws REDIS_DATA_LOSS where it has not the row that it took, NoAnswer. */
export async function stillHas(
  client: Redis,
  taken: TakenRow,
  withinMs: number,
  shown: string,
): Promise<string> {
  const found = await runIdOf(client, withinMs);
  if (found === null || found === taken.runId) return taken.runId;
  await assertThere(client, taken, withinMs, shown);
  return found;
}

/** Whichever server has the row's key by now. Throws REDIS_DATA_LOSS, NoAnswer. */
export async function assertThere(
  client: Redis,
  taken: Taken,
  withinMs: number,
  shown: string,
): Promise<void> {
  if (!(await isThere(client, taken, withinMs))) throw dataLoss(shown);
}

/** Null where the server does not tell. Throws NoAnswer. */
export async function runIdOf(client: Redis, withinMs: number): Promise<string | null> {
  return runIdIn(String(await orNull(ask(client, withinMs, 'INFO', 'server'))));
}

/** Of the answer of INFO. */
export function runIdIn(info: string): string | null {
  return /^run_id:(\w+)/m.exec(info)?.[1] ?? null;
}

/** Also where it cannot be told. */
async function isThere(client: Redis, { key, expiresAt }: Taken, withinMs: number): Promise<boolean> {
  const left = expiresAt - Date.now();
  if (expiresAt > 0 && left < EARLY_MS) return true;
  const found = await orNull(ask(client, withinMs, 'PTTL', Buffer.from(key, 'latin1')));
  if (found === null) return true;
  const [ms, none, never] = [Number(found), -2, -1];
  if (expiresAt === 0 || ms === none) return ms !== none;
  // The key may be there from an earlier load, which gave it a TTL that ends earlier.
  return ms !== never && ms >= left - EARLY_MS;
}

/** Null where the server does not know the command, this user may not run it, or another node of a Cluster has the key. */
async function orNull(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    const text = messageOf(error);
    if (isDenied(text) || isUnknown(text) || judge(text) === 'redirect') return null;
    throw error;
  }
}

function takenRow(chunk: Chunk, row: number, width: number, seenAt: number): Taken | null {
  const unit = unitOfRow(chunk, row);
  const inUnit = row - chunk.unitRow[unit]!;
  const key = unitKeys(chunk, unit)[inUnit];
  if (key === undefined) return null;
  const { words } = readWords(chunk.buffer, chunk.unitStart[unit]!, Infinity);
  const isDated = words[0] === 'RESTORE' && (chunk.unitFlags[unit]! & DATED) !== 0;
  if (isDated) return { key, expiresAt: Number(words[2]) };
  const ttlMs = ttlOf(chunk, unit, inUnit, words, width);
  return { key, expiresAt: ttlMs > 0 ? seenAt + ttlMs : 0 };
}

/** In milliseconds, from the words of the unit's first command; 0: none. */
function ttlOf(
  chunk: Chunk,
  unit: number,
  inUnit: number,
  words: readonly ByteString[],
  width: number,
): number {
  if (words[0] === 'EVALSHA') return callTtl(words, width, inUnit);
  return words[0] === 'RESTORE' ? Number(words[2]) : expiryOf(chunk, unit);
}

/** Of plain commands, in milliseconds; 0: none of them sets one. */
function expiryOf(chunk: Chunk, unit: number): number {
  for (const start of commandStarts(chunk, unit).slice(0, -1)) {
    const [name, , time] = readWords(chunk.buffer, start, 3).words;
    if (name === 'EXPIRE') return Number(time) * 1000;
    if (name === 'PEXPIRE') return Number(time);
  }
  return 0;
}

function dataLoss(shown: string): FeaturectlError {
  return new FeaturectlError(
    'REDIS_DATA_LOSS',
    `expected Redis at ${shown} to have what it had taken, found the last row of it missing after the connection was lost: ` +
      'it was restarted and had not saved it, or another master took over. Any row that this run counts as written may be ' +
      'gone: load all of it again (featurectl verify tells what is missing)',
  );
}
