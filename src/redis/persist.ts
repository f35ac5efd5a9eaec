/** Patience before the first row: a server that is starting, loading, failing over or full is waited for. */
import { setTimeout as delay } from 'node:timers/promises';
import { FeaturectlError } from '../core/errors.ts';
import { backoff, messageOf } from './ask.ts';

/** Milliseconds that one try may take, also the only one; and what the last of several gets at least. */
const TRY_MS = 10_000;
const MIN_TRY_MS = 200;

export interface Patience {
  readonly retryForMs: number;
  /** One try only. */
  readonly failFast?: boolean;
  /** Aborted: nothing is waited for any more. */
  readonly signal?: AbortSignal | undefined;
  /** Told when a try has failed and another follows. */
  readonly retrying: (message: string) => void;
  /** What ends the patience after the last try failed with this. */
  readonly gaveUp: (error: unknown) => FeaturectlError;
}

/** Tries until it works. Throws a FeaturectlError of the work at once, the signal's reason, or `gaveUp`. */
export async function persist<T>(
  { retryForMs, failFast, signal, retrying, gaveUp }: Patience,
  work: (withinMs: number) => Promise<T>,
): Promise<T> {
  const until = Date.now() + retryForMs;
  const leastMs = failFast || retryForMs === 0 ? TRY_MS : MIN_TRY_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await orAborted(work(Math.max(leastMs, Math.min(TRY_MS, until - Date.now()))), signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof FeaturectlError) throw error;
      const wait = backoff(attempt);
      if (failFast || Date.now() + wait > until) throw gaveUp(error);
      retrying(messageOf(error));
      await delay(wait, undefined, signal ? { signal } : {});
    }
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Texts that are remembered; the oldest is forgotten, and would be told again. */
const REMEMBERED = 50;

/** At most one message each `gapMs`, and the same text again after `repeatMs` only. */
export function thinned(
  tell: (message: string) => void,
  gapMs = 1000,
  repeatMs = 10_000,
): (message: string) => void {
  const told = new Map<string, number>();
  let last = Number.NEGATIVE_INFINITY;
  return (message) => {
    const now = performance.now();
    if (now - last < gapMs || now - (told.get(message) ?? Number.NEGATIVE_INFINITY) < repeatMs) return;
    last = now;
    // Set anew, so that the first key is the oldest.
    told.delete(message);
    told.set(message, now);
    const [oldest] = told.keys();
    if (told.size > REMEMBERED && oldest !== undefined) told.delete(oldest);
    tell(message);
  };
}

/** Passes on the first message of each `ms`. */
export function atMostEvery(ms: number, tell: (message: string) => void): (message: string) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (message) => {
    const now = performance.now();
    if (now - last < ms) return;
    last = now;
    tell(message);
  };
}
