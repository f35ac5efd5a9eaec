/** What a finished run knows of itself: the one input of the summary and of the report. */
import type { ErrorCode, RowCode, SkipCode } from '../core/errors.ts';
import type { Counts, RowFailure } from '../core/ledger.ts';
import type { SourceFormat, WritePlan, WriterStats } from '../core/types.ts';
import type { Watched } from '../core/watch.ts';
import type { Fingerprint } from './fingerprint.ts';

export interface SourceFacts {
  /** As the user wrote it. */
  readonly name: string;
  /** Null where it was never opened. */
  readonly format: SourceFormat | null;
  readonly bytesRead: number;
  readonly fingerprint: Fingerprint;
}

export interface RunFacts {
  readonly command: 'ingest' | 'validate';
  /** Of featurectl. */
  readonly version: string;
  readonly runId: string;
  /** What tells this load from others that are run again and again: a schema's name, never a date or a file of a day. */
  readonly load: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** When the rows were loaded: `endedAt`, but for a run whose checkpoint says that an earlier one has loaded all. */
  readonly loadedAt: Date;
  readonly exitCode: number;
  /** What ended the run, if not the end of its sources. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  readonly sources: readonly SourceFacts[];
  /** The options in force, as JSON values; secrets in them are masked by the report. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly counts: Counts;
  /** Rows of `counts` that earlier runs of the same load have read (--checkpoint). */
  readonly resumedRows: number;
  readonly failuresByCode: ReadonlyMap<RowCode, number>;
  readonly skippedByCode: ReadonlyMap<SkipCode, number>;
  readonly firstFailures: readonly RowFailure[];
  readonly examples: ReadonlyMap<RowCode, readonly RowFailure[]>;
  /** The files that hold rejects; empty where none were asked for or nothing was rejected. */
  readonly rejectsPaths: readonly string[];
  /** Null where the run ended before a writer was there. */
  readonly plan: WritePlan | null;
  readonly stats: WriterStats;
  /** Threads that read and encoded beside the main one. */
  readonly workers: number;
  /** For the page with charts; null where none was asked for, or the run ended before its schema was known. */
  readonly watched: (Watched & { readonly features: readonly string[] }) | null;
}

/** Wall time of the run in seconds, never negative. */
export function runSeconds(facts: Pick<RunFacts, 'startedAt' | 'endedAt'>): number {
  return Math.max(0, facts.endedAt.getTime() - facts.startedAt.getTime()) / 1000;
}
