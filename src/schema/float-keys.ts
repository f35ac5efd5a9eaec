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
  return key.columns
    .filter((name) => isWholeFloats(columnOf(name), batch))
    .map((name) => warningOf(name, key));
}

/** The same for every batch and file, so that it is told once. */
function warningOf(name: string, { text }: KeyTemplate): string {
  const column = JSON.stringify(name);
  return `key column ${column}: expected integers or names, found whole numbers written as floats, which stand in the key ${text} as they are: 1 is 1.0 there; write them as integers (pandas: df[${column}].astype("Int64"))`;
}

/** Whether there are entities, and all of them are such numbers. */
function isWholeFloats(column: Column, { rowCount, faults }: ColumnBatch): boolean {
  if (column.kind !== 'text') return false;
  let found = 0;
  for (let row = 0; row < Math.min(rowCount, ROWS); row += 1) {
    const cell = faults?.has(row) ? '' : column.cell(row);
    if (cell === '') continue;
    if (!/^-?\d+\.0+$/.test(cell)) return false;
    found += 1;
  }
  return found > 0;
}
