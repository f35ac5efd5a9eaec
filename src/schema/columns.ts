/** Which source column each part of a schema reads; everything that does not fit is told at once. */
import { type ErrorCode, FeaturectlError } from '../core/errors.ts';
import type { ColumnInfo, LogicalType } from '../core/types.ts';
import type { TypedCodec } from './codecs/codec.ts';
import { scalarText } from './codecs/string.ts';
import type { WallToUtc } from './codecs/time-zone.ts';
import { folderAdvice } from './folder-columns.ts';
import { headerAdvice, otherDelimiter } from './header.ts';
import { nearest } from './problems.ts';
import type { FeatureSchema } from './types.ts';

/** Indexes into the source's columns; null: the column is absent (and may be) or the feature reads none. */
export interface ColumnPlan {
  readonly keys: ReadonlyMap<string, number>;
  readonly features: readonly (number | null)[];
}

/** Throws COLUMN for missing columns, else TYPE for columns of a type that cannot be taken. */
export function planColumns(
  schema: FeatureSchema,
  columns: readonly ColumnInfo[],
  source: string,
): ColumnPlan {
  const index = new Map<string, number>();
  for (const [i, { name }] of columns.entries()) if (!index.has(name)) index.set(name, i);
  const missing = [
    ...schema.key.columns.filter((name) => !index.has(name)).map((name) => ({ name, by: 'key' })),
    ...schema.features
      .map(({ from, name, required }, i) => ({
        from,
        required,
        by: i === schema.eventTimeField ? 'event_time' : `feature ${name}`,
      }))
      .filter(({ from, required }) => from !== null && required && !index.has(from))
      .map(({ from, by }) => ({ name: from ?? '', by })),
  ];
  if (missing.length > 0)
    throwAll(
      'COLUMN',
      source,
      missingLines(
        source,
        missing,
        columns.map(({ name }) => name),
      ),
    );
  const misfits = [...keyMisfits(schema, columns, index), ...featureMisfits(schema, columns, index)];
  if (misfits.length > 0) throwAll('TYPE', source, misfits);
  return {
    keys: new Map(schema.key.columns.map((name) => [name, index.get(name) ?? 0])),
    features: schema.features.map(({ from }) => (from === null ? null : (index.get(from) ?? null))),
  };
}

function throwAll(code: ErrorCode, source: string, lines: readonly string[]): never {
  const list = lines.length === 1 ? ` ${lines[0]}` : `\n${lines.map((line) => `  ${line}`).join('\n')}`;
  throw new FeaturectlError(code, `${source}:${list}`);
}

interface Missing {
  readonly name: string;
  /** What wants it. */
  readonly by: string;
}

/** Missing columns that are named; a wrong file lacks all of them, and its columns say so better. */
const NAMED = 20;

/** The columns that there are stand once, after those that are not. */
function missingLines(source: string, missing: readonly Missing[], names: readonly string[]): string[] {
  const nears = missing.map(({ name }) => nearest(name, names));
  const isOnly = missing.length === 1 && nears[0] === null;
  const lines = missing.map(({ name, by }, i) => {
    const near = nears[i] ?? null;
    const found = near === null ? 'none' : `${quoted(near)}: did you mean that?`;
    return `expected a column ${quoted(name)} (${by}), found ${found}${isOnly ? '' : folderAdvice(source, name)}`;
  });
  if (nears.every((near) => near !== null)) return capped(lines);
  if (isOnly) {
    const advice = folderAdvice(source, missing[0]?.name ?? '');
    return [`${lines[0]?.replace(/none$/, '')}only ${foundColumns(names)}${advice}`];
  }
  return [
    ...capped(lines),
    `its columns are ${foundColumns(names)}; correct the schema (from: names a column), or the file`,
  ];
}

function capped(lines: readonly string[]): string[] {
  if (lines.length <= NAMED) return [...lines];
  return [...lines.slice(0, NAMED), `and ${lines.length - NAMED} more columns that are not there`];
}

function foundColumns(names: readonly string[]): string {
  const more = names.length > NAMED ? `, … (${names.length} in all)` : '';
  const delimiter = names.length === 1 ? otherDelimiter(names[0] ?? '') : null;
  const advice = delimiter === null ? headerAdvice(names) : `; give --delimiter ${delimiter}`;
  return `${names.slice(0, NAMED).map(quoted).join(', ')}${more}${advice}`;
}

function keyMisfits(
  schema: FeatureSchema,
  columns: readonly ColumnInfo[],
  index: ReadonlyMap<string, number>,
): string[] {
  return schema.key.columns.flatMap((name) => {
    const type = columns[index.get(name) ?? 0]?.type ?? 'text';
    const codec = type === 'text' ? null : keyCodec(type, schema.zone);
    return typeof codec === 'string' && type !== 'text'
      ? [`key column ${quoted(name)} is ${describeType(type)}, which is no entity: ${codec}`]
      : [];
  });
}

/** The text of an entity. A float is refused: 1 and 1.0 would be one entity or two by chance. */
export function keyCodec(type: LogicalType, zone: WallToUtc | null): TypedCodec | string {
  if (type.kind === 'float') {
    return 'cast it to an integer or string when the file is written (pandas: astype("Int64"))';
  }
  if (type.kind === 'binary') return (value) => value as string;
  return scalarText(type, zone, false);
}

function featureMisfits(
  schema: FeatureSchema,
  columns: readonly ColumnInfo[],
  index: ReadonlyMap<string, number>,
): string[] {
  return schema.features.flatMap(({ name, from, type, codec }) => {
    const column = from === null ? undefined : columns[index.get(from) ?? -1];
    if (!column || column.type === 'text') return [];
    const typed = codec.typed(column.type);
    if (typeof typed !== 'string') return [];
    return [
      `column ${quoted(column.name)} is ${describeType(column.type)}, which feature ${name} cannot store as ${type}: ${typed}`,
    ];
  });
}

/** A name as it stands in the file, blanks and all. */
function quoted(name: string): string {
  return JSON.stringify(name);
}

/** A type as users know it, such as `list<float32>` or `timestamp[us] without zone`. */
export function describeType(type: LogicalType): string {
  switch (type.kind) {
    case 'int':
      return `${type.signed ? 'int' : 'uint'}${type.bits}`;
    case 'float':
      return `float${type.bits}`;
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'timestamp':
      return `timestamp[${type.unit}]${type.zoned ? '' : ' without zone'}`;
    case 'list':
      return `list<${describeType(type.item)}>`;
    case 'struct':
      return `struct<${type.fields.map((field) => field.name).join(', ')}>`;
    case 'map':
      return `map<${describeType(type.key)}, ${describeType(type.value)}>`;
    default:
      return type.kind;
  }
}
