/** Tables of one feature x: a cell or typed value → stored bytes, or the code it is refused with. */
import { expect, it } from 'vitest';
import type { LogicalType, Value } from '../../src/core/types.ts';
import { schemaOf, storeText, storeTyped } from './support.ts';

export const INT64: LogicalType = { kind: 'int', bits: 64, signed: true };
export const INT32: LogicalType = { kind: 'int', bits: 32, signed: true };
export const UINT64: LogicalType = { kind: 'int', bits: 64, signed: false };
export const FLOAT64: LogicalType = { kind: 'float', bits: 64 };
export const FLOAT32: LogicalType = { kind: 'float', bits: 32 };
export const FLOAT16: LogicalType = { kind: 'float', bits: 16 };
export const UTF8: LogicalType = { kind: 'utf8' };
export const BINARY: LogicalType = { kind: 'binary', size: null };
export const DECIMAL: LogicalType = { kind: 'decimal', precision: 9, scale: 2 };
export const list = (item: LogicalType): LogicalType => ({ kind: 'list', item, size: null });
export const time = (unit: 's' | 'ms' | 'us' | 'ns', zoned = true): LogicalType => ({
  kind: 'timestamp',
  unit,
  zoned,
});
export const struct = (fields: Record<string, LogicalType>): LogicalType => ({
  kind: 'struct',
  fields: Object.entries(fields).map(([name, type]) => ({ name, type })),
});

export type TextRow = readonly [type: string, cell: string, stored: string];
export type TypedRow = readonly [type: string, column: LogicalType, value: Value, stored: string];

export function texts(rows: readonly TextRow[]): void {
  it.each(rows)('%s: cell %j → %j', (type, cell, stored) => {
    expect(storeText(schemaOf(type), cell)).toBe(stored);
  });
}

export function typed(rows: readonly TypedRow[]): void {
  it.each(rows)('%s: column %j, value %o → %j', (type, column, value, stored) => {
    expect(storeTyped(schemaOf(type), column, value)).toBe(stored);
  });
}
