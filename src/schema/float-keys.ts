/** Ids that have become floats on their way here, as pandas makes of integers where one is missing. */
import type { Column, ColumnBatch } from '../core/types.ts';
import type { KeyTemplate } from './key-template.ts';

/** Rows that are looked at. */
const ROWS = 100;

/** A warning for each key column of text whose first entities are all whole numbers with a decimal point. */
export function floatKeys(
  key: KeyTemplate,
  batch: ColumnBatch,
  columnOf: (name: string) => Column,
): readonly string[] {
  return key.columns.flatMap((name) => {
    const example = wholeFloat(columnOf(name), batch);
    return example === null
      ? []
      : [
          `key column ${JSON.stringify(name)}: expected integers or names, found whole numbers written as floats: "${example}" becomes part of the key ${key.text} as it stands; write them as integers (pandas: df[${JSON.stringify(name)}].astype("Int64"))`,
        ];
  });
}

/** The first entity; null where some are no such numbers, or there is none. */
function wholeFloat(column: Column, { rowCount, faults }: ColumnBatch): string | null {
  if (column.kind !== 'text') return null;
  let first: string | null = null;
  for (let row = 0; row < Math.min(rowCount, ROWS); row += 1) {
    const cell = faults?.has(row) ? '' : column.cell(row);
    if (cell === '') continue;
    if (!/^-?\d+\.0+$/.test(cell)) return null;
    first ??= cell;
  }
  return first;
}
