import type { ByteString } from '../../core/types.ts';
import { dateText, isDate, parseDate } from './civil.ts';
import { type Codec, type Coded, fault, isYearLast, typedBy } from './codec.ts';
import { putDate } from './put.ts';

export const dateCodec: Codec = {
  text: dateCell,
  stored: (bytes, start, end) => end - start === 10 && isDate(bytes, start),
  typed: typedBy(dateCell, (type) => {
    if (type.kind === 'date') return (value) => dateOfDays(value as number);
    return type.kind === 'timestamp' ? 'use type timestamp, or cast it to a date in the zone you mean' : null;
  }),
  put: (type) => (type.kind === 'date' ? putDate : null),
};

function dateCell(cell: ByteString): Coded {
  if (cell.length === 10 && parseDate(cell, 0) !== null) return cell;
  return fault('DATE', `a date YYYY-MM-DD${whyNoDate(cell)}`, cell);
}

/** What to do about text that is often taken for a date. */
function whyNoDate(cell: ByteString): string {
  if (/^\d{4}-\d\d-\d\d[Tt ]\d\d:/.test(cell)) {
    return ' (this is a time: use type timestamp, or write its date alone)';
  }
  if (isYearLast(cell)) return ' (year first; pandas: to_datetime)';
  return /^\d{4}[./]\d\d?[./]\d\d?$|^\d{8}$/.test(cell) ? ' (joined by hyphens; pandas: to_datetime)' : '';
}

/** Days since 1970-01-01. */
export function dateOfDays(days: number): Coded {
  return dateText(days) ?? fault('DATE', 'a date in the years 0000 to 9999', `${days} days since 1970`);
}
