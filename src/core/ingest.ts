/** The whole job in one straight line: source → batch → encoder → writer → ledger. */
import type { Accounts } from './accounts.ts';
import { FeaturectlError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { RowEncoder, RowOrigin, Source, Writer } from './types.ts';

export interface IngestJob {
  /** Opened one after the other; each is closed before the next is opened. */
  readonly sources: readonly (() => Promise<Source>)[];
  /** Throws COLUMN, TYPE or SCHEMA where the source does not fit, before any of its rows is written. */
  compile(source: Source): RowEncoder;
  readonly writer: Writer;
  readonly ledger: Ledger;
  /** What the writer tells too; it fills the ledger. */
  readonly accounts: Accounts;
  readonly signal: AbortSignal;
  /** How long in-flight rows may take to settle after an interrupt, in milliseconds. */
  readonly graceMs: number;
}

/** The job while it runs. */
interface Run extends IngestJob {
  readonly orAborted: AbortWatch['orAborted'];
}

/** How a run ended. In every case each row read is in exactly one count of the ledger. */
export type Ending =
  | { readonly kind: 'complete' | 'interrupted' }
  /** `isRead`: every row had been read when the budget was judged. */
  | { readonly kind: 'budget'; readonly isRead: boolean }
  | { readonly kind: 'fatal'; readonly error: unknown };

export async function ingest(job: IngestJob): Promise<Ending> {
  const { orAborted, release } = watchAbort(job.signal);
  try {
    const run: Run = { ...job, orAborted };
    const ending = await closed(job, await settle(run, await readAll(run)));
    job.ledger.assertBalanced();
    return ending;
  } finally {
    release();
  }
}

async function readAll(job: Run): Promise<Ending> {
  try {
    for (const open of job.sources) {
      if (job.signal.aborted) return { kind: 'interrupted' };
      const source = await open();
      try {
        const stopped = await readSource(job, source);
        if (stopped) return stopped;
      } finally {
        await source.close();
      }
    }
    return { kind: 'complete' };
  } catch (error) {
    return job.signal.aborted ? { kind: 'interrupted' } : { kind: 'fatal', error };
  }
}

async function readSource(job: Run, source: Source): Promise<Ending | null> {
  const encoder = job.compile(source);
  const recordColumns = source.recordColumns(encoder.selected);
  for await (const batch of source.batches(encoder.selected)) {
    const stopped = await readBatch(job, encoder, { source, batch, recordColumns });
    if (stopped) return stopped;
  }
  return null;
}

async function readBatch(job: Run, encoder: RowEncoder, origin: RowOrigin): Promise<Ending | null> {
  const { ledger, writer, accounts } = job;
  accounts.begin(origin);
  for (let row = 0; row < origin.batch.rowCount; ) {
    const step = encoder.encode(origin, row, writer);
    accounts.take(origin, step.next - row);
    if (step.empty > 0) accounts.skipped(origin, 'empty', step.empty);
    if (step.fault) accounts.failure(origin, step.next - 1, step.stage, step.fault);
    row = step.next;
    if (ledger.overBudget(false)) return { kind: 'budget', isRead: false };
    if (step.full) await job.orAborted(writer.room());
    if (job.signal.aborted) return { kind: 'interrupted' };
  }
  if (accounts.mustSettle()) await job.orAborted(writer.drain());
  await accounts.flush();
  return ledger.overBudget(false) ? { kind: 'budget', isRead: false } : null;
}

/** Brings every row that was read to its count, whatever ended the reading. */
async function settle(job: Run, ending: Ending): Promise<Ending> {
  if (ending.kind === 'interrupted') {
    await job.writer.abandon(job.graceMs);
    return ending;
  }
  try {
    await job.orAborted(job.writer.drain());
  } catch (error) {
    await job.writer.abandon(job.signal.aborted ? job.graceMs : 0);
    if (job.signal.aborted) return { kind: 'interrupted' };
    return ending.kind === 'fatal' ? ending : { kind: 'fatal', error };
  }
  if (ending.kind === 'complete' && job.ledger.overBudget(true)) return { kind: 'budget', isRead: true };
  return ending;
}

/** A rejects or checkpoint file that cannot be finished makes the run fatal; an earlier fatal error is kept. */
async function closed(job: IngestJob, ending: Ending): Promise<Ending> {
  try {
    await job.accounts.close();
    return ending;
  } catch (error) {
    return ending.kind === 'fatal' ? ending : { kind: 'fatal', error };
  }
}

interface AbortWatch {
  /** The promise, or a rejection as soon as the signal aborts. One promise at a time. */
  orAborted(work: Promise<void>): Promise<void>;
  release(): void;
}

/** One listener for all of a run, since a load waits for room about once a chunk. */
function watchAbort(signal: AbortSignal): AbortWatch {
  let reject = (_error: Error): void => {};
  const onAbort = (): void => reject(new FeaturectlError('INTERNAL', 'interrupted'));
  signal.addEventListener('abort', onAbort);
  return {
    orAborted: (work) =>
      new Promise((resolve, refuse) => {
        reject = refuse;
        if (signal.aborted) onAbort();
        work.then(resolve, refuse);
      }),
    release: () => signal.removeEventListener('abort', onAbort),
  };
}
