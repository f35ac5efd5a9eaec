/** Timestamps: RFC 3339 in UTC, exact to the nanosecond; or an epoch number, by `store`. */
import type { ByteString, LogicalType, TimeUnit, Value } from '../../core/types.ts';
import { clockText, DAY_SECONDS, dateText, digits, hasDate, parseDate } from './civil.ts';
import { type Codec, type Coded, fault, isFault, isYearLast, typedBy, type ValueFault } from './codec.ts';
import { parseOffset, type WallToUtc } from './time-zone.ts';
import {
  isStoredForm,
  putTimestamp,
  rewriteTime,
  type TimestampOptions,
  UNIT_DIGITS,
} from './timestamp-bytes.ts';

/** What 64 bits of nanoseconds reach, 1677 to 2262: an epoch number beyond has another unit than it says. */
const EPOCH_BITS = 64;
/** Characters of -2^63. */
const EPOCH_DIGITS = 20;

/** A moment: whole seconds since 1970 UTC (floor) and the digits of the fraction, '' where it is zero. */
interface Moment {
  readonly seconds: number;
  readonly fraction: string;
}

const FORM = 'an RFC 3339 time such as 2024-01-15T08:00:00Z';
const ZONE_ADVICE = 'it names no zone: set timezone in the schema';

export function timestampCodec(options: TimestampOptions): Codec {
  const finish = (moment: Moment | ValueFault, found: ByteString): Coded =>
    'code' in moment ? moment : storeMoment(moment, options.store, found);
  const text = (cell: ByteString): Coded => {
    if (options.unit !== null && /^[+-]?\d+$/.test(cell)) {
      const digits = cell.replace(/^(?:\+|(-))?0*(?=\d)/, '$1');
      if (digits.length > EPOCH_DIGITS) return outOfEpoch(options.unit, cell);
      return finish(epochMoment(BigInt(digits), options.unit), cell);
    }
    return finish(parseTimestamp(cell, options.zone), cell);
  };
  return {
    text,
    stored: options.store === 'rfc3339' ? isStoredForm : null,
    rewrite: options.store === 'rfc3339' ? rewriteTime(options) : null,
    typed: typedBy(text, (type) => typedTimestamp(type, options, finish)),
    put: (type) => (options.store === 'rfc3339' ? putTimestamp(type, options) : null),
  };
}

function typedTimestamp(
  type: LogicalType,
  { unit, zone }: TimestampOptions,
  finish: (moment: Moment | ValueFault, found: ByteString) => Coded,
): ((value: Value) => Coded) | string | null {
  if (type.kind === 'int') {
    if (unit === null) return 'say what its numbers count: unit s, ms, us or ns';
    return (value) => finish(epochMoment(BigInt(value as bigint | number), unit), String(value));
  }
  if (type.kind === 'date') return 'use type date';
  if (type.kind !== 'timestamp') return null;
  if (type.zoned) return (value) => finish(unitMoment(value as bigint, type.unit), String(value));
  if (zone === null) return `${ZONE_ADVICE} (--timezone without a schema)`;
  return (value) => finish(zonedMoment(unitMoment(value as bigint, type.unit), zone), String(value));
}

/** Typed values as RFC 3339 text, for JSON and strings. */
export function timestampText(value: bigint, unit: TimeUnit, zone: WallToUtc | null): Coded {
  const moment = unitMoment(value, unit);
  const utc = zone === null ? moment : zonedMoment(moment, zone);
  return 'code' in utc ? utc : storeMoment(utc, 'rfc3339', String(value));
}

function unitMoment(value: bigint, unit: TimeUnit): Moment {
  const width = UNIT_DIGITS[unit];
  const count = Number(value);
  if (width === 0) return { seconds: count, fraction: '' };
  if (Number.isSafeInteger(count)) return splitSeconds(count, width);
  const scale = 10n ** BigInt(width);
  const rest = ((value % scale) + scale) % scale;
  return { seconds: Number((value - rest) / scale), fraction: fractionText(Number(rest), width) };
}

/** As unitMoment, of a count that a double holds exactly: several times as fast as with bigints. */
function splitSeconds(count: number, width: number): Moment {
  const scale = 10 ** width;
  let seconds = Math.floor(count / scale);
  let rest = count - seconds * scale;
  // The quotient may have been rounded up to a whole number.
  if (rest < 0) {
    seconds -= 1;
    rest += scale;
  }
  return { seconds, fraction: fractionText(rest, width) };
}

/** `rest` as `width` digits without zeros at the end. */
function fractionText(rest: number, width: number): string {
  if (rest === 0) return '';
  let digits = rest;
  let places = width;
  while (digits % 10 === 0) {
    digits /= 10;
    places -= 1;
  }
  return String(digits).padStart(places, '0');
}

function epochMoment(value: bigint, unit: TimeUnit): Moment | ValueFault {
  const nanoseconds = value * 10n ** BigInt(9 - UNIT_DIGITS[unit]);
  if (BigInt.asIntN(EPOCH_BITS, nanoseconds) === nanoseconds) return unitMoment(value, unit);
  return outOfEpoch(unit, String(value));
}

function outOfEpoch(unit: TimeUnit, found: ByteString): ValueFault {
  return fault('TIMESTAMP_RANGE', `an epoch number in ${unit} between 1677 and 2262`, found);
}

function zonedMoment(wall: Moment, zone: WallToUtc): Moment | ValueFault {
  // Zones have rules for dates that a Date holds only.
  if (!hasDate(Math.floor(wall.seconds / DAY_SECONDS))) return outOfYears(`${wall.seconds} s`);
  const seconds = zone(wall.seconds);
  if (seconds !== null) return { seconds, fraction: wall.fraction };
  const text = rfc3339(wall.seconds, wall.fraction) ?? String(wall.seconds);
  return fault('TIMESTAMP', 'a time that the zone has (clocks skip this one)', text.replace('Z', ''));
}

/** Seconds since midnight of `HH:MM:SS` at 11, or -1. */
function clockSeconds(cell: ByteString): number {
  const hours = digits(cell, 11, 2);
  const minutes = digits(cell, 14, 2);
  const seconds = digits(cell, 17, 2);
  if (cell.charCodeAt(13) !== 58 || cell.charCodeAt(16) !== 58) return -1;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return -1;
  return hours * 3600 + minutes * 60 + seconds;
}

const TAIL = /^(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:?\d\d)?$/;

/** RFC 3339, also with a blank for the T; zone-less in `zone`. */
export function parseTimestamp(cell: ByteString, zone: WallToUtc | null): Moment | ValueFault {
  const separator = cell.charCodeAt(10);
  const tail = TAIL.exec(cell.slice(19));
  const hint = whyNoTime(cell);
  if (hint !== null) return fault('TIMESTAMP', `${FORM}${hint}`, cell);
  if (!tail || (separator !== 84 && separator !== 116 && separator !== 32))
    return fault('TIMESTAMP', FORM, cell);
  const days = parseDate(cell, 0);
  const clock = clockSeconds(cell);
  if (days === null || clock < 0) return fault('TIMESTAMP', `${FORM}, a date and time that exist`, cell);
  const [, fractionDigits = '', zoneText] = tail;
  const fraction = /[1-9]/.test(fractionDigits) ? fractionDigits : '';
  const wall = { seconds: days * DAY_SECONDS + clock, fraction };
  if (zoneText === undefined) {
    return zone
      ? zonedMoment(wall, zone)
      : fault('TIMESTAMP_ZONE', `a time with a zone; ${ZONE_ADVICE}`, cell);
  }
  if (zoneText === 'Z' || zoneText === 'z') return wall;
  const offset = parseOffset(zoneText);
  if (offset === null) return fault('TIMESTAMP', `${FORM}, with an offset below 24:00`, cell);
  return { seconds: wall.seconds - offset, fraction };
}

/** What a person may have meant by text that is often taken for a time; null where it is of the usual form. */
function whyNoTime(cell: ByteString): string | null {
  if (cell.length < 20 && /^[+-]?\d+$/.test(cell)) return ' (for epoch numbers set unit: s, ms, us or ns)';
  if (isYearLast(cell)) return ' (year first, 24 hours; pandas: to_datetime)';
  if (/^\d{4}-\d\d-\d\d$/.test(cell)) return ' (this is a date: use type date)';
  return /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?:[Zz]|[+-]\d\d:?\d\d)?$/.test(cell) ? ' with seconds' : null;
}

function storeMoment({ seconds, fraction }: Moment, store: 'rfc3339' | TimeUnit, found: ByteString): Coded {
  if (store !== 'rfc3339') return epochText(seconds, fraction, store, found);
  return rfc3339(seconds, fraction) ?? outOfYears(found);
}

function outOfYears(found: ByteString): ValueFault {
  return fault('TIMESTAMP_RANGE', 'a time in the years 0000 to 9999 UTC', found);
}

function rfc3339(seconds: number, fraction: string): string | null {
  const days = Math.floor(seconds / DAY_SECONDS);
  const date = dateText(days);
  if (date === null) return null;
  return `${date}T${clockText(seconds - days * DAY_SECONDS)}${fraction === '' ? '' : `.${fraction}`}Z`;
}

function epochText(seconds: number, fraction: string, unit: TimeUnit, found: ByteString): Coded {
  if (!Number.isSafeInteger(seconds))
    return fault('TIMESTAMP_RANGE', 'a time within 2^53 seconds of 1970', found);
  const width = UNIT_DIGITS[unit];
  const significant = trimZeros(fraction);
  if (significant.length > width) {
    return fault('TIMESTAMP', `a time in whole ${unit} (store: epoch_${unit}); choose a finer unit`, found);
  }
  return (BigInt(seconds) * 10n ** BigInt(width) + BigInt(significant.padEnd(width, '0') || '0')).toString();
}

function trimZeros(fraction: string): string {
  return fraction.replace(/0+$/, '');
}

/** `HH:MM:SS[.fraction]` of a time of day. */
export function timeOfDayText(value: bigint, unit: TimeUnit): string {
  const { seconds, fraction } = unitMoment(value, unit);
  return `${clockText(seconds)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The start of the run, for `value: ingest_time`. */
export function epochMsCoded(ms: number, store: 'rfc3339' | TimeUnit): ByteString {
  // A unit of seconds has no place for the milliseconds, and a stamp of ours may be cut.
  const moment = unitMoment(BigInt(store === 's' ? Math.floor(ms / 1000) * 1000 : ms), 'ms');
  const coded = storeMoment(moment, store, String(ms));
  return isFault(coded) ? String(ms) : coded;
}
