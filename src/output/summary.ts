/** The table at the end of a run, for a person. Plain text, no colour. */

import { ROW_CODES, SKIP_CODES } from '../core/errors.ts';
import type { RowFailure } from '../core/ledger.ts';
import { counted } from '../core/units.ts';
import { alignRows, formatBytes, formatCount, formatSeconds, printable, rowsPerSecond } from './format.ts';
import { type RunFacts, runSeconds } from './run-facts.ts';

type Row = readonly [label: string, count: string, meaning: string];

/** Ends with a line break. */
export function formatSummary(facts: RunFacts): string {
  const lines = [
    ...alignRows(countRows(facts), new Set([1])),
    ...alignRows(aboutRows(facts), new Set()),
    ...failureLines(facts),
    ...rejectsLines(facts),
  ];
  return `${lines.join('\n')}\n`;
}

/** For --quiet, where a run that came to its end had bad rows: all that must be known, on one line. */
export function formatQuietSummary(facts: RunFacts): string {
  const { counts, failuresByCode, firstFailures, rejectsPaths } = facts;
  const codes = [...failuresByCode].sort(mostFirst).map(([code, rows]) => `${code} ${formatCount(rows)}`);
  const bad = `${formatCount(counts.rejected + counts.failed)} of ${counted(counts.read, 'row')} are bad`;
  const [first] = firstFailures;
  const where =
    rejectsPaths.length > 0
      ? `; rejects: ${rejectsPaths.map(printable).join(', ')}`
      : first
        ? `; the first is ${formatFailure(first).trim()}`
        : '';
  return `featurectl: ${bad} (${codes.join(', ')})${where}\n`;
}

function countRows({ command, counts, failuresByCode, skippedByCode }: RunFacts): Row[] {
  return [
    ['read', formatCount(counts.read), ''],
    [
      'written',
      formatCount(counts.written),
      command === 'validate' ? 'would be: nothing is written here' : '',
    ],
    ['skipped', formatCount(counts.skipped), ''],
    ...[...skippedByCode].sort(mostFirst).map(([code, rows]) => codeRow(code, rows, SKIP_CODES[code])),
    [
      'rejected',
      formatCount(counts.rejected),
      counts.rejected > 0 ? 'before Redis: read or mapped wrong' : '',
    ],
    ['failed', formatCount(counts.failed), counts.failed > 0 ? 'at Redis: refused or not settled' : ''],
    ...[...failuresByCode].sort(mostFirst).map(([code, rows]) => codeRow(code, rows, ROW_CODES[code])),
  ];
}

function mostFirst(a: readonly [string, number], b: readonly [string, number]): number {
  return b[1] - a[1] || (a[0] < b[0] ? -1 : 1);
}

function codeRow(code: string, rows: number, meaning: string): Row {
  return [`  ${code}`, formatCount(rows), meaning];
}

function aboutRows(facts: RunFacts): string[][] {
  const seconds = runSeconds(facts);
  const rate = formatCount(rowsPerSecond(facts.counts.read - facts.resumedRows, seconds * 1000));
  const { plan, stats } = facts;
  const retries = stats.retries > 0 ? `, ${formatCount(stats.retries)} retries` : '';
  return [
    ['time', `${formatSeconds(seconds)}, ${rate} rows/s`],
    ...(plan && plan.path !== 'none'
      ? [['sent', `${formatBytes(stats.bytesSent)} in ${formatCount(stats.chunksSent)} chunks${retries}`]]
      : []),
    ...(plan ? [['write path', printable(`${plan.path} (${plan.mode}): ${plan.why}`)]] : []),
  ];
}

function failureLines({ counts, firstFailures, rejectsPaths }: RunFacts): string[] {
  if (rejectsPaths.length > 0 || firstFailures.length === 0) return [];
  const bad = counts.rejected + counts.failed;
  const all = firstFailures.length >= bad;
  const title = all ? 'bad rows:' : `first ${firstFailures.length} of ${formatCount(bad)} bad rows:`;
  const hint = all ? [] : ['all of them, in a file to mend and load again: --rejects FILE'];
  return ['', title, ...firstFailures.map(formatFailure), ...hint];
}

/** `  users.csv:12 column age: INT expected …`; the place is what editors and grep take. */
export function formatFailure(failure: RowFailure): string {
  const column = failure.column === null ? '' : ` column ${JSON.stringify(failure.column)}`;
  return printable(`  ${failure.source}:${failure.line}${column}: ${failure.code}: ${failure.reason}`);
}

function rejectsLines({ rejectsPaths, error }: RunFacts): string[] {
  if (rejectsPaths.length === 0) return [];
  const names = rejectsPaths.map(printable);
  // Rows behind the end of the run are in no file of ours.
  if (error)
    return ['', `rejects: ${names.join(', ')} (the run did not finish: run it again for the other rows)`];
  return ['', `rejects: ${names.join(', ')} (mend the rows there, then ingest ${plural(names)} alone)`];
}

function plural(names: readonly string[]): string {
  return names.length === 1 ? 'that file' : 'those files';
}
