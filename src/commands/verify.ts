/** `featurectl verify`: reads the sources again and compares with what Redis holds. */
import { EXIT, FeaturectlError } from '../core/errors.ts';
import { createRowSample, type ExpectedRow } from '../core/expectations.ts';
import type { FeatureReader } from '../core/feature-reader.ts';
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
import { connect, createReader } from '../redis/index.ts';
import type { FeatureSchema } from '../schema/index.ts';
import { expandSources, openSource, type SourceLocation } from '../sources/index.ts';
import { oneTryOptions } from './connection.ts';
import type { Io, VerifyOptions } from './options.ts';
import { refuseOverwriting } from './output-paths.ts';
import { readInOrder, signalCode } from './read-in-order.ts';
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
    try {
      /** The first source stands open already when it is read for the first time. */
      const sources = locations.map((location, i) => async () => {
        if (i > 0 || isTaken) return open(location, i === 0 ? declared : schema);
        isTaken = true;
        return first;
      });
      const found = await compareAll(options, schema, sources, names, createReader(connection));
      const facts = gatherFacts(options, names, startedAt, found);
      await show(facts, options, io);
      return facts.exitCode;
    } finally {
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

type Sources = readonly (() => Promise<Source>)[];

/** Pass after pass where more keys differ than can be held; see core/verdicts.ts. */
async function compareAll(
  options: VerifyOptions,
  schema: FeatureSchema,
  sources: Sources,
  names: readonly string[],
  reader: FeatureReader,
): Promise<Found> {
  const verdicts = createVerdicts({
    fields: schema.fields,
    ignored: new Set(schema.features.flatMap(({ stamp }, i) => (stamp === null ? [] : [i]))),
    isReplace: options.mode === 'replace',
    hasTtl: schema.ttlMs > 0,
    limit: options.heldKeys ?? HELD_KEYS,
  });
  const counts = noDifferences();
  const fields = new Set(schema.fields);
  let first: readonly KeyDifference[] = [];
  let total: { rows: RowCounts; compared: number } | null = null;
  for (;;) {
    const rows: RowCounts = { read: 0, rejected: 0, empty: 0 };
    const batches = sampled(options, readRows(sources, schema, options.mode, rows));
    const compared = await compareRows(batches, reader, verdicts);
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

/** All rows, or at the end those of a sample of keys. */
async function* sampled(
  { sample, seed, mode }: VerifyOptions,
  batches: AsyncIterable<readonly ExpectedRow[]>,
): AsyncGenerator<readonly ExpectedRow[]> {
  if (sample === Number.POSITIVE_INFINITY) {
    yield* batches;
    return;
  }
  const chosen = createRowSample(sample, seed, mode === 'replace');
  for await (const rows of batches) for (const row of rows) chosen.add(row);
  const rows = chosen.take();
  for (let at = 0; at < rows.length; at += SAMPLE_READ) yield rows.slice(at, at + SAMPLE_READ);
}

/** Keys of a sample in one read. */
const SAMPLE_READ = 500;

/** Rows in file order. Gives how many were compared. */
async function compareRows(
  batches: AsyncIterable<readonly ExpectedRow[]>,
  reader: FeatureReader,
  verdicts: Verdicts,
): Promise<number> {
  let compared = 0;
  async function* watched(): AsyncGenerator<readonly ExpectedRow[]> {
    for await (const rows of batches) yield rows.filter(({ key }) => verdicts.watches(key));
  }
  await readInOrder(watched(), reader, (row, outcome) => {
    verdicts.add(row, outcome);
    compared += 1;
  });
  return compared;
}

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
