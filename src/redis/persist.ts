/** Patience at the start of a run: what is asked of Redis before the first row. */
import { FeaturectlError } from '../core/errors.ts';
import { backoff, messageOf, sleep } from './ask.ts';
import type { Connection } from './connect.ts';

/** Milliseconds that one try at the start may take, and what the last one gets at least. */
const ASK_MS = 10_000;
const MIN_ASK_MS = 200;

export interface SetUp {
  readonly connection: Pick<Connection, 'shown'>;
  readonly retryForMs: number;
  readonly retrying: (message: string) => void;
}

/**
 * Tries until it works: a server that is loading, failing over or out of memory is waited for. Throws a
 * FeaturectlError of the work at once, REDIS_LOST after `retryForMs`.
 */
export async function persist<T>(
  { connection, retryForMs, retrying }: SetUp,
  work: (withinMs: number) => Promise<T>,
): Promise<T> {
  const until = Date.now() + retryForMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(Math.max(MIN_ASK_MS, Math.min(ASK_MS, until - Date.now())));
    } catch (error) {
      if (error instanceof FeaturectlError) throw error;
      const wait = backoff(attempt);
      if (Date.now() + wait > until) {
        throw new FeaturectlError(
          'REDIS_LOST',
          `Redis at ${connection.shown} did not get ready within ${retryForMs / 1000}s (--retry-for): ${messageOf(error)}`,
          { cause: error },
        );
      }
      retrying(`${messageOf(error)}; trying again`);
      await sleep(wait);
    }
  }
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
