/** `featurectl get`: the features of entities, with TTL and age, as a person or a script wants to see them. */
import { showBytes } from '../core/bytes-text.ts';
import { EXIT, FeaturectlError } from '../core/errors.ts';
import { type ReadOutcome, type StoredEntity, storedReader } from '../core/stored-entity.ts';
import { formatEntity } from '../output/entity.ts';
import { connect, readerOver } from '../redis/index.ts';
import { type FeatureSchema, toBytes } from '../schema/index.ts';
import { oneTryOptions } from './connection.ts';
import { entityKey, wholeKeyHint } from './entity-key.ts';
import type { GetOptions, Io } from './options.ts';
import { readSchema } from './resolve-schema.ts';

/** What is shown of an entity; `--json` prints it as one line. */
export interface EntityView {
  readonly entity: string;
  readonly key: string;
  readonly found: boolean;
  /** Seconds; null: the key does not expire, or is not there. */
  readonly ttl_seconds: number | null;
  /** Seconds since the event time; null where there is none. */
  readonly age_seconds: number | null;
  readonly features: Readonly<Record<string, unknown>>;
  /** Why this entity could not be read, such as a key of another type; then `found` is false. */
  readonly error?: string;
}

/** Exit code 0, or 1 where an entity is missing or cannot be read. */
export async function getCommand(options: GetOptions, io: Io): Promise<number> {
  const schema = options.schemaFile === null ? null : await readSchema(options.schemaFile);
  const keys = options.entities.map((entity) =>
    schema === null ? toBytes(plainKey(options, entity)) : entityKey(schema, entity),
  );
  const connection = await connect(await oneTryOptions(options.connection, io.signal));
  try {
    const reader = await readerOver(connection, connection.client);
    const stored = await storedReader(reader)(keys).finally(() => reader.close());
    const views = options.entities.map((entity, i) =>
      viewOf(schema, entity, keys[i] ?? '', stored[i] ?? null),
    );
    for (const view of views)
      io.stdout.write(options.json ? `${JSON.stringify(view)}\n` : formatEntity(view));
    const isAllFound = views.every((view) => view.found);
    if (!isAllFound && schema === null && options.prefix === '')
      io.stderr.write('featurectl: without --schema or --prefix an argument is the whole key\n');
    for (const { entity, found, error } of views) {
      const hint = schema === null || found || error !== undefined ? null : wholeKeyHint(schema, entity);
      if (hint !== null) io.stderr.write(`featurectl: ${hint}\n`);
    }
    return isAllFound ? EXIT.ok : EXIT.someFailed;
  } finally {
    await connection.close();
  }
}

/** Throws USAGE where there is no entity behind the prefix. */
function plainKey({ prefix }: GetOptions, entity: string): string {
  if (entity !== '') return `${prefix}${entity}`;
  throw new FeaturectlError('USAGE', 'entity "": expected text, found an empty one');
}

function viewOf(schema: FeatureSchema | null, entity: string, key: string, outcome: ReadOutcome): EntityView {
  const stored = outcome instanceof FeaturectlError ? null : outcome;
  return {
    entity,
    key: showBytes(key),
    found: stored !== null,
    ttl_seconds: stored?.ttlMs == null ? null : Math.round(stored.ttlMs / 1000),
    age_seconds: stored === null ? null : ageSeconds(schema, stored),
    features: stored === null ? {} : featuresOf(schema, stored),
    ...(outcome instanceof FeaturectlError ? { error: outcome.message } : {}),
  };
}

/** In the order of the schema, then what else the hash holds. */
function featuresOf(schema: FeatureSchema | null, { fields }: StoredEntity): Record<string, unknown> {
  const shown = new Map<string, unknown>();
  for (const feature of schema?.features ?? []) {
    const value = fields.get(feature.field);
    if (value !== undefined) shown.set(feature.name, feature.decode(value));
  }
  for (const [field, value] of fields) {
    const name = showBytes(field);
    if (!shown.has(name)) shown.set(name, showBytes(value));
  }
  // fromEntries defines properties, so that a field named __proto__ is one like any other.
  return Object.fromEntries(shown);
}

function ageSeconds(schema: FeatureSchema | null, { fields }: StoredEntity): number | null {
  if (schema === null || schema.eventTimeField === null) return null;
  const feature = schema.features[schema.eventTimeField];
  const text = feature && fields.get(feature.field);
  const at = text === undefined ? Number.NaN : (feature?.epochMs(text) ?? Number.NaN);
  return Number.isNaN(at) ? null : Math.round((Date.now() - at) / 1000);
}
