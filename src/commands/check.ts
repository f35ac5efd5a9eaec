/** `featurectl check`: how fresh and how full the keys of a schema are, for monitoring. */
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { EXIT, FeaturectlError } from '../core/errors.ts';
import { createFreshness, type Freshness } from '../core/freshness.ts';
import { createKeyPick } from '../core/key-pick.ts';
import { type StoredEntity, storedReader } from '../core/stored-entity.ts';
import type { ByteString } from '../core/types.ts';
import { whyUnread } from '../core/unread.ts';
import { type CheckFacts, checkReport, formatCheck } from '../output/check-report.ts';
import { type Connection, connect, readerOver, scanKeys } from '../redis/index.ts';
import { type FeatureSchema, keyMatcher, keyPattern } from '../schema/index.ts';
import { oneTryOptions } from './connection.ts';
import { entityKey } from './entity-key.ts';
import type { CheckOptions, Io } from './options.ts';
import { readInOrder, signalCode } from './read-in-order.ts';
import { readSchema } from './resolve-schema.ts';
import { assertApplicable, brokenThresholds } from './thresholds.ts';
import { packageVersion } from './version.ts';

/** Exit code 0, 1 where a threshold is broken, or of a signal. */
export async function checkCommand(options: CheckOptions, io: Io): Promise<number> {
  try {
    const facts = await check(options, io);
    io.stdout.write(options.json ? `${JSON.stringify(checkReport(facts))}\n` : formatCheck(facts));
    return facts.exitCode;
  } catch (error) {
    if (!io.signal.aborted) throw error;
    return signalCode(io.signal, EXIT.sigint);
  }
}

async function check(options: CheckOptions, io: Io): Promise<CheckFacts> {
  const schema = await readSchema(options.schemaFile);
  assertApplicable(options.thresholds, schema);
  const connection = await connect(await oneTryOptions(options.connection, io.signal));
  const stop = (): void => void connection.close();
  io.signal.addEventListener('abort', stop);
  try {
    return await gather(options, schema, connection);
  } finally {
    io.signal.removeEventListener('abort', stop);
    await connection.close();
  }
}

interface Counts {
  keys: number;
  read: number;
  otherType: number;
  otherKeys: number;
  missing: number;
}

async function gather(
  options: CheckOptions,
  schema: FeatureSchema,
  connection: Connection,
): Promise<CheckFacts> {
  const at = new Date();
  const features = schema.features.filter(({ stamp }) => stamp === null);
  const fresh = createFreshness({
    fields: features.map(({ field }) => field),
    eventTime: eventTimeOf(schema),
    now: at.getTime(),
  });
  const counts: Counts = { keys: 0, read: 0, otherType: 0, otherKeys: 0, missing: 0 };
  const pages =
    options.entities === null
      ? schemaKeys(schema, connection, counts)
      : entityKeys(options.entities, schema, counts);
  await readAll(sampled(pages, options.sample), connection, fresh, counts);
  const isScan = options.entities === null;
  // Keys that went between SCAN and the read are not there; with entities only those that are count.
  const count = isScan ? counts.keys - counts.missing : counts.read - counts.missing;
  const names = features.map(({ name }) => name);
  const broken = brokenThresholds(options.thresholds, count, fresh, names);
  return {
    version: packageVersion(),
    at,
    key: schema.key.text,
    freshness: fresh,
    features: names,
    hasEventTime: schema.eventTimeField !== null,
    count,
    read: counts.read - counts.missing,
    otherType: counts.otherType,
    otherKeys: counts.otherKeys,
    missing: isScan ? null : counts.missing,
    broken,
    exitCode: broken.length > 0 ? EXIT.someFailed : EXIT.ok,
  };
}

function eventTimeOf({ eventTimeField, features }: FeatureSchema): ((entity: StoredEntity) => number) | null {
  const feature = eventTimeField === null ? undefined : features[eventTimeField];
  if (feature === undefined) return null;
  return ({ fields }) => {
    const text = fields.get(feature.field);
    return text === undefined ? Number.NaN : feature.epochMs(text);
  };
}

interface Key {
  readonly key: ByteString;
}

async function* schemaKeys(
  schema: FeatureSchema,
  connection: Connection,
  counts: Counts,
): AsyncGenerator<readonly Key[]> {
  const isOwn = keyMatcher(schema);
  for await (const page of scanKeys(connection, keyPattern(schema))) {
    const own = page.filter(isOwn);
    counts.keys += own.length;
    counts.otherKeys += page.length - own.length;
    yield own.map((key) => ({ key }));
  }
}

/** Entities in one read. */
const PAGE = 500;

/** One entity a line; empty lines are none. */
async function* entityKeys(
  path: string,
  schema: FeatureSchema,
  counts: Counts,
): AsyncGenerator<readonly Key[]> {
  let page: Key[] = [];
  try {
    const lines = path === '-' ? createInterface({ input: process.stdin }) : (await open(path)).readLines();
    for await (const line of lines) {
      if (line === '') continue;
      page.push({ key: entityKey(schema, line) });
      counts.keys += 1;
      if (page.length < PAGE) continue;
      yield page;
      page = [];
    }
  } catch (error) {
    if (error instanceof FeaturectlError) throw error;
    const message = `--entities ${path}: expected a file with an entity a line, but ${whyUnread(error)}`;
    throw new FeaturectlError('SOURCE_READ', message, { cause: error });
  }
  yield page;
}

/** All keys, or at the end a sample of them that is the same each time. */
async function* sampled(pages: AsyncIterable<readonly Key[]>, size: number): AsyncGenerator<readonly Key[]> {
  if (size === Number.POSITIVE_INFINITY) {
    yield* pages;
    return;
  }
  const pick = createKeyPick<Key>(size, 0);
  for await (const page of pages) for (const item of page) pick.add(item.key, item);
  const chosen = pick.take();
  for (let from = 0; from < chosen.length; from += PAGE) yield chosen.slice(from, from + PAGE);
}

async function readAll(
  pages: AsyncIterable<readonly Key[]>,
  connection: Connection,
  fresh: Freshness,
  counts: Counts,
): Promise<void> {
  // SCAN has the connection's own client.
  const reader = await readerOver(connection, await connection.open());
  await readInOrder(pages, storedReader(reader), (_key, outcome) => {
    counts.read += 1;
    if (outcome === null) counts.missing += 1;
    else if (outcome instanceof Error) counts.otherType += 1;
    else fresh.add(outcome);
  }).finally(reader.close);
}
