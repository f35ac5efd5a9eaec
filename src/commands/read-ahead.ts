import type { Source } from '../core/types.ts';

/**
 * The source, whose first batch is read from now on, while Redis is asked what it can do: a thread that decodes
 * need not wait for that. To be read with the same selection, once.
 */
export function readAhead(source: Source, selected: readonly number[]): Source {
  const batches = source.batches(selected)[Symbol.asyncIterator]();
  let first: ReturnType<typeof batches.next> | null = batches.next();
  // A fault is told where the batch is asked for; until then the run may end by another.
  first.catch(() => undefined);
  const next: typeof batches.next = () => {
    const taken = first ?? batches.next();
    first = null;
    return taken;
  };
  const iterator = batches.return ? { next, return: () => batches.return!() } : { next };
  return { ...source, batches: () => ({ [Symbol.asyncIterator]: () => iterator }) };
}
