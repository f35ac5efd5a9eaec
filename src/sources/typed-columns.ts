import { FeaturectlError } from '../core/errors.ts';
import type { ColumnInfo, LogicalType } from '../core/types.ts';

/** A column that was asked for, and where it stands in a record batch. */
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
  /** `names`: the columns of the record batch. */
  selection(selected: readonly number[], names: readonly string[]): readonly TypedSelection[];
}

export interface KnownColumn {
  readonly name: string;
  readonly type: LogicalType;
}

/** `names`: of all columns of the source, those too that are not read. */
export function typedColumns(
  source: string,
  names: readonly string[],
  known: readonly KnownColumn[],
  warnings: readonly string[],
): TypedColumns {
  return {
    infos: known.map(({ name, type }) => ({ name, type })),
    warnings,
    select: (selected) => {
      refuseDuplicates(source, names, selected, known);
      return selected.map((index) => known[index]!.name);
    },
    selection: (selected, batch) => selected.map((index) => locate(source, known[index]!, batch)),
  };
}

function locate(source: string, { name, type }: KnownColumn, names: readonly string[]): TypedSelection {
  const index = names.indexOf(name);
  if (index !== -1) return { name, type, index };
  throw new FeaturectlError(
    'SOURCE_CORRUPT',
    `${source}: expected column ${JSON.stringify(name)} in every part of the file, found a part without it; write the file again`,
  );
}

function refuseDuplicates(
  source: string,
  names: readonly string[],
  selected: readonly number[],
  known: readonly KnownColumn[],
): void {
  for (const index of selected) {
    const { name } = known[index]!;
    const count = names.filter((one) => one === name).length;
    if (count < 2) continue;
    throw new FeaturectlError(
      'COLUMN',
      `${source}: expected one column ${JSON.stringify(name)}, found ${count} of that name; rename them in the file`,
    );
  }
}
