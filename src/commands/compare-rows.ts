/** Rows of a source against Redis, in file order: matching ones by their bytes, the others one by one. */

import { FeaturectlError } from '../core/errors.ts';
import type { ExpectedRow, ExpectedRows } from '../core/expectations.ts';
import type { PairReader } from '../core/feature-reader.ts';
import type { RowMatcher } from '../core/match-row.ts';
import { type ReadOutcome, type ReadStored, storedOf } from '../core/stored-entity.ts';
import type { Verdicts } from '../core/verdicts.ts';
import { readInOrder } from './read-in-order.ts';

/** Reads on the way at once, of COLLECTED_ROWS each. */
const WINDOW = 4;

/** Rows that do not match, by their index: what Redis holds; undefined: an error, which is still to be asked for. */
type Odd = Map<number, ReadOutcome | undefined>;

/** Gives how many rows were compared. */
export async function compareByBytes(
  batches: AsyncIterable<ExpectedRows>,
  pairs: PairReader,
  read: ReadStored,
  matches: RowMatcher,
  verdicts: Verdicts,
): Promise<number> {
  const window: { rows: ExpectedRows; odd: Promise<Odd> }[] = [];
  let compared = 0;
  const settle = async (): Promise<void> => {
    const next = window.shift();
    if (next === undefined) return;
    const odd = await next.odd;
    await askAgain(next.rows, odd, read);
    judgeAll(next.rows, odd, verdicts);
    compared += watchedRows(next.rows, verdicts);
  };
  for await (const rows of batches) {
    const odd = findOdd(rows, pairs, matches);
    // It is awaited in its turn; until then a failure has no one who looks at it.
    odd.catch(() => {});
    window.push({ rows, odd });
    if (window.length >= WINDOW) await settle();
  }
  while (window.length > 0) await settle();
  return compared;
}

/** Rows of keys that a halving left out are read with the others and dropped by the verdicts. */
function watchedRows(rows: ExpectedRows, verdicts: Verdicts): number {
  if (verdicts.watchesAll) return rows.count;
  let watched = 0;
  for (let i = 0; i < rows.count; i += 1) if (verdicts.watches(rows.key(i))) watched += 1;
  return watched;
}

async function findOdd(rows: ExpectedRows, pairs: PairReader, matches: RowMatcher): Promise<Odd> {
  const odd: Odd = new Map();
  await pairs.read(rows, {
    entity: (i, ttlMs, bytes, spans, count) => {
      if (!matches(rows, i, ttlMs, bytes, spans, count)) odd.set(i, storedOf(ttlMs, bytes, spans, count));
    },
    refused: (i) => void odd.set(i, undefined),
  });
  return odd;
}

/** What the server refused, told by the reader in words, redirections of a Cluster followed. */
async function askAgain(rows: ExpectedRows, odd: Odd, read: ReadStored): Promise<void> {
  const refused = [...odd].filter(([, outcome]) => outcome === undefined).map(([i]) => i);
  if (refused.length === 0) return;
  const outcomes = await read(refused.map((i) => rows.key(i)));
  for (const [at, i] of refused.entries()) {
    const outcome = outcomes[at] ?? null;
    if (outcome instanceof FeaturectlError && outcome.code === 'REDIS_AUTH') throw outcome;
    odd.set(i, outcome);
  }
}

function judgeAll(rows: ExpectedRows, odd: Odd, verdicts: Verdicts): void {
  if (odd.size === 0 && !verdicts.hasOpen) return;
  for (let i = 0; i < rows.count; i += 1) {
    const outcome = odd.get(i);
    if (outcome !== undefined) verdicts.add(rows.row(i), outcome);
    else if (verdicts.hasOpen) verdicts.addMatch(rows.row(i));
  }
}

/** The same for rows of which only some are looked at, and for a Cluster. Gives how many were compared. */
export async function compareOneByOne(
  batches: AsyncIterable<readonly ExpectedRow[]>,
  read: ReadStored,
  verdicts: Verdicts,
): Promise<number> {
  let compared = 0;
  async function* watched(): AsyncGenerator<readonly ExpectedRow[]> {
    for await (const rows of batches) yield rows.filter(({ key }) => verdicts.watches(key));
  }
  await readInOrder(watched(), read, (row, outcome) => {
    verdicts.add(row, outcome);
    compared += 1;
  });
  return compared;
}
