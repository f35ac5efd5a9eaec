/**
 * The low-water mark: the end of the longest run of batches whose rows are all settled, with the counts up to
 * there. Rows are settled out of order across lanes, so each batch has counts of its own until the mark passes it.
 */
import { FeaturectlError } from './errors.ts';
import { createLedger, type Ledger, type LedgerState, type RowFailure } from './ledger.ts';
import type { RowOrigin, Source, SourcePosition } from './types.ts';

/** A place up to which everything is settled. A new object whenever it has moved. */
export interface Mark {
  /** Null: nothing of this run is settled yet. */
  readonly at: { readonly source: Source; readonly position: SourcePosition } | null;
  /** Counts up to the mark, those of earlier runs included. */
  readonly state: LedgerState;
}

type Release = (origin: RowOrigin, row: number, failure: RowFailure) => void;

export interface LowWater {
  /** The batch that was begun before has been taken to its end. */
  begin(origin: RowOrigin): void;
  /** The counts of one batch. */
  tally(origin: RowOrigin): Ledger;
  /** Kept until the mark passes the batch, so that failures leave in the order of the rows. */
  failure(origin: RowOrigin, row: number, failure: RowFailure): void;
  /** An earlier run may have written rows of this batch. */
  isInDoubt(origin: RowOrigin): boolean;
  /** More batches are open than `maxBatches`. */
  isWide(): boolean;
  /** Moves the mark as far as it goes. */
  advance(release: Release): void;
  /** As `advance`, at the end of a run: the last batch ends where it was taken up to. */
  end(release: Release): void;
  /** Lets go of the failures behind the mark; it does not move any more. */
  release(release: Release): void;
  mark(): Mark;
}

interface OpenBatch {
  readonly ledger: Ledger;
  readonly inDoubt: boolean;
  readonly held: [origin: RowOrigin, row: number, failure: RowFailure][];
  /** Null: it is still being read. */
  end: Mark['at'];
  /** A row of it may or may not be in Redis, so that it has to be read again. */
  isUnsettled: boolean;
}

export interface LowWaterOptions {
  /** What earlier runs have counted. */
  readonly state: LedgerState;
  /** Rows, counted from the start of the first run, that an earlier run may have written. */
  readonly doubtRows: number;
  /** Bound of what is kept: batches of some thousand rows. */
  readonly maxBatches: number;
}

export function createLowWater({ state, doubtRows, maxBatches }: LowWaterOptions): LowWater {
  const settled = createLedger({ kind: 'count', max: Number.POSITIVE_INFINITY }, state);
  const byOrigin = new WeakMap<RowOrigin, OpenBatch>();
  /** From the mark on, in the order that they were read in. */
  const open: OpenBatch[] = [];
  let mark: Mark = { at: null, state: settled.state() };
  let reading: RowOrigin | null = null;
  let begun = state.counts.read;

  function batchOf(origin: RowOrigin): OpenBatch {
    const batch = byOrigin.get(origin);
    if (batch) return batch;
    throw new FeaturectlError('INTERNAL', 'a row of a batch that was not begun');
  }

  function close(): void {
    if (reading === null) return;
    const batch = batchOf(reading);
    const rows = batch.ledger.counts().read;
    batch.end = { source: reading.source, position: reading.batch.position(rows) };
    reading = null;
  }

  function advance(release: Release): void {
    let passed: OpenBatch | null = null;
    while (open[0] && isSettled(open[0])) {
      passed = open.shift() as OpenBatch;
      settled.add(passed.ledger.state());
      letGo(passed, release);
    }
    if (passed) mark = { at: passed.end, state: settled.state() };
  }

  return {
    begin: (origin) => {
      close();
      const batch = newBatch(begun < doubtRows);
      byOrigin.set(origin, batch);
      open.push(batch);
      reading = origin;
      begun += origin.batch.rowCount;
    },
    tally: (origin) => batchOf(origin).ledger,
    failure: (origin, row, failure) => {
      const batch = batchOf(origin);
      batch.ledger.failure(failure);
      batch.held.push([origin, row, failure]);
      if (failure.code === 'UNSETTLED') batch.isUnsettled = true;
    },
    isInDoubt: (origin) => batchOf(origin).inDoubt,
    isWide: () => open.length > maxBatches,
    advance,
    end: (release) => {
      close();
      advance(release);
    },
    release: (release) => {
      for (const batch of open) letGo(batch, release);
    },
    mark: () => mark,
  };
}

function newBatch(inDoubt: boolean): OpenBatch {
  const ledger = createLedger({ kind: 'count', max: Number.POSITIVE_INFINITY });
  return { ledger, inDoubt, held: [], end: null, isUnsettled: false };
}

function isSettled({ end, isUnsettled, ledger }: OpenBatch): boolean {
  if (end === null || isUnsettled) return false;
  const { read, written, rejected, failed, skipped } = ledger.counts();
  return read === written + rejected + failed + skipped;
}

function letGo(batch: OpenBatch, release: Release): void {
  const held = batch.held.splice(0).sort(([, a], [, b]) => a - b);
  for (const [origin, row, failure] of held) release(origin, row, failure);
}
