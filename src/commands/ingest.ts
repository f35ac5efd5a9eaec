/** `featurectl ingest` and `validate`: wires schema, sources, Redis and output around the core loop. */

import { randomUUID } from 'node:crypto';
import { createAccounts, type FailureSink } from '../core/accounts.ts';
import { ledgerState } from '../core/checkpoint.ts';
import { FeaturectlError } from '../core/errors.ts';
import { type Ending, ingest } from '../core/ingest.ts';
import { createLedger } from '../core/ledger.ts';
import type { ColumnInfo, RowEncoder, Source } from '../core/types.ts';
import { counted } from '../core/units.ts';
import { fingerprint } from '../output/fingerprint.ts';
import { formatCount } from '../output/format.ts';
import { openJsonLog } from '../output/log.ts';
import { createProgress } from '../output/progress.ts';
import { openRejects, type RejectsFile } from '../output/rejects.ts';
import type { FeatureSchema } from '../schema/index.ts';
import { expandSources, openSource, type SourceLocation } from '../sources/index.ts';
import { openCheckpoints } from './checkpoints.ts';
import { encoderOf, fileState, openPool, replaying, withPool } from './encode-part.ts';
import { finishRun } from './finish-run.ts';
import { assertFit } from './fit-parts.ts';
import { openWriter } from './open-writer.ts';
import type { IngestOptions, Io } from './options.ts';
import { refuseOverwriting } from './output-paths.ts';
import { findWork, namedSources, type Part, ranged, shardPrint, type Work } from './parts.ts';
import { lookAt } from './prints.ts';
import { readAhead } from './read-ahead.ts';
import { expandOptions, openOptions, type Surroundings } from './reading.ts';
import { declaredText, schemaFrom, schemaOf } from './resolve-schema.ts';
import type { Run } from './run.ts';
import { assertPlanned, chooseShard } from './shards.ts';
import { followSources } from './source-track.ts';
import { warn, warnOfRows } from './warn.ts';
import { sampleRows, watchRun } from './watch-run.ts';
import { assertOutputsWritable } from './write-outputs.ts';

/** How long rows in flight may take to settle after a signal, in milliseconds. */
const GRACE_MS = 10_000;

/** How often the progress line is brought up to date, in milliseconds. */
const PROGRESS_TICK_MS = 100;

/** Exit code 0, 1 or of a signal; every other ending is thrown, after summary and report. */
export async function ingestCommand(options: IngestOptions, io: Io): Promise<number> {
  const run = await startRun(options, io);
  const ticking = setInterval(() => showProgress(run), PROGRESS_TICK_MS);
  let ending: Ending;
  try {
    ending = await load(run);
  } catch (error) {
    ending = io.signal.aborted ? { kind: 'interrupted' } : { kind: 'fatal', error };
  } finally {
    clearInterval(ticking);
    run.progress.stop();
  }
  return finishRun(run, ending);
}

async function startRun(options: IngestOptions, io: Io): Promise<Run> {
  const runId = randomUUID();
  const log = options.log === 'json' ? await openJsonLog(io.stderr, { run_id: runId }) : null;
  return {
    options,
    io,
    runId,
    log,
    startedAt: new Date(),
    ledger: createLedger(options.budget),
    progress: await createProgress({
      stream: io.stderr,
      isTty: io.stderr.isTTY === true,
      quiet: options.quiet,
      intervalMs: options.progressIntervalMs,
      log,
      env: io.env,
    }),
    track: followSources(),
    encoders: [],
    rejects: null,
    checkpoints: null,
    mayWriteOutputs: false,
    writer: null,
    pool: null,
    watch: null,
  };
}

/** Everything that can be known to be wrong is found before the first write. */
async function load(run: Run): Promise<Ending> {
  const { options } = run;
  const choice = await chooseShard(options.shard);
  const locations = await findSources(run, namedSources(options, choice));
  const work = await findWork(options, locations, choice, surroundings(run));
  run.checkpoints = await openCheckpoints(run, await fingerprints(run, work), shardPrint(work.shard));
  if (goOn(run)) return { kind: 'complete' };
  const parts = run.checkpoints?.remaining(work.parts) ?? work.parts;
  const text = await declaredText(options.schema);
  const declared = text === null ? null : schemaFrom({ options: options.schema, text, columns: [] });
  const first = await open(run, parts[0], declared);
  try {
    const columns = declared ? [] : await schemaColumns(run, work.first, first);
    const schema = declared ?? schemaOf(options.schema, columns);
    run.pool = await openPool(run, { options: options.schema, text, columns });
    if (options.reportHtml !== null) run.watch = watchRun(schema);
    const begun = readAhead(first, compile(run, schema, first).selected);
    await assertFit(run, schema, parts.slice(1), surroundings(run));
    if (options.rejects !== null) run.rejects = await openRejects(options.rejects, sourceNames(locations));
    return await write(run, schema, parts, begun);
  } finally {
    await first.close();
    await run.pool?.stop();
  }
}

/** Throws SOURCE_CHANGED where a source is not what it was when its shard was planned. */
async function fingerprints(run: Run, { parts, shard }: Work) {
  const prints = [];
  for (const { location, index } of parts) {
    const isAsked = shard !== null || run.options.checkpoint !== null;
    const print = isAsked ? await lookAt(location, run.options.reading, surroundings(run)) : null;
    const planned = shard?.parts[index];
    if (print && planned) assertPlanned(planned, print);
    run.track.add(location.name, print ?? (await fingerprint(location.name)));
    if (print) prints.push({ name: location.name, print });
  }
  return prints;
}

/** Takes over what an earlier run has counted. True: it has loaded everything. */
function goOn({ checkpoints, ledger, options, progress }: Run): boolean {
  const saved = checkpoints?.saved ?? null;
  if (saved === null) return false;
  ledger.add(ledgerState(saved));
  const { read, written, rejected, failed } = saved.counts;
  const bad = `${rejected > 0 ? `, ${formatCount(rejected)} rejected` : ''}${failed > 0 ? `, ${formatCount(failed)} failed` : ''}`;
  const rows = `${counted(read, 'row')} read, ${formatCount(written)} written${bad}`;
  progress.note(
    saved.complete
      ? `--checkpoint ${options.checkpoint}: this load is complete: ${rows}. Remove the file to load it again`
      : `--checkpoint ${options.checkpoint}: goes on after what is done: ${rows}`,
  );
  return saved.complete;
}

/** Without a schema file the columns of the first source make the schema, wherever the run begins. */
async function schemaColumns(
  run: Run,
  first: SourceLocation | undefined,
  source: Source,
): Promise<readonly ColumnInfo[]> {
  if (!first || first.name === source.info.name) return source.columns;
  const other = await openSource(first, openOptions(run.options.reading, surroundings(run), null));
  try {
    return other.columns;
  } finally {
    await other.close();
  }
}

/** The sources, and no output that would overwrite one of them. */
async function findSources(run: Run, sources: readonly string[]): Promise<readonly SourceLocation[]> {
  const { options } = run;
  refuseOverwriting(options, sources);
  await assertOutputsWritable(options);
  run.mayWriteOutputs = true;
  const locations = await expandSources(sources, {
    ...expandOptions(options.reading, surroundings(run)),
    passedOver: (message) => run.progress.note(message),
  });
  try {
    refuseOverwriting(options, sourceNames(locations));
    return locations;
  } catch (error) {
    run.mayWriteOutputs = false;
    throw error;
  }
}

async function write(
  run: Run,
  schema: FeatureSchema,
  parts: readonly Part[],
  first: Source,
): Promise<Ending> {
  const { checkpoints } = run;
  const sink = failureSink(run.rejects);
  const accounts = createAccounts(
    run.ledger,
    checkpoints?.sink(sink) ?? sink,
    (message) => run.progress.note(message, 'retry'),
    checkpoints?.lowWater ?? null,
  );
  run.writer = await openWriter(run, schema, accounts).catch(async (error: unknown) => {
    if (isDataLoss(error)) await discardCheckpoint(run);
    throw error;
  });
  for (const warning of run.writer.plan.warnings) run.progress.note(warning);
  try {
    if (checkpoints) await checkpoints.start(run.rejects, run.writer);
    else run.rejects?.start();
    const ending = await ingest({
      sources: parts.map((part, i) => async () => {
        const source = i === 0 ? first : await open(run, part, schema);
        checkpoints?.opened(source, part);
        return source;
      }),
      compile: (source) => {
        const encoder = compile(run, schema, source);
        run.encoders.push(encoder);
        return run.watch?.watch.encoder(encoder) ?? encoder;
      },
      writer: run.writer,
      ledger: run.ledger,
      accounts,
      signal: run.io.signal,
      graceMs: GRACE_MS,
    });
    warnOfRows(run);
    return await saveEnding(run, ending);
  } finally {
    await run.writer.close();
  }
}

function surroundings({ io, options, progress }: Run): Surroundings {
  const { retryForMs } = options.connection;
  return { ...io, retryForMs, retrying: (message) => progress.note(message) };
}

/** A checkpoint that cannot be written makes the run fatal; an earlier fatal error is kept. */
async function saveEnding(run: Run, ending: Ending): Promise<Ending> {
  const { checkpoints, ledger, options } = run;
  const isRefused = options.failOnEmpty && ledger.counts().read === 0;
  try {
    if (ending.kind === 'fatal' && isDataLoss(ending.error)) await discardCheckpoint(run);
    else await checkpoints?.finish(ending.kind === 'complete' && !isRefused);
    return ending;
  } catch (error) {
    return ending.kind === 'fatal' ? ending : { kind: 'fatal', error };
  }
}

function isDataLoss(error: unknown): boolean {
  return error instanceof FeaturectlError && error.code === 'REDIS_DATA_LOSS';
}

/** What it counts is not in Redis any more. */
async function discardCheckpoint({ checkpoints, options, progress }: Run): Promise<void> {
  if (checkpoints === null) return;
  await checkpoints.discard();
  progress.note(`--checkpoint ${options.checkpoint}: removed, so that the next run begins at the start`);
}

async function open(run: Run, part: Part | undefined, schema: FeatureSchema | null): Promise<Source> {
  if (!part) throw new FeaturectlError('SOURCE_MISSING', 'expected at least one source, found none');
  const state = await fileState(part.location);
  const opened = await openSource(part.location, openOptions(run.options.reading, surroundings(run), schema));
  const source = withPool(ranged(opened, part.range), part, state, () => run.pool);
  run.track.opened(source);
  return source;
}

/** Warnings are shown once a run, however many files share them. */
function compile(run: Run, schema: FeatureSchema, source: Source): RowEncoder {
  const encoder = encoderOf(run, schema, source);
  warn(run, [...source.warnings, ...encoder.warnings]);
  return replaying(run, schema, encoder);
}

function failureSink(rejects: RejectsFile | null): FailureSink {
  return rejects ?? { write: () => {}, flush: async () => {} };
}

function sourceNames(locations: readonly SourceLocation[]): string[] {
  return locations.map((location) => location.name);
}

function showProgress(run: Run): void {
  sampleRows(run);
  warnOfRows(run);
  const { read, rejected, failed } = run.ledger.counts();
  const resumedRows = run.checkpoints?.saved?.counts.read ?? 0;
  run.progress.update({ rows: read, resumedRows, failures: rejected + failed, ...run.track.bytes() });
}
