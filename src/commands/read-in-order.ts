/** Reads of many keys, several on the way at once, their answers taken in order. */
import { FeaturectlError } from '../core/errors.ts';
import type { ReadOutcome, ReadStored } from '../core/stored-entity.ts';
import type { ByteString } from '../core/types.ts';

/** Reads on the way at once; what one holds is the caller's to bound. */
const WINDOW = 4;

/** Throws what reading throws, and REDIS_AUTH for the first key that may not be read. */
export async function readInOrder<T extends { readonly key: ByteString }>(
  batches: AsyncIterable<readonly T[]>,
  read: ReadStored,
  take: (item: T, outcome: ReadOutcome) => void,
): Promise<void> {
  const window: { items: readonly T[]; outcomes: ReturnType<ReadStored> }[] = [];
  const settle = async (): Promise<void> => {
    const next = window.shift();
    const outcomes = (await next?.outcomes) ?? [];
    next?.items.forEach((item, i) => {
      const outcome = outcomes[i] ?? null;
      if (outcome instanceof FeaturectlError && outcome.code === 'REDIS_AUTH') throw outcome;
      take(item, outcome);
    });
  };
  for await (const items of batches) {
    if (items.length === 0) continue;
    const outcomes = read(items.map(({ key }) => key));
    // It is awaited in its turn; until then a failure has no one who looks at it.
    outcomes.catch(() => {});
    window.push({ items, outcomes });
    if (window.length >= WINDOW) await settle();
  }
  while (window.length > 0) await settle();
}

/** A signal's exit code, where work ended because of it. */
export function signalCode(signal: AbortSignal, otherwise: number): number {
  return typeof signal.reason === 'number' ? signal.reason : otherwise;
}
