/** The report of a run as JSON, for programs. Its form is docs/report.schema.json. */
import type { RowFailure } from '../core/ledger.ts';
import type { SourceFormat, WriteMode, WritePath } from '../core/types.ts';
import { rowsPerSecond } from './format.ts';
import { redactOptions, redactUrls } from './redact.ts';
import { type RunFacts, runSeconds, type SourceFacts } from './run-facts.ts';

/** Raised when a field changes its meaning or goes; new fields may come without. */
export const REPORT_SCHEMA_VERSION = 1;

export interface RunReport {
  readonly schema_version: typeof REPORT_SCHEMA_VERSION;
  readonly command: RunFacts['command'];
  readonly featurectl_version: string;
  readonly run_id: string;
  readonly started_at: string;
  readonly ended_at: string;
  readonly seconds: number;
  readonly exit_code: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly sources: readonly ReportSource[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly counts: RunFacts['counts'];
  readonly failures_by_code: Readonly<Record<string, number>>;
  readonly skipped_by_code: Readonly<Record<string, number>>;
  readonly first_failures: readonly RowFailure[];
  readonly rejects: readonly string[];
  readonly resumed_rows: number;
  readonly rows_per_second: number;
  readonly bytes_read: number;
  readonly bytes_sent: number;
  readonly chunks_sent: number;
  readonly retries: number;
  readonly workers: number;
  readonly write: ReportWrite | null;
  readonly server_version: string | null;
}

export interface ReportSource {
  readonly name: string;
  readonly format: SourceFormat | null;
  readonly bytes_read: number;
  readonly bytes: number | null;
  readonly modified_at: string | null;
  readonly head_sha256: string | null;
}

export interface ReportWrite {
  readonly mode: WriteMode;
  readonly path: WritePath;
  readonly why: string;
  readonly warnings: readonly string[];
}

/** Secrets in options, messages and source names are masked. */
export function buildReport(facts: RunFacts): RunReport {
  const seconds = runSeconds(facts);
  return {
    schema_version: REPORT_SCHEMA_VERSION,
    command: facts.command,
    featurectl_version: facts.version,
    run_id: facts.runId,
    started_at: facts.startedAt.toISOString(),
    ended_at: facts.endedAt.toISOString(),
    seconds,
    exit_code: facts.exitCode,
    error: facts.error && { code: facts.error.code, message: redactUrls(facts.error.message) },
    sources: facts.sources.map(reportSource),
    options: redactOptions(facts.options),
    counts: { ...facts.counts },
    failures_by_code: Object.fromEntries(facts.failuresByCode),
    skipped_by_code: Object.fromEntries(facts.skippedByCode),
    first_failures: facts.firstFailures.map((failure) => ({
      ...failure,
      source: redactUrls(failure.source),
    })),
    rejects: [...facts.rejectsPaths],
    resumed_rows: facts.resumedRows,
    rows_per_second: rowsPerSecond(facts.counts.read - facts.resumedRows, seconds * 1000),
    bytes_read: facts.sources.reduce((sum, source) => sum + source.bytesRead, 0),
    bytes_sent: facts.stats.bytesSent,
    chunks_sent: facts.stats.chunksSent,
    retries: facts.stats.retries,
    workers: facts.workers,
    write: reportWrite(facts),
    server_version: facts.plan?.server ?? null,
  };
}

function reportSource({ name, format, bytesRead, fingerprint }: SourceFacts): ReportSource {
  return {
    name: redactUrls(name),
    format,
    bytes_read: bytesRead,
    bytes: fingerprint.bytes,
    modified_at: fingerprint.modifiedAt,
    head_sha256: fingerprint.headSha256,
  };
}

function reportWrite({ plan }: RunFacts): ReportWrite | null {
  if (!plan) return null;
  const { mode, path, why, warnings } = plan;
  return { mode, path, why: redactUrls(why), warnings: warnings.map(redactUrls) };
}

/** For people who look into a file; `line`: for programs that take the last line of standard output. */
export function reportText(report: RunReport, form: 'pages' | 'line' = 'pages'): string {
  return `${JSON.stringify(report, null, form === 'line' ? 0 : 2)}\n`;
}
