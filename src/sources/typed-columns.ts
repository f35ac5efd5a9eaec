import type { Schema } from 'apache-arrow';
import { FeaturectlError } from '../core/errors.ts';
import type { ColumnInfo, LogicalType } from '../core/types.ts';
import { type LeafCursor, logicalType } from './arrow-types.ts';
import type { LeafOverride } from './parquet/elements.ts';

/** A column that was asked for, and where it stands in the record batch. */
export interface TypedSelection {
  readonly name: string;
  readonly type: LogicalType;
  readonly index: number;
}

/** The columns of a typed source and how a selection finds them in a record batch. */
export interface TypedColumns {
  readonly infos: readonly ColumnInfo[];
  readonly warnings: readonly string[];
  /** Names to ask the decoder for. Throws COLUMN where one of them stands for several columns. */
  select(selected: readonly number[]): readonly string[];
  selection(selected: readonly number[], schema: Schema): readonly TypedSelection[];
}

interface Known {
  readonly name: string;
  readonly type: LogicalType;
}

/** Columns of a type that featurectl does not read are left out, with a warning. */
export function typedColumns(
  source: string,
  schema: Schema,
  leaves: readonly (LeafOverride | null)[],
): TypedColumns {
  const cursor: LeafCursor = { leaves, at: 0 };
  const known: Known[] = [];
  const warnings: string[] = [];
  for (const field of schema.fields) {
    const type = logicalType(field, cursor);
    if (type !== null) known.push({ name: field.name, type });
    else
      warnings.push(
        `column ${JSON.stringify(field.name)} is not read: its type ${field.type} has no text form`,
      );
  }
  return {
    infos: known,
    warnings,
    select: (selected) => {
      refuseDuplicates(source, schema, selected, known);
      return selected.map((index) => known[index]!.name);
    },
    selection: (selected, batch) => selected.map((index) => locate(source, known[index]!, batch)),
  };
}

function locate(source: string, column: Known, schema: Schema): TypedSelection {
  const index = schema.fields.findIndex((field) => field.name === column.name);
  if (index !== -1) return { ...column, index };
  throw new FeaturectlError(
    'SOURCE_CORRUPT',
    `${source}: expected column ${JSON.stringify(column.name)} in every part of the file, found a part without it; write the file again`,
  );
}

function refuseDuplicates(
  source: string,
  schema: Schema,
  selected: readonly number[],
  known: readonly Known[],
): void {
  for (const index of selected) {
    const { name } = known[index]!;
    const count = schema.fields.filter((field) => field.name === name).length;
    if (count < 2) continue;
    throw new FeaturectlError(
      'COLUMN',
      `${source}: expected one column ${JSON.stringify(name)}, found ${count} of that name; rename them in the file`,
    );
  }
}
