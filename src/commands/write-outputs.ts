/** What a run leaves behind for others to read: report, metrics file, pushed metrics. */
import { EXIT, FeaturectlError } from '../core/errors.ts';
import { buildReport, reportText } from '../output/report.ts';
import type { RunFacts } from '../output/run-facts.ts';
import { assertWritable, writeWhole } from '../output/whole-file.ts';
import type { IngestOptions } from './options.ts';
import type { Run } from './run.ts';

/** Throws OUTPUT, before the first write to Redis, where one could not be written at the end. */
export async function assertOutputsWritable(options: IngestOptions): Promise<void> {
  const { report, reportHtml, metrics } = options;
  if (report !== null) await assertWritable('the report', report);
  if (reportHtml !== null) await assertWritable('the HTML report', reportHtml);
  if (metrics !== null) await assertWritable('the metrics', metrics);
}

/** Each is tried, whatever became of the others. Returns the first error, or null. */
export async function writeOutputs(run: Run, facts: RunFacts): Promise<unknown> {
  const jsonError = await attempt(() => writeReport(run, facts));
  const htmlError = await attempt(() => writePage(run, facts));
  const reportError = jsonError ?? htmlError;
  // The metrics tell the exit code that the run will really have.
  const isWorse = reportError !== null && facts.error === null;
  const last = isWorse ? { ...facts, exitCode: exitOf(reportError) } : facts;
  const metricsError = await attempt(() => writeMetrics(run, last));
  await push(run, last);
  return reportError ?? metricsError;
}

export function exitOf(error: unknown): number {
  return error instanceof FeaturectlError ? error.exitCode : EXIT.bug;
}

async function attempt(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return null;
  } catch (error) {
    return error;
  }
}

async function writeReport({ options, io, mayWriteOutputs }: Run, facts: RunFacts): Promise<void> {
  if (options.report === null || !mayWriteOutputs) return;
  const text = reportText(buildReport(facts), options.report === '-' ? 'line' : 'pages');
  await writeWhole('the report', options.report, text, io.stdout);
}

async function writePage({ options, io, mayWriteOutputs }: Run, facts: RunFacts): Promise<void> {
  if (options.reportHtml === null || !mayWriteOutputs) return;
  const { pageText } = await import('../output/html/page.ts');
  await writeWhole('the HTML report', options.reportHtml, pageText(facts), io.stdout);
}

async function writeMetrics({ options, io, mayWriteOutputs }: Run, facts: RunFacts): Promise<void> {
  if (options.metrics === null || !mayWriteOutputs) return;
  const { earlierTimes, metricsText } = await import('../output/metrics.ts');
  const text = await metricsText(facts, await earlierTimes(options.metrics, facts));
  await writeWhole('the metrics', options.metrics, text, io.stdout);
}

/**
 * The data is in Redis or not, whatever the gateway does: a push that fails is a warning, which --quiet does not hide,
 * and leaves the exit code as it is. An age that grows since the last success tells the rest.
 */
async function push({ options, io, log }: Run, facts: RunFacts): Promise<void> {
  if (options.pushgateway === null) return;
  const { pushMetrics } = await import('../output/metrics.ts');
  const problem = await pushMetrics(options.pushgateway, facts);
  if (problem === null) return;
  if (log) log.note(problem, 'note');
  else io.stderr.write(`featurectl: ${problem}\n`);
}
