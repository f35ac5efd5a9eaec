/** Timestamps as bytes: those that stand as they are stored, and others written so, without strings. */
import type { LogicalType, TimeUnit } from '../../core/types.ts';
import { DAY_SECONDS, daysFromCivil, digitsAt, hasDate, isDate } from './civil.ts';
import type { Rewrite } from './codec.ts';
import { type PutNumber, putBytes, putTime } from './put.ts';
import type { WallToUtc } from './time-zone.ts';

export interface TimestampOptions {
  /** What an epoch number counts; null: numbers are no times. */
  readonly unit: TimeUnit | null;
  /** Zone of times that name none; null: such times are faults. */
  readonly zone: WallToUtc | null;
  readonly store: 'rfc3339' | TimeUnit;
}

/** Fraction digits that a unit holds. */
export const UNIT_DIGITS: Readonly<Record<TimeUnit, number>> = { s: 0, ms: 3, us: 6, ns: 9 };

/** Seconds from 1970 up to which an epoch number is sure to be in range. */
const SURE_SECONDS = 9.2e9;

/** Typed times and epoch numbers; null: ask the typed codec. */
export function putTimestamp(type: LogicalType, { unit, zone }: TimestampOptions): PutNumber | null {
  if (type.kind === 'int') return unit === null ? null : putCount(unit, null, SURE_SECONDS);
  if (type.kind !== 'timestamp' || (!type.zoned && zone === null)) return null;
  return putCount(type.unit, type.zoned ? null : zone, Number.POSITIVE_INFINITY);
}

/** Counts of a unit, in UTC or in wall time of a zone, up to `limit` seconds from 1970. */
function putCount(unit: TimeUnit, zone: WallToUtc | null, limit: number): PutNumber {
  const places = UNIT_DIGITS[unit];
  const scale = 10 ** places;
  return (target, at, count, low) => {
    let wall = Math.floor(count / scale);
    // All of it is below 2^31 where the quotient is one too many or too few, so its low 32 bits are enough.
    let rest = places === 9 ? (low - Math.imul(wall, scale)) | 0 : count - wall * scale;
    if (rest < 0 || rest >= scale) {
      const step = rest < 0 ? -1 : 1;
      wall += step;
      rest -= step * scale;
    }
    if (!(Math.abs(wall) < limit) || (places !== 9 && !Number.isSafeInteger(count))) return -1;
    // Zones have rules for dates that a Date holds only.
    if (zone !== null && !hasDate(Math.floor(wall / DAY_SECONDS))) return -1;
    const seconds = zone === null ? wall : zone(wall);
    return seconds === null ? -1 : putTime(target, at, seconds, rest, places);
  };
}

/** Digits that a double holds exactly, whatever they are. */
const SAFE_DIGITS = 15;

/** Times of any form that is taken, and epoch numbers. */
export function rewriteTime({ unit, zone }: TimestampOptions): Rewrite {
  const putEpoch = unit === null ? null : putCount(unit, null, SURE_SECONDS);
  return (bytes, start, end, target, at) => {
    if (putEpoch !== null && end > start && end - start <= SAFE_DIGITS) {
      const count = digitsAt(bytes, start, end - start);
      return count < 0 ? -1 : putEpoch(target, at, count, count | 0);
    }
    if (end - start < 19 || !isSeparator(bytes[start + 10])) return -1;
    if (!isDate(bytes, start) || !isClock(bytes, start + 11)) return -1;
    const fractionEnd = endOfFraction(bytes, start + 19, end);
    const offset = offsetAt(bytes, fractionEnd, end);
    if (Number.isNaN(offset)) return -1;
    const wall = secondsAt(bytes, start);
    // A time without a zone is of the schema's.
    const seconds = fractionEnd < end ? wall - offset : (zone?.(wall) ?? null);
    const after = seconds === null ? -1 : putTime(target, at, seconds, 0, 0);
    if (after < 0 || fractionEnd === start + 19) return after;
    const isZero = digitsAt(bytes, start + 20, fractionEnd - start - 20) === 0;
    if (isZero) return after;
    const zulu = putBytes(target, after - 1, bytes, start + 19, fractionEnd);
    target[zulu] = 90;
    return zulu + 1;
  };
}

/** T, t or a blank. */
function isSeparator(byte: number | undefined): boolean {
  return byte === 84 || byte === 116 || byte === 32;
}

/** The place after `.` and one to nine digits at `at`; `at` itself where no point stands there. */
function endOfFraction(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end || bytes[at] !== 46) return at;
  let last = at + 1;
  while (last < end && last < at + 10 && bytes[last]! >= 48 && bytes[last]! <= 57) last += 1;
  return last === at + 1 ? at : last;
}

/** Seconds east of UTC of `Z`, `+02:00` or `+0200`, which is all that stands there; 0 of nothing; NaN of anything else. */
function offsetAt(bytes: Uint8Array, at: number, end: number): number {
  if (at === end) return 0;
  const sign = bytes[at];
  if (end === at + 1) return sign === 90 || sign === 122 ? 0 : Number.NaN;
  const hasColon = bytes[at + 3] === 58;
  if ((sign !== 43 && sign !== 45) || end !== at + (hasColon ? 6 : 5)) return Number.NaN;
  const hours = digitsAt(bytes, at + 1, 2);
  const minutes = digitsAt(bytes, end - 2, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return Number.NaN;
  return (hours * 3600 + minutes * 60) * (sign === 45 ? -1 : 1);
}

/** Of a date and clock that exist, as if they were UTC. */
function secondsAt(bytes: Uint8Array, at: number): number {
  const days = daysFromCivil(digitsAt(bytes, at, 4), digitsAt(bytes, at + 5, 2), digitsAt(bytes, at + 8, 2));
  const hours = digitsAt(bytes, at + 11, 2);
  return days * DAY_SECONDS + hours * 3600 + digitsAt(bytes, at + 14, 2) * 60 + digitsAt(bytes, at + 17, 2);
}

/** `YYYY-MM-DDTHH:MM:SS[.fraction]Z` with a fraction that is not all zeros: already as it is stored. */
export function isStoredForm(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < 20 || length > 30 || bytes[end - 1] !== 90 || bytes[start + 10] !== 84) return false;
  if (!isDate(bytes, start) || !isClock(bytes, start + 11)) return false;
  if (length === 20) return true;
  return bytes[start + 19] === 46 && digitsAt(bytes, start + 20, length - 21) > 0;
}

/** Whether eight bytes at `at` are `HH:MM:SS`. */
function isClock(bytes: Uint8Array, at: number): boolean {
  if (bytes[at + 2] !== 58 || bytes[at + 5] !== 58) return false;
  const hours = digitsAt(bytes, at, 2);
  const minutes = digitsAt(bytes, at + 3, 2);
  const seconds = digitsAt(bytes, at + 6, 2);
  return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59 && seconds >= 0 && seconds <= 59;
}
