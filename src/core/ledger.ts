/**
 * What happened to every row. Counts, error budget, report and exit code all come from here.
 * The law: read = written + rejected + failed + skipped once a run has ended.
 */
import { FeaturectlError, type RowCode, type SkipCode } from './errors.ts';

export type Stage = 'read' | 'map' | 'write';

/** One row that did not make it; `row` and `line` count from 1. */
export interface RowFailure {
  readonly source: string;
  readonly row: number;
  readonly line: number;
  readonly stage: Stage;
  readonly code: RowCode;
  readonly column: string | null;
  readonly reason: string;
}

/** How many bad rows a run may have: a number, a share of the rows read (0–1), or all of them. */
export type Budget =
  | { readonly kind: 'count'; readonly max: number }
  | { readonly kind: 'share'; readonly max: number };

/** A share is not judged before this many rows, so that one bad row among the first ten ends nothing. */
export const SHARE_FROM_ROWS = 1000;

/** How many failures are kept to be shown when there is no rejects file. */
export const SHOWN_FAILURES = 10;

/** And how many of each code, for a page that shows them by code. */
export const EXAMPLES_OF_CODE = 3;

export interface Counts {
  readonly read: number;
  readonly written: number;
  /** Refused by us: read and map stage. */
  readonly rejected: number;
  /** Refused by Redis, or not settled when the run ended. */
  readonly failed: number;
  readonly skipped: number;
}

/** All that a ledger holds, to be kept and gone on with. */
export interface LedgerState {
  readonly counts: Counts;
  readonly failures: ReadonlyMap<RowCode, number>;
  readonly skips: ReadonlyMap<SkipCode, number>;
  readonly first: readonly RowFailure[];
}

export interface Ledger {
  take(rows: number): void;
  written(rows: number): void;
  skipped(code: SkipCode, rows: number): void;
  failure(failure: RowFailure): void;
  /** Takes over what another one holds. */
  add(state: LedgerState): void;
  /** A copy. */
  state(): LedgerState;
  counts(): Counts;
  failuresByCode(): ReadonlyMap<RowCode, number>;
  skippedByCode(): ReadonlyMap<SkipCode, number>;
  firstFailures(): readonly RowFailure[];
  examples(): ReadonlyMap<RowCode, readonly RowFailure[]>;
  /** `final`: every row has been read, so a share is judged however few they are. */
  overBudget(final: boolean): boolean;
  /** Throws INTERNAL where the law does not hold. */
  assertBalanced(): void;
}

const COUNT_NAMES = ['read', 'written', 'rejected', 'failed', 'skipped'] as const;

/** Reads `0`, `25`, `0.5%` or `all`. Null where it is not of that form. */
export function parseBudget(text: string): Budget | null {
  if (text === 'all') return { kind: 'count', max: Number.POSITIVE_INFINITY };
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (share && Number(share[1]) <= 100) return { kind: 'share', max: Number(share[1]) / 100 };
  if (/^\d{1,15}$/.test(text)) return { kind: 'count', max: Number(text) };
  return null;
}

/** `from`: what earlier runs have counted. */
export function createLedger(budget: Budget, from?: LedgerState): Ledger {
  const counts = { read: 0, written: 0, rejected: 0, failed: 0, skipped: 0 };
  const failures = new Map<RowCode, number>();
  const skips = new Map<SkipCode, number>();
  const first: RowFailure[] = [];
  const examples = new Map<RowCode, RowFailure[]>();
  const ledger: Ledger = {
    take: (rows) => {
      counts.read += rows;
    },
    written: (rows) => {
      counts.written += rows;
    },
    skipped: (code, rows) => {
      counts.skipped += rows;
      skips.set(code, (skips.get(code) ?? 0) + rows);
    },
    failure: (failure) => {
      counts[failure.stage === 'write' ? 'failed' : 'rejected'] += 1;
      failures.set(failure.code, (failures.get(failure.code) ?? 0) + 1);
      if (first.length < SHOWN_FAILURES) first.push(failure);
      const alike = examples.get(failure.code);
      if (!alike) examples.set(failure.code, [failure]);
      else if (alike.length < EXAMPLES_OF_CODE) alike.push(failure);
    },
    add: (state) => {
      for (const name of COUNT_NAMES) counts[name] += state.counts[name];
      for (const [code, rows] of state.failures) failures.set(code, (failures.get(code) ?? 0) + rows);
      for (const [code, rows] of state.skips) skips.set(code, (skips.get(code) ?? 0) + rows);
      first.push(...state.first.slice(0, SHOWN_FAILURES - first.length));
    },
    state: () => ({
      counts: { ...counts },
      failures: new Map(failures),
      skips: new Map(skips),
      first: [...first],
    }),
    counts: () => ({ ...counts }),
    failuresByCode: () => failures,
    skippedByCode: () => skips,
    firstFailures: () => first,
    examples: () => examples,
    overBudget: (final) => isOver(budget, counts, final),
    assertBalanced: () => assertBalanced(counts),
  };
  if (from) ledger.add(from);
  return ledger;
}

function isOver(budget: Budget, counts: Counts, final: boolean): boolean {
  const bad = counts.rejected + counts.failed;
  if (budget.kind === 'count') return bad > budget.max;
  return bad > budget.max * counts.read && (final || counts.read >= SHARE_FROM_ROWS);
}

function assertBalanced(counts: Counts): void {
  const accounted = counts.written + counts.rejected + counts.failed + counts.skipped;
  if (counts.read === accounted) return;
  throw new FeaturectlError(
    'INTERNAL',
    `row counts do not add up: ${JSON.stringify(counts)}; please report this with the command you ran`,
  );
}
