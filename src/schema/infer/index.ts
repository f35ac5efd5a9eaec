/** A schema file from a source's columns and a sample of its rows. */
import { FeaturectlError } from '../../core/errors.ts';
import type { ColumnBatch, ColumnInfo, LogicalType } from '../../core/types.ts';
import { timeZone } from '../codecs/time-zone.ts';
import { compileEncoder } from '../compile.ts';
import { tokenSet, zoneProblem } from '../feature.ts';
import { parseSchema } from '../parse.ts';
import { parseTtl } from '../ttl.ts';
import { type DraftFacts, draftSchema } from './draft.ts';
import { chooseEntity } from './entity.ts';
import { createProfiler, type Profiler } from './profile.ts';

export interface InferOptions {
  /** Entity columns; empty: chosen by what the sample shows. */
  readonly key: readonly string[];
  readonly name: string;
  readonly prefix: string;
  /** Null: 24h, with a comment. */
  readonly ttl: string | null;
  /** Null: times without a zone stay text in CSV, and are taken as UTC in typed columns. */
  readonly timezone: string | null;
  readonly nullTokens: readonly string[];
}

export interface SampleFacts {
  readonly by: string;
  readonly source: string;
  readonly isAll: boolean;
  readonly warnings: readonly string[];
}

export interface Inference {
  /** Indexes of the columns to read. */
  readonly selected: readonly number[];
  /** The first `rows` rows of a batch of the selected columns. */
  add(batch: ColumnBatch, rows: number): void;
  /** The text of the schema file, which has been read back and fits the source. */
  draft(facts: SampleFacts): string;
}

/** Throws USAGE for options of the wrong form, COLUMN for a key that is no column. */
export function startInference(options: InferOptions, columns: readonly ColumnInfo[]): Inference {
  checkOptions(options, columns);
  const timezone = zoneOf(options, columns);
  const zone = timezone === null ? null : timeZone(timezone.name);
  const tokens = tokenSet(options.nullTokens);
  const selected = columns.flatMap(({ name }, i) => (name !== '' && isOnly(name, columns) ? [i] : []));
  const profilers = selected.map((i): Profiler => createProfiler(columns[i] as ColumnInfo, zone, tokens));
  let rows = 0;
  let faults = 0;
  let firstFault: string | null = null;
  return {
    selected,
    add: (batch, some) => {
      const bad = [...(batch.faults ?? [])].filter(([row]) => row < some);
      const [first] = bad;
      if (first) firstFault ??= `at line ${batch.line(first[0])}: ${first[1].code}: ${first[1].reason}`;
      rows += some;
      faults += bad.length;
      batch.columns.forEach((column, i) => void profilers[i]?.add(column, some, batch));
    },
    draft: (facts) => {
      const profiles = profilers.map((profiler) => profiler.profile());
      const entity = chooseEntity(profiles, rows - faults, options.key, options.prefix);
      const warnings = [...facts.warnings, ...unreadable(columns)];
      const text = draftSchema(
        { ...options, ...facts, warnings, rows, faults, firstFault, timezone, entity },
        profiles,
      );
      prove(text, columns);
      return text;
    },
  };
}

function checkOptions({ key, ttl, timezone }: InferOptions, columns: readonly ColumnInfo[]): void {
  const fail = (message: string): never => {
    throw new FeaturectlError('USAGE', message);
  };
  const names = columns.map(({ name }) => name);
  const absent = key.filter((name) => !names.includes(name) && name !== '_row' && name !== '_source');
  if (absent.length > 0) {
    throw new FeaturectlError(
      'COLUMN',
      `--key: expected a column of the source, found "${absent.join('", "')}"; its columns are ${names.slice(0, 20).join(', ')}`,
    );
  }
  const odd = key.filter((name) => /[{}]/.test(name));
  if (odd.length > 0)
    fail(`--key: expected names without braces, found "${odd.join('", "')}"; rename the column`);
  const ttlProblem = ttl === null ? 0 : parseTtl(ttl);
  if (typeof ttlProblem === 'string') fail(`--ttl: ${ttlProblem}`);
  if (timezone !== null && timeZone(timezone) === null) fail(`--timezone: ${zoneProblem(timezone)}`);
}

function zoneOf({ timezone }: InferOptions, columns: readonly ColumnInfo[]): DraftFacts['timezone'] {
  if (timezone !== null) return { name: timezone, isAssumed: false };
  const isNeeded = columns.some(({ type }) => type !== 'text' && holdsWallTimes(type));
  return isNeeded ? { name: 'UTC', isAssumed: true } : null;
}

function holdsWallTimes(type: LogicalType): boolean {
  if (type.kind === 'timestamp') return !type.zoned;
  if (type.kind === 'list') return holdsWallTimes(type.item);
  if (type.kind === 'map') return holdsWallTimes(type.key) || holdsWallTimes(type.value);
  return type.kind === 'struct' && type.fields.some((field) => holdsWallTimes(field.type));
}

function isOnly(name: string, columns: readonly ColumnInfo[]): boolean {
  return columns.filter((column) => column.name === name).length === 1;
}

function unreadable(columns: readonly ColumnInfo[]): string[] {
  const names = new Set(
    columns.map(({ name }) => name).filter((name) => name !== '' && !isOnly(name, columns)),
  );
  return [...names].map((name) => `column ${JSON.stringify(name)} is left out: it stands more than once`);
}

/** The draft is a schema that takes these columns; anything else is a bug of ours. */
function prove(text: string, columns: readonly ColumnInfo[]): void {
  try {
    const schema = parseSchema(text, 'the inferred schema');
    compileEncoder(schema, columns, { sourceName: 'the source', startedAt: 0, mode: 'merge' });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FeaturectlError('INTERNAL', `the inferred schema is not valid: ${reason}\n${text}`, {
      cause: error,
    });
  }
}
