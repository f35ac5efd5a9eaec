/** How far a run is: one line that is redrawn on a terminal, plain or JSON lines elsewhere. */
import type { Ora } from 'ora';
import {
  etaSeconds,
  formatBar,
  formatBytes,
  formatCount,
  formatPercent,
  formatSeconds,
  fractionDone,
  printable,
  rowsPerSecond,
} from './format.ts';
import type { JsonLog, NoteEvent } from './log.ts';

export interface ProgressSnapshot {
  /** Rows read so far. */
  readonly rows: number;
  /** Of these, rows that earlier runs have read (--checkpoint). */
  readonly resumedRows?: number;
  /** Rows rejected or failed so far. */
  readonly failures: number;
  /** Bytes read of all sources, and their size; null where that is not known. */
  readonly bytesRead: number;
  readonly bytesTotal: number | null;
}

/** What is needed of process.stderr. */
export type ProgressStream = NodeJS.WritableStream & { readonly columns?: number };

export interface ProgressOptions {
  readonly stream: ProgressStream;
  readonly isTty: boolean;
  /** Nothing is shown, notes neither. */
  readonly quiet: boolean;
  /** Between two plain or JSON lines. A terminal line has its own rhythm. */
  readonly intervalMs: number;
  /** Takes all lines instead of the stream, on a terminal too; null: text. */
  readonly log: JsonLog | null;
  /** With TERM=dumb a terminal gets plain lines. Colour is never used, so NO_COLOR is kept. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds of a clock that never goes back; for tests. */
  readonly now?: () => number;
}

export interface Progress {
  /** Cheap enough for every batch. */
  update(snapshot: ProgressSnapshot): void;
  /** A line that stays. */
  note(message: string, event?: NoteEvent): void;
  /** Takes the line off the terminal and ends the timer. May be called twice. */
  stop(): void;
}

export async function createProgress(options: ProgressOptions): Promise<Progress> {
  if (options.quiet) return { update: () => {}, note: () => {}, stop: () => {} };
  const { log, stream } = options;
  if (log) {
    return createLines(
      options,
      (snapshot, elapsedMs) => log.progress(progressFields(snapshot, elapsedMs)),
      (message, event = 'note') => log.note(message, event),
    );
  }
  if (isScreen(options)) return createTerminalLine(options);
  return createLines(
    options,
    (snapshot, elapsedMs) => void stream.write(`${plainLine(snapshot, elapsedMs)}\n`),
    (message) => void stream.write(`featurectl: ${printable(message)}\n`),
  );
}

/** A pseudo terminal that nobody gave a size has 0 columns, on which ora would clear lines for ever. */
function isScreen({ isTty, env, stream }: ProgressOptions): boolean {
  return isTty && env.TERM !== 'dumb' && (stream.columns === undefined || stream.columns > 0);
}

async function createTerminalLine(options: ProgressOptions): Promise<Progress> {
  const now = options.now ?? monotonicMs;
  const started = now();
  const spinner = await startSpinner(options);
  return {
    update: (snapshot) => {
      const columns = options.stream.columns ?? 80;
      spinner.text = terminalLine(snapshot, now() - started, columns - 3);
    },
    // ora clears its line, lets this through and draws its line again below.
    note: (message) => void options.stream.write(`featurectl: ${printable(message)}\n`),
    stop: () => void spinner.stop(),
  };
}

/** Loaded when there is a terminal: nobody looks at most runs. */
async function startSpinner({ stream }: ProgressOptions): Promise<Ora> {
  const { default: ora } = await import('ora');
  return ora({
    stream,
    text: 'starting',
    isEnabled: true,
    spinner: 'line',
    // No colour at all, so NO_COLOR needs no rule of its own.
    color: false,
    // stdin may be the data, and raw mode would take SIGINT away from main.
    discardStdin: false,
    // A killed process could not bring the cursor back.
    hideCursor: false,
  }).start();
}

/** Lines at most every interval, whether updates come (a busy loop) or not (a stalled server). */
function createLines(
  options: ProgressOptions,
  show: (snapshot: ProgressSnapshot, elapsedMs: number) => void,
  note: Progress['note'],
): Progress {
  const now = options.now ?? monotonicMs;
  const started = now();
  let shown = started;
  let last: ProgressSnapshot | null = null;
  const tick = (): void => {
    if (!last || now() - shown < options.intervalMs) return;
    shown = now();
    show(last, shown - started);
  };
  const timer = setInterval(tick, options.intervalMs);
  timer.unref();
  return {
    update: (snapshot) => {
      last = snapshot;
      tick();
    },
    note,
    stop: () => clearInterval(timer),
  };
}

function monotonicMs(): number {
  return performance.now();
}

/** The line on a terminal, cut to `width` so that it stays one line. */
export function terminalLine(snapshot: ProgressSnapshot, elapsedMs: number, width: number): string {
  const fraction = fractionDone(snapshot.bytesRead, snapshot.bytesTotal);
  const eta = etaSeconds(fraction, elapsedMs);
  const parts = [
    fraction === null
      ? formatBytes(snapshot.bytesRead)
      : `${formatBar(fraction, 20)} ${formatPercent(fraction).padStart(4)}`,
    `${formatCount(snapshot.rows)} rows`,
    `${formatCount(speed(snapshot, elapsedMs))} rows/s`,
    ...(eta === null ? [] : [`ETA ${formatSeconds(eta)}`]),
    ...(snapshot.failures > 0 ? [`${formatCount(snapshot.failures)} failed`] : []),
  ];
  return parts.join('  ').slice(0, Math.max(0, width));
}

function speed({ rows, resumedRows = 0 }: ProgressSnapshot, elapsedMs: number): number {
  return rowsPerSecond(rows - resumedRows, elapsedMs);
}

/** The line of a log. */
export function plainLine(snapshot: ProgressSnapshot, elapsedMs: number): string {
  const { rows, failures, bytesRead, bytesTotal } = snapshot;
  const fraction = fractionDone(bytesRead, bytesTotal);
  const eta = etaSeconds(fraction, elapsedMs);
  const total =
    fraction === null || bytesTotal === null
      ? ''
      : ` of ${formatBytes(bytesTotal)} (${formatPercent(fraction)})`;
  const parts = [
    `${formatCount(rows)} rows`,
    `${formatCount(speed(snapshot, elapsedMs))} rows/s`,
    `${formatBytes(bytesRead)}${total}`,
    ...(eta === null ? [] : [`ETA ${formatSeconds(eta)}`]),
    `${formatCount(failures)} failed`,
  ];
  return `featurectl: ${parts.join(', ')}`;
}

/** Fields that are not known are null. */
export function progressFields(snapshot: ProgressSnapshot, elapsedMs: number): Record<string, number | null> {
  const eta = etaSeconds(fractionDone(snapshot.bytesRead, snapshot.bytesTotal), elapsedMs);
  return {
    rows: snapshot.rows,
    rows_per_second: speed(snapshot, elapsedMs),
    failures: snapshot.failures,
    bytes_read: snapshot.bytesRead,
    bytes_total: snapshot.bytesTotal,
    eta_seconds: eta === null ? null : Math.round(eta),
  };
}
