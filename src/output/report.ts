/** The report of a run as JSON, for programs. Its form is docs/report.schema.json. */
import { constants } from 'node:fs';
import { access, lstat, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { RowFailure } from '../core/ledger.ts';
import type { SourceFormat, WriteMode, WritePath } from '../core/types.ts';
import { rowsPerSecond } from './format.ts';
import { redactOptions, redactUrls } from './redact.ts';
import { type RunFacts, runSeconds, type SourceFacts } from './run-facts.ts';
import { errnoCode, outputError } from './system-error.ts';

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
  readonly rows_per_second: number;
  readonly bytes_read: number;
  readonly bytes_sent: number;
  readonly chunks_sent: number;
  readonly retries: number;
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
    rows_per_second: rowsPerSecond(facts.counts.read, seconds * 1000),
    bytes_read: facts.sources.reduce((sum, source) => sum + source.bytesRead, 0),
    bytes_sent: facts.stats.bytesSent,
    chunks_sent: facts.stats.chunksSent,
    retries: facts.stats.retries,
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

/** Throws OUTPUT where `path` could not be written later; leaves what is there as it is. */
export async function assertReportWritable(path: string): Promise<void> {
  if (path === '-') return;
  try {
    const { target, temporary } = await placeFor(path);
    await (temporary ? tryCreate(temporary) : access(target, constants.W_OK));
  } catch (error) {
    if (!(await canWriteInPlace(path))) throw outputError('the report', path, error);
  }
}

/**
 * Writes the report to `path`, or to `stdout` for '-'. A reader of the path finds the old report or the
 * whole new one, never a part, unless only the file itself may be written (a mounted file). Throws OUTPUT.
 */
export async function writeReport(
  path: string,
  report: RunReport,
  stdout: NodeJS.WritableStream,
): Promise<void> {
  const text = `${JSON.stringify(report, null, 2)}\n`;
  try {
    if (path === '-') await writeStream(stdout, text);
    else await writeTo(path, text);
  } catch (error) {
    throw outputError('the report', path, error);
  }
}

function writeStream(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // A stream that fails tells it by this event too, which without a listener would end the process.
    stream.once('error', reject);
    stream.write(text, (error) => {
      if (error) return;
      stream.removeListener('error', reject);
      resolve();
    });
  });
}

async function writeTo(path: string, text: string): Promise<void> {
  const { target, temporary } = await placeFor(path);
  if (!temporary) return writeFile(target, text);
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    if (errnoCode(error) === 'ENOSPC' || !(await canWriteInPlace(path))) throw error;
    await writeFile(target, text);
  }
}

async function tryCreate(path: string): Promise<void> {
  await (await open(path, 'wx')).close();
  await rm(path);
}

/** True for an existing file in a directory that takes no new ones. */
async function canWriteInPlace(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

interface Place {
  /** What a symbolic link points to: a rename onto the link would replace the link. */
  readonly target: string;
  /** Beside the target, on the same file system. Null: a device or pipe, which is written straight. */
  readonly temporary: string | null;
}

async function placeFor(path: string): Promise<Place> {
  const target = await realpath(path).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return path;
    throw error;
  });
  const found = await lstat(target).catch(() => null);
  if (found?.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
  if (found && !found.isFile()) return { target, temporary: null };
  return { target, temporary: join(dirname(target), `.${basename(target)}.${process.pid}.tmp`) };
}
