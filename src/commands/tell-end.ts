/** The last words of a run on stderr: summary and interrupt, as text or JSON. What ended it is said by whoever catches it. */

import { EXIT } from '../core/errors.ts';
import type { Ending } from '../core/ingest.ts';
import { counted } from '../core/units.ts';
import { redactUrls } from '../output/redact.ts';
import { buildReport } from '../output/report.ts';
import type { RunFacts } from '../output/run-facts.ts';
import { formatQuietSummary, formatSummary } from '../output/summary.ts';
import type { Run } from './run.ts';

/** With --quiet: nothing on success, else one message, which is the error where there is one. */
export function tellEnd(run: Run, facts: RunFacts, ending: Ending): void {
  const isInterrupted = ending.kind === 'interrupted';
  const isTold = facts.error !== null || isInterrupted;
  const isShown = run.options.quiet ? !isTold && facts.exitCode !== EXIT.ok : run.writer !== null;
  if (isShown) tellSummary(run, facts);
  if (!isInterrupted) return;
  const message = interruptedMessage(run);
  if (run.log) run.log.interrupted(message, facts.exitCode);
  else run.io.stderr.write(`featurectl: ${message}\n`);
}

function tellSummary({ log, io, options }: Run, facts: RunFacts): void {
  if (log) log.summary(buildReport(facts));
  else io.stderr.write(options.quiet ? formatQuietSummary(facts) : formatSummary(facts));
}

function interruptedMessage(run: Run): string {
  const { read } = run.ledger.counts();
  const start = `interrupted after ${counted(read, 'row')}; what is counted as written is in Redis. `;
  if (!run.checkpoints) {
    return `${start}The same command again writes all rows anew and ends in the same state`;
  }
  return `${start}To go on from there: featurectl ${(run.io.argv ?? []).map(shellWord).join(' ')}`;
}

/** A word as a shell takes it; a password in a URL is masked. */
function shellWord(word: string): string {
  const shown = redactUrls(word);
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
