/** The logical type of a column: a union, a struct of which one field is set, whose id says the type. */
import type { TimeUnit } from '../../core/types.ts';
import { type Cursor, readByte, readStruct, TYPE } from './thrift.ts';

export type LogicalName =
  | 'string'
  | 'list'
  | 'enum'
  | 'decimal'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'integer'
  | 'null'
  | 'json'
  | 'bson'
  | 'uuid'
  | 'float16'
  | 'other';

const NAMES: Readonly<Record<number, LogicalName>> = {
  1: 'string',
  3: 'list',
  4: 'enum',
  5: 'decimal',
  6: 'date',
  7: 'time',
  8: 'timestamp',
  10: 'integer',
  11: 'null',
  12: 'json',
  13: 'bson',
  14: 'uuid',
  15: 'float16',
};

const UNITS: Readonly<Record<number, TimeUnit>> = { 1: 'ms', 2: 'us', 3: 'ns' };

export interface ParquetLogical {
  readonly name: LogicalName;
  /** Of times and timestamps. */
  readonly isUtc: boolean;
  readonly unit: TimeUnit | null;
  /** Of integers. */
  readonly bits: number;
  readonly isSigned: boolean;
}

/** The one of the struct at the cursor. */
export function readLogical(cursor: Cursor): ParquetLogical {
  const found = {
    name: 'other' as LogicalName,
    isUtc: false,
    unit: null as TimeUnit | null,
    bits: 0,
    isSigned: false,
  };
  readStruct(cursor, (field) => {
    found.name = NAMES[field.id] ?? 'other';
    if (field.type !== TYPE.struct) return false;
    const isTime = found.name === 'time' || found.name === 'timestamp';
    readStruct(cursor, (inner) => {
      if (isTime && inner.id === 1) found.isUtc = inner.type === TYPE.true;
      if (found.name === 'integer' && inner.id === 2) found.isSigned = inner.type === TYPE.true;
      if (isTime && inner.id === 2 && inner.type === TYPE.struct) {
        found.unit = readUnit(cursor);
        return true;
      }
      if (found.name !== 'integer' || inner.id !== 1 || inner.type !== TYPE.byte) return false;
      found.bits = readByte(cursor);
      return true;
    });
    return true;
  });
  return found;
}

function readUnit(cursor: Cursor): TimeUnit | null {
  let unit: TimeUnit | null = null;
  readStruct(cursor, (field) => {
    unit = UNITS[field.id] ?? null;
    return false;
  });
  return unit;
}
