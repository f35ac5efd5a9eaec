/** `featurectl verify`: reads the sources again and compares with what Redis holds. */
import { EXIT, FeaturectlError } from '../core/errors.ts';
import { createRowSample, type ExpectedRow, type ExpectedRows } from '../core/expectations.ts';
import type { PairReader } from '../core/feature-reader.ts';
import { createRowMatcher, type RowMatcher } from '../core/match-row.ts';
import { type ReadStored, storedReader } from '../core/stored-entity.ts';
import type { Source } from '../core/types.ts';
import { createVerdicts, type KeyDifference, type Verdicts } from '../core/verdicts.ts';
import {
  countDifferences,
  type DifferenceCounts,
  formatVerify,
  noDifferences,
  type VerifyFacts,
  verifyReport,
} from '../output/verify-report.ts';
import { assertWritable, writeWhole } from '../output/whole-file.ts';
import { connect, createPairReader, readerOver } from '../redis/index.ts';
import type { FeatureSchema } from '../schema/index.ts';
import { expandSources, openSource, type SourceLocation } from '../sources/index.ts';
import { compareByBytes, compareOneByOne } from './compare-rows.ts';
import { oneTryOptions } from './connection.ts';
import type { Io, VerifyOptions } from './options.ts';
import { refuseOverwriting } from './output-paths.ts';
import { signalCode } from './read-in-order.ts';
import { type RowCounts, readRows } from './read-rows.ts';
import { expandOptions, openOptions } from './reading.ts';
import { declaredSchema, schemaOf } from './resolve-schema.ts';
import { packageVersion } from './version.ts';

/** Differing keys that are held at once, with up to SHOWN_BYTES of each differing value. */
const HELD_KEYS = 100_000;

/** Exit code 0, 1 where something differs, or of a signal. */
export async function verifyCommand(options: VerifyOptions, io: Io): Promise<number> {
  try {
    return await verify(options, io);
  } catch (error) {
    if (!io.signal.aborted) throw error;
    return signalCode(io.signal, EXIT.sigint);
  }
}

async function verify(options: VerifyOptions, io: Io): Promise<number> {
  const startedAt = new Date();
  const surroundings = { ...io, retryForMs: options.connection.retryForMs };
  const locations = await expandSources(options.sources, expandOptions(options.reading, surroundings));
  const names = locations.map(({ name }) => name);
  refuseOverwriting(
    { connection: options.connection, schema: options.schema, report: options.report },
    names,
  );
  if (options.report !== null) await assertWritable('the report', options.report);
  const declared = await declaredSchema(options.schema);
  const open = (location: SourceLocation, schema: FeatureSchema | null): Promise<Source> =>
    openSource(location, openOptions(options.reading, surroundings, schema));
  const first = await open(locations[0] as SourceLocation, declared);
  let isTaken = false;
  try {
    const schema = declared ?? schemaOf(options.schema, first.columns);
    const connection = await connect(await oneTryOptions(options.connection, io.signal));
    const reader = await readerOver(connection, connection.client);
    const pairs = connection.cluster ? null : createPairReader(connection);
    try {
      /** The first source stands open already when it is read for the first time. */
      const sources = locations.map((location, i) => async () => {
        if (i > 0 || isTaken) return open(location, i === 0 ? declared : schema);
        isTaken = true;
        return first;
      });
      const found = await compareAll(options, schema, sources, names, {
        read: storedReader(reader),
        pairs,
      });
      const facts = gatherFacts(options, names, startedAt, found);
      await show(facts, options, io);
      return facts.exitCode;
    } finally {
      pairs?.close();
      await reader.close();
      await connection.close();
    }
  } finally {
    if (!isTaken) await first.close();
  }
}

interface Found {
  readonly rows: RowCounts;
  readonly compared: number;
  readonly share: number;
  readonly counts: DifferenceCounts;
  readonly first: readonly KeyDifference[];
}

interface Readers {
  readonly read: ReadStored;
  /** Null: a Cluster, whose keys are on several servers. */
  readonly pairs: PairReader | null;
}

type Sources = readonly (() => Promise<Source>)[];

/** Pass after pass where more keys differ than can be held; see core/verdicts.ts. */
async function compareAll(
  options: VerifyOptions,
  schema: FeatureSchema,
  sources: Sources,
  names: readonly string[],
  readers: Readers,
): Promise<Found> {
  const judging = {
    fields: schema.fields,
    ignored: new Set(schema.features.flatMap(({ stamp }, i) => (stamp === null ? [] : [i]))),
    isReplace: options.mode === 'replace',
    hasTtl: schema.ttlMs > 0,
    limit: options.heldKeys ?? HELD_KEYS,
  };
  const verdicts = createVerdicts(judging);
  const matches = createRowMatcher(judging);
  const counts = noDifferences();
  const fields = new Set(schema.fields);
  let first: readonly KeyDifference[] = [];
  let total: { rows: RowCounts; compared: number } | null = null;
  for (;;) {
    const rows: RowCounts = { read: 0, rejected: 0, empty: 0 };
    const batches = readRows(sources, schema, rows);
    const compared = await compareOnce(options, batches, readers, matches, verdicts);
    total ??= { rows, compared };
    const { differences, isDone, share } = verdicts.finish();
    countDifferences(differences, fields, counts);
    first = [...first, ...differences.slice(0, Math.max(0, options.show - first.length))];
    // The answer is no already; more passes would only count on.
    if (isDone || counts.differing > 0) return { ...total, share, counts, first };
    refuseSecondPass(names);
  }
}

function refuseSecondPass(names: readonly string[]): void {
  if (!names.includes('-')) return;
  throw new FeaturectlError(
    'SOURCE_READ',
    `-: expected a file, which can be read more than once, found standard input: over ${HELD_KEYS} of its keys were open at once; give a file, or --sample`,
  );
}

/** One pass over the sources. Gives how many rows were compared. */
async function compareOnce(
  options: VerifyOptions,
  batches: AsyncIterable<ExpectedRows>,
  { read, pairs }: Readers,
  matches: RowMatcher,
  verdicts: Verdicts,
): Promise<number> {
  const isSample = options.sample !== Number.POSITIVE_INFINITY;
  if (pairs !== null && !isSample && verdicts.watchesAll) {
    return compareByBytes(batches, pairs, read, matches, verdicts);
  }
  const rows = isSample ? sampled(options, batches) : allRows(batches);
  return compareOneByOne(rows, read, verdicts);
}

async function* allRows(batches: AsyncIterable<ExpectedRows>): AsyncGenerator<readonly ExpectedRow[]> {
  for await (const batch of batches) yield Array.from({ length: batch.count }, (_, i) => batch.row(i));
}

/** At the end, the rows of a sample of keys. */
async function* sampled(
  { sample, seed, mode }: VerifyOptions,
  batches: AsyncIterable<ExpectedRows>,
): AsyncGenerator<readonly ExpectedRow[]> {
  const chosen = createRowSample(sample, seed, mode === 'replace');
  for await (const batch of batches) for (let i = 0; i < batch.count; i += 1) chosen.add(batch, i);
  const rows = chosen.take();
  for (let at = 0; at < rows.length; at += SAMPLE_READ) yield rows.slice(at, at + SAMPLE_READ);
}

/** Keys of a sample in one read. */
const SAMPLE_READ = 500;

function gatherFacts(
  { mode, sample, seed }: VerifyOptions,
  sources: readonly string[],
  startedAt: Date,
  found: Found,
): VerifyFacts {
  return {
    ...found,
    version: packageVersion(),
    startedAt,
    endedAt: new Date(),
    exitCode: found.counts.differing > 0 ? EXIT.someFailed : EXIT.ok,
    sources,
    mode,
    sample: sample === Number.POSITIVE_INFINITY ? null : { size: sample, seed },
  };
}

async function show(facts: VerifyFacts, { json, report }: VerifyOptions, io: Io): Promise<void> {
  const form = verifyReport(facts);
  if (json) io.stdout.write(`${JSON.stringify(form)}\n`);
  else if (report !== '-') io.stdout.write(formatVerify(facts));
  if (report !== null)
    await writeWhole('the report', report, `${JSON.stringify(form, null, 2)}\n`, io.stdout);
}
