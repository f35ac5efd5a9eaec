import { isUtf8 } from 'node:buffer';
import type { ByteString, RowFault } from '../core/types.ts';

export function countFault(expected: number, found: number): RowFault {
  const reason = `expected ${fieldCount(expected)} as in the header, found ${found}`;
  return { code: 'FIELD_COUNT', column: null, reason };
}

function fieldCount(count: number): string {
  return count === 1 ? '1 field' : `${count} fields`;
}

/** The fault of a cell that is not UTF-8; null where it is. */
export function encodingFault(cell: ByteString, column: string): RowFault | null {
  const bytes = Buffer.from(cell, 'latin1');
  if (isUtf8(bytes)) return null;
  const reason = `invalid UTF-8: expected UTF-8, found bytes ${bytes.subarray(0, 16).toString('hex')}; convert the file or give --encoding latin1`;
  return { code: 'INVALID_UTF8', column, reason };
}
