/** `--log json`: everything that a run says on stderr as JSON lines, by pino. */
import { redactUrls } from './redact.ts';
import type { RunReport } from './report.ts';

/** What a line tells. `note` is a warning, `retry` a trouble with Redis that is being tried again. */
export type NoteEvent = 'note' | 'retry';

/** Each call is one line, written at once. Every line has `level`, `time`, `event` and what the log was opened with. */
export interface JsonLog {
  progress(fields: Readonly<Record<string, unknown>>): void;
  note(message: string, event: NoteEvent): void;
  /** How things go; nothing to look at. */
  info(message: string): void;
  summary(report: RunReport): void;
  interrupted(message: string, exitCode: number): void;
  error(
    error: { readonly code: string; readonly message: string; readonly stack?: string },
    exitCode: number,
  ): void;
}

/** `context`: fields of every line, such as the run's id. The package is loaded here, since few runs need it. */
export async function openJsonLog(
  stream: NodeJS.WritableStream,
  context: Readonly<Record<string, unknown>> = {},
): Promise<JsonLog> {
  const { pino } = await import('pino');
  const log = pino(
    {
      base: context,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    stream,
  );
  return {
    progress: (fields) => log.info({ event: 'progress', ...fields }),
    note: (message, event) => log.warn({ event }, redactUrls(message)),
    info: (message) => log.info({ event: 'info' }, redactUrls(message)),
    summary: (report) =>
      log[report.exit_code === 0 ? 'info' : 'warn']({ event: 'summary', ...summaryFields(report) }),
    interrupted: (message, exitCode) => log.warn({ event: 'interrupted', exit_code: exitCode }, message),
    error: ({ code, message, stack }, exitCode) =>
      log.error(
        { event: 'error', code, exit_code: exitCode, ...(stack === undefined ? {} : { stack }) },
        redactUrls(message),
      ),
  };
}

/** The names are those of the report. */
function summaryFields(report: RunReport): Partial<RunReport> {
  const { seconds, rows_per_second, counts, failures_by_code, skipped_by_code } = report;
  const { rejects, first_failures, retries, write, exit_code } = report;
  return {
    exit_code,
    counts,
    failures_by_code,
    skipped_by_code,
    seconds,
    rows_per_second,
    retries,
    write,
    rejects,
    // As in the table for people: where a file has all of them, none is repeated.
    first_failures: rejects.length > 0 ? [] : first_failures,
  };
}
