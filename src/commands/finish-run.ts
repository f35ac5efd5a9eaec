/** The end of a run: rejects closed, summary and report written, exit code chosen. */

import { parse } from 'node:path';
import { EXIT, FeaturectlError } from '../core/errors.ts';
import type { Ending } from '../core/ingest.ts';
import type { Budget } from '../core/ledger.ts';
import { counted } from '../core/units.ts';
import type { RunFacts } from '../output/run-facts.ts';
import type { Run } from './run.ts';
import { tellEnd } from './tell-end.ts';
import { packageVersion } from './version.ts';
import { sampleRows } from './watch-run.ts';
import { exitOf, writeOutputs } from './write-outputs.ts';

/** Returns 0, 1 or a signal's exit code; throws what ended the run otherwise. */
export async function finishRun(run: Run, ending: Ending): Promise<number> {
  const error = await closeRejects(run, endingError(run, ending));
  const exitCode = error ? exitOf(error) : quietExit(run, ending);
  sampleRows(run);
  const facts = gatherFacts(run, exitCode, error);
  tellEnd(run, facts, ending);
  // An output that cannot be written must not hide why the run failed.
  const outputError = await writeOutputs(run, facts);
  if (error) throw error;
  if (outputError) throw outputError;
  return exitCode;
}

function endingError(run: Run, ending: Ending): unknown {
  if (ending.kind === 'fatal') return ending.error;
  if (ending.kind === 'budget') return budgetError(run, ending.isRead);
  const isEmpty = ending.kind === 'complete' && run.ledger.counts().read === 0;
  if (isEmpty && run.options.failOnEmpty) {
    return new FeaturectlError('EMPTY', 'expected at least one row (--fail-on-empty), found none');
  }
  return null;
}

function budgetError({ ledger, options }: Run, isRead: boolean): FeaturectlError {
  const { read, rejected, failed, written } = ledger.counts();
  const first = ledger.firstFailures()[0];
  const place = first ? `; the first is ${first.source}:${first.line}: ${first.code}: ${first.reason}` : '';
  const limit = `--max-errors ${limitText(options.budget)}`;
  const allowed = isRead ? `allows of ${counted(read, 'row')}` : 'allows, so the run stopped';
  const done = options.dryRun ? 'would be written' : `${written === 1 ? 'is' : 'are'} written`;
  const remedy = rejected > 0 ? 'Mend the source' : 'See to that';
  return new FeaturectlError(
    'BUDGET',
    `${counted(rejected + failed, 'bad row')}, more than ${limit} ${allowed}; ${counted(written, 'row')} ${done}${place}. ` +
      `${remedy}, or allow more with --max-errors`,
  );
}

/** As an option takes it. */
function limitText({ kind, max }: Budget): string {
  return kind === 'share' ? `${Number((max * 100).toPrecision(12))}%` : String(max);
}

async function closeRejects(run: Run, error: unknown): Promise<unknown> {
  try {
    await run.rejects?.close();
    return error;
  } catch (closeError) {
    return error ?? closeError;
  }
}

function quietExit(run: Run, ending: Ending): number {
  if (ending.kind === 'interrupted') {
    return typeof run.io.signal.reason === 'number' ? run.io.signal.reason : EXIT.sigint;
  }
  const { rejected, failed } = run.ledger.counts();
  return rejected + failed > 0 ? EXIT.someFailed : EXIT.ok;
}

function gatherFacts(run: Run, exitCode: number, error: unknown): RunFacts {
  const { options, ledger, writer } = run;
  const endedAt = new Date();
  const saved = run.checkpoints?.saved ?? null;
  return {
    command: options.dryRun ? 'validate' : 'ingest',
    version: packageVersion(),
    runId: run.runId,
    load: loadName(options),
    startedAt: run.startedAt,
    endedAt,
    loadedAt: saved?.complete ? new Date(saved.saved_at) : endedAt,
    exitCode,
    error: error === null ? null : describe(error),
    sources: run.track.facts(),
    options: { ...options },
    counts: ledger.counts(),
    resumedRows: saved?.counts.read ?? 0,
    failuresByCode: ledger.failuresByCode(),
    skippedByCode: ledger.skippedByCode(),
    firstFailures: ledger.firstFailures(),
    examples: ledger.examples(),
    watched: run.watch && { ...run.watch.watch.watched(), features: run.watch.features },
    rejectsPaths: run.rejects?.paths() ?? saved?.rejects.map(({ path }) => path) ?? [],
    plan: writer?.plan ?? null,
    workers: run.pool?.started() ?? 0,
    stats: writer?.stats() ?? { bytesSent: 0, chunksSent: 0, retries: 0 },
  };
}

/** One of few, whatever the data: metrics are kept by it. */
function loadName({ metricsName, schema }: Run['options']): string {
  if (metricsName !== null) return metricsName;
  if (schema.file !== null) return parse(schema.file).name;
  return schema.prefix.replace(/:$/, '') || 'featurectl';
}

function describe(error: unknown): RunFacts['error'] {
  if (error instanceof FeaturectlError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}
