import { TimeUnit as ArrowUnit, DataType, DateUnit, type Field, type Schema } from 'apache-arrow';
import type { LogicalType, TimeUnit } from '../core/types.ts';
import type { LeafOverride } from './parquet/elements.ts';
import { type KnownColumn, type TypedColumns, typedColumns } from './typed-columns.ts';

/** Takes the overrides of a Parquet file's leaves one after another, in the order of its schema. */
export interface LeafCursor {
  readonly leaves: readonly (LeafOverride | null)[];
  at: number;
}

const NO_LEAVES: LeafCursor = { leaves: [], at: 0 };

/** Columns of a type that featurectl does not read are left out, with a warning. */
export function arrowColumns(
  source: string,
  schema: Schema,
  leaves: readonly (LeafOverride | null)[],
): TypedColumns {
  const cursor: LeafCursor = { leaves, at: 0 };
  const known: KnownColumn[] = [];
  const warnings: string[] = [];
  for (const field of schema.fields) {
    const { name } = field;
    const type = logicalType(field, cursor);
    if (type !== null) known.push({ name, type });
    else warnings.push(`column ${JSON.stringify(name)} is not read: its type ${field.type} has no text form`);
  }
  return typedColumns(source, namesOf(schema), known, warnings);
}

export function namesOf(schema: Schema): readonly string[] {
  return schema.fields.map((field) => field.name);
}

/** The logical type of an Arrow field; null for a type that featurectl does not read (union, interval). */
export function logicalType(field: Field, cursor: LeafCursor = NO_LEAVES): LogicalType | null {
  const type: DataType = field.type;
  if (DataType.isDictionary(type)) return scalar(type.dictionary, field, cursor);
  if (DataType.isList(type) || DataType.isLargeList(type)) return list(type.children[0], null, cursor);
  if (DataType.isFixedSizeList(type)) return list(type.children[0], type.listSize, cursor);
  if (DataType.isMap(type)) return map(type.children[0], cursor);
  if (DataType.isStruct(type)) return struct(type.children, cursor);
  return scalar(type, field, cursor);
}

function list(item: Field | undefined, size: number | null, cursor: LeafCursor): LogicalType | null {
  const inner = item === undefined ? null : logicalType(item, cursor);
  return inner === null ? null : { kind: 'list', item: inner, size };
}

function map(entries: Field | undefined, cursor: LeafCursor): LogicalType | null {
  const type = entries === undefined ? null : logicalType(entries, cursor);
  if (type?.kind !== 'struct') return null;
  const [key, value] = type.fields;
  return key === undefined || value === undefined ? null : { kind: 'map', key: key.type, value: value.type };
}

function struct(children: readonly Field[], cursor: LeafCursor): LogicalType | null {
  const types = children.map((child) => ({ name: child.name, type: logicalType(child, cursor) }));
  const fields = types.flatMap(({ name, type }) => (type === null ? [] : [{ name, type }]));
  return fields.length === types.length ? { kind: 'struct', fields } : null;
}

function scalar(type: DataType, field: Field, cursor: LeafCursor): LogicalType | null {
  const override = cursor.leaves[cursor.at++] ?? null;
  if (override !== null) return overridden(override);
  if (field.metadata.get('ARROW:extension:name') === 'arrow.uuid') return { kind: 'uuid' };
  return plainScalar(type) ?? timeScalar(type);
}

function overridden(override: LeafOverride): LogicalType {
  if (override.kind === 'int96') return { kind: 'timestamp', unit: 'ns', zoned: false };
  if (override.kind === 'uuid' || override.kind === 'utf8') return { kind: override.kind };
  return { kind: 'decimal', precision: override.precision, scale: override.scale };
}

function plainScalar(type: DataType): LogicalType | null {
  if (DataType.isNull(type)) return { kind: 'null' };
  if (DataType.isBool(type)) return { kind: 'bool' };
  if (DataType.isInt(type)) return { kind: 'int', bits: type.bitWidth, signed: type.isSigned };
  if (DataType.isFloat(type)) return { kind: 'float', bits: FLOAT_BITS[type.precision]! };
  if (DataType.isDecimal(type)) return { kind: 'decimal', precision: type.precision, scale: type.scale };
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type))
    return { kind: 'utf8' };
  if (DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isBinaryView(type)) {
    return { kind: 'binary', size: null };
  }
  return DataType.isFixedSizeBinary(type) ? { kind: 'binary', size: type.byteWidth } : null;
}

const FLOAT_BITS = [16, 32, 64] as const;

function timeScalar(type: DataType): LogicalType | null {
  if (DataType.isDate(type)) return { kind: 'date' };
  if (DataType.isTime(type)) return { kind: 'time', unit: unitName(type.unit) };
  if (DataType.isDuration(type)) return { kind: 'duration', unit: unitName(type.unit) };
  if (!DataType.isTimestamp(type)) return null;
  return { kind: 'timestamp', unit: unitName(type.unit), zoned: (type.timezone ?? '') !== '' };
}

/** True where a date is stored in milliseconds instead of days. */
export function isDateInMilliseconds(type: DataType): boolean {
  return DataType.isDate(type) && type.unit === DateUnit.MILLISECOND;
}

function unitName(unit: ArrowUnit): TimeUnit {
  if (unit === ArrowUnit.SECOND) return 's';
  if (unit === ArrowUnit.MILLISECOND) return 'ms';
  return unit === ArrowUnit.MICROSECOND ? 'us' : 'ns';
}
