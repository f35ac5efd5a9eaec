/**
 * The metrics of one run for Prometheus, by prom-client: a textfile for the node exporter, or a push to a Pushgateway.
 * They are gauges: they say what the last run did, and start anew with each. Labels are of bounded number: the load's
 * name, the command, our own codes.
 */
import { readFile } from 'node:fs/promises';
import { Gauge, Pushgateway, Registry } from 'prom-client';
import { EXIT, ROW_CODES, SKIP_CODES } from '../core/errors.ts';
import { printable } from './format.ts';
import { redactUrls } from './redact.ts';
import { type RunFacts, runSeconds } from './run-facts.ts';

/** How long a Pushgateway may take, in milliseconds: nobody should wait for monitoring. */
const PUSH_TIMEOUT_MS = 3000;

/** Times that a run that did not get so far must not wipe out, in seconds since 1970; null: never. */
export interface EarlierTimes {
  readonly success: number | null;
  readonly complete: number | null;
}

const NEVER: EarlierTimes = { success: null, complete: null };

const SUCCESS = 'featurectl_last_success_timestamp_seconds';
const COMPLETE = 'featurectl_last_complete_timestamp_seconds';

/** Prometheus' text format. */
export async function metricsText(facts: RunFacts, earlier: EarlierTimes): Promise<string> {
  return registryOf(facts, earlier, { load: facts.load, command: facts.command }).metrics();
}

/** The times in the metrics file of an earlier run of this load; null each where there is none. Never throws. */
export async function earlierTimes(path: string, { load, command }: RunFacts): Promise<EarlierTimes> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const labels = [`load="${escapeLabel(load)}"`, `command="${command}"`];
  const timeOf = (name: string): number | null => {
    const line = text
      .split('\n')
      .find((each) => each.startsWith(`${name}{`) && labels.every((label) => each.includes(label)));
    const value = Number(line?.split(' ').at(-1) ?? Number.NaN);
    return Number.isFinite(value) ? value : null;
  };
  return { success: timeOf(SUCCESS), complete: timeOf(COMPLETE) };
}

/** As the text format wants it, and prom-client does it. */
function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/**
 * Adds the run to the group `job="featurectl"`, `load`, `command` of the gateway; what the run does not say, such as the
 * time of the last success after a failure, stays as it was. Says what went wrong, or null; never throws.
 */
export async function pushMetrics(url: string, facts: RunFacts): Promise<string | null> {
  // The gateway puts the labels of the group on by itself.
  const registry = registryOf(facts, NEVER, {});
  const options = { signal: AbortSignal.timeout(PUSH_TIMEOUT_MS) };
  try {
    const { resp } = await new Pushgateway(url.replace(/\/+$/, ''), options, registry).pushAdd({
      jobName: 'featurectl',
      groupings: { load: facts.load, command: facts.command },
    });
    const status = resp instanceof Object && 'statusCode' in resp ? Number(resp.statusCode) : 200;
    return status < 300 ? null : pushProblem(url, `it answered ${status}`);
  } catch (error) {
    return pushProblem(url, options.signal.aborted ? 'no answer in 3 s' : messageOf(error));
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A name with several addresses fails with all of their errors, and no message of its own.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error.message;
}

function pushProblem(url: string, reason: string): string {
  const text = printable(redactUrls(`the metrics could not be pushed to ${url}: ${reason}`)).slice(0, 500);
  return `${text}; the exit code is that of the load`;
}

function registryOf(facts: RunFacts, earlier: EarlierTimes, labels: Record<string, string>): Registry {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  addRows(registry, facts);
  addSizes(registry, facts);
  const loaded = facts.loadedAt.getTime() / 1000;
  const isSuccess = facts.exitCode === EXIT.ok;
  const isComplete = isSuccess || facts.exitCode === EXIT.someFailed;
  addTime(registry, SUCCESS, 'End of the last load with exit code 0', isSuccess ? loaded : earlier.success);
  addTime(
    registry,
    COMPLETE,
    'End of the last load with exit code 0 or 1: bad rows within --max-errors',
    isComplete ? loaded : earlier.complete,
  );
  return registry;
}

/** Every fate and code is there, with 0 too: what is absent cannot be told from what was never sent. */
function addRows(registry: Registry, { counts, failuresByCode, skippedByCode }: RunFacts): void {
  const { read: _all, ...fates } = counts;
  const byLabel = (
    name: string,
    help: string,
    label: string,
    values: Iterable<readonly [string, number]>,
  ): void => {
    const gauge = new Gauge({ name, help, labelNames: [label], registers: [registry] });
    for (const [value, rows] of values) gauge.set({ [label]: value }, rows);
  };
  addGauge(registry, 'featurectl_run_rows_read', 'Rows read by the last run', counts.read);
  byLabel(
    'featurectl_run_rows',
    'Rows of the last run by what became of them',
    'fate',
    Object.entries(fates),
  );
  byLabel(
    'featurectl_run_failures',
    'Rows of the last run that were rejected or failed, by code',
    'code',
    codes(ROW_CODES).map((code) => [code, failuresByCode.get(code) ?? 0]),
  );
  byLabel(
    'featurectl_run_skips',
    'Rows of the last run that were skipped, by code',
    'code',
    codes(SKIP_CODES).map((code) => [code, skippedByCode.get(code) ?? 0]),
  );
}

/** Object.keys forgets what it knows of the names. */
function codes<Code extends string>(table: Readonly<Record<Code, string>>): Code[] {
  return Object.keys(table) as Code[];
}

function addSizes(registry: Registry, facts: RunFacts): void {
  const bytesRead = facts.sources.reduce((sum, source) => sum + source.bytesRead, 0);
  const ended = facts.endedAt.getTime() / 1000;
  addGauge(registry, 'featurectl_run_duration_seconds', 'Wall time of the last run', runSeconds(facts));
  addGauge(registry, 'featurectl_run_exit_code', 'Exit code of the last run', facts.exitCode);
  addGauge(registry, 'featurectl_run_end_timestamp_seconds', 'When the last run ended', ended);
  addGauge(registry, 'featurectl_run_bytes_read', 'Bytes read from the sources', bytesRead);
  addGauge(registry, 'featurectl_run_bytes_sent', 'Bytes sent to Redis', facts.stats.bytesSent);
  addGauge(
    registry,
    'featurectl_run_retries',
    'Times that something was sent to Redis again',
    facts.stats.retries,
  );
}

function addTime(registry: Registry, name: string, help: string, seconds: number | null): void {
  if (seconds !== null) addGauge(registry, name, help, seconds);
}

function addGauge(registry: Registry, name: string, help: string, value: number): void {
  new Gauge({ name, help, registers: [registry] }).set(value);
}
