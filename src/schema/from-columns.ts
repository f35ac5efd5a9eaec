/** A schema from a few options and the columns of a source: every column that is no key is a feature. */
import { FeaturectlError } from '../core/errors.ts';
import type { ColumnInfo, ColumnType } from '../core/types.ts';
import { toBytes } from './codecs/codec.ts';
import { timeZone } from './codecs/time-zone.ts';
import { buildFeature, tokenSet, zoneProblem } from './feature.ts';
import { type KeyPart, type KeyTemplate, keyTemplate, partOf } from './key-template.ts';
import { collectProblems } from './problems.ts';
import { parseJitter, parseTtl } from './ttl.ts';
import type { FeatureSchema } from './types.ts';

export interface ColumnSchemaOptions {
  /** Entity columns; `_row` and `_source` as in a key template. */
  readonly key: readonly string[];
  readonly prefix: string;
  readonly ttl: string;
  readonly ttlJitter?: string;
  readonly timezone?: string;
  readonly allowNonfinite?: boolean;
  readonly nullTokens?: readonly string[];
}

/** What a mended rejects file has besides its rows; never features. */
export const REJECT_COLUMNS = ['_source', '_line', '_stage', '_code', '_column', '_reason'];

/** Names that pandas gives to an index without one when it writes or reads it. */
export function isPandasIndex(name: string): boolean {
  return /^(?:Unnamed: \d+|__index_level_\d+__)$/.test(name);
}

/** Throws SCHEMA for options of the wrong form, COLUMN where no column is left to be a feature. */
export function schemaFromColumns(
  options: ColumnSchemaOptions,
  columns: readonly ColumnInfo[],
): FeatureSchema {
  const problems = collectProblems('the command line');
  const ttlMs = parseTtl(options.ttl);
  if (typeof ttlMs === 'string') problems.add(['--ttl'], ttlMs);
  const jitter = options.ttlJitter === undefined ? 0 : parseJitter(options.ttlJitter, ttlMs);
  if (typeof jitter === 'string') problems.add(['--ttl-jitter'], jitter);
  const zone = options.timezone === undefined ? null : timeZone(options.timezone);
  if (options.timezone !== undefined && !zone) problems.add(['--timezone'], zoneProblem(options.timezone));
  const key = templateOf(options);
  if (typeof key === 'string') problems.add(['--key'], key);
  const tokens = tokenSet(options.nullTokens ?? ['']);
  const features = featureColumns(options.key, columns).map(({ name, type }) =>
    buildFeature(name, formOf(type, options.allowNonfinite ?? false), {
      zone,
      policy: 'skip',
      tokens,
      problem: (option, message) => problems.add([name, option], message),
    }),
  );
  problems.throwIfAny();
  const warnings = features.filter(({ name }) => isPandasIndex(name)).map(({ name }) => indexWarning(name));
  return {
    ...(warnings.length > 0 ? { warnings } : {}),
    name: options.prefix,
    key: key as KeyTemplate,
    ttlMs: ttlMs as number,
    ttlJitter: jitter as number,
    features,
    fields: features.map((feature) => feature.field),
    eventTimeField: null,
    nullTokens: tokens,
    zone,
    leftOut: leftOutOf(columns),
  };
}

/** Columns that the first source has not: they would be left out without a word. */
function leftOutOf(first: readonly ColumnInfo[]): (columns: readonly ColumnInfo[]) => readonly string[] {
  const known = new Set([...first.map(({ name }) => name), ...REJECT_COLUMNS]);
  return (columns) =>
    columns
      .filter(({ name }) => name !== '' && !known.has(name))
      .map(
        ({ name }) =>
          `column ${JSON.stringify(name)} is not stored: without a schema file the features are the columns of the ` +
          'first source, which does not have it; draft one with featurectl infer, and add it',
      );
}

/** The prefix, then the parts joined by colons. */
function templateOf({ key, prefix }: ColumnSchemaOptions): KeyTemplate | string {
  const parts: KeyPart[] = prefix === '' ? [] : [{ kind: 'literal', bytes: toBytes(prefix) }];
  key.forEach((name, i) => {
    if (i > 0) parts.push({ kind: 'literal', bytes: ':' });
    parts.push(partOf(name));
  });
  const text = `${prefix}${key.map((name) => `{${name}}`).join(':')}`;
  return keyTemplate(text, parts);
}

function featureColumns(key: readonly string[], columns: readonly ColumnInfo[]): readonly ColumnInfo[] {
  const names = new Set(columns.map((column) => column.name));
  const isMended = REJECT_COLUMNS.every((name) => names.has(name));
  // The index of pandas comes first and has no name; the source warns of it. Elsewhere a name was forgotten: refused there.
  const indexes = columns.findIndex(({ name }) => name !== '');
  const features = columns.filter(
    ({ name }, i) => i >= indexes && !key.includes(name) && !(isMended && REJECT_COLUMNS.includes(name)),
  );
  if (features.length > 0) return features;
  throw new FeaturectlError(
    'COLUMN',
    `expected a column besides the key (${key.join(', ')}) to be a feature, found none`,
  );
}

function indexWarning(name: string): string {
  return `column ${JSON.stringify(name)} is stored as a feature, but has the name of an index that pandas wrote; leave it out there (index=False), or by a schema file (featurectl infer SOURCE)`;
}

/** Each column's own type: text stays text, lists, structs and maps become JSON. */
function formOf(type: ColumnType, allowNonfinite: boolean): { type: string; allow_nonfinite?: boolean } {
  const name = typeOf(type);
  return /^(?:float|json)/.test(name) ? { type: name, allow_nonfinite: allowNonfinite } : { type: name };
}

export function typeOf(type: ColumnType): string {
  if (type === 'text') return 'string';
  switch (type.kind) {
    case 'int':
      return `${type.signed ? 'int' : 'uint'}${type.bits}`;
    case 'float':
      return type.bits === 64 ? 'float64' : 'float32';
    case 'bool':
    case 'decimal':
    case 'date':
    case 'timestamp':
      return type.kind;
    case 'duration':
      return 'int64';
    case 'binary':
      return 'bytes';
    case 'list':
    case 'struct':
    case 'map':
      return 'json';
    default:
      return 'string';
  }
}
