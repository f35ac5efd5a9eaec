/** Wall time of a zone → UTC, by the rules that Node ships (Intl), never by the process's own zone. */
import { DAY_SECONDS, daysFromCivil } from './civil.ts';

/** Seconds since 1970 in wall time → seconds since 1970 in UTC; null for a wall time that the zone skips. */
export type WallToUtc = (wallSeconds: number) => number | null;

/** `UTC`, `Z`, an offset such as `+02:00`, or an IANA name; null where it is none of these. */
export function timeZone(name: string): WallToUtc | null {
  if (name === 'UTC' || name === 'Z') return (wall) => wall;
  const offset = parseOffset(name);
  if (offset !== null) return (wall) => wall - offset;
  try {
    return ianaZone(name);
  } catch {
    return null;
  }
}

/** `+02:00` or `-0530` → seconds east of UTC. */
export function parseOffset(text: string): number | null {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(text);
  if (!match) return null;
  const [, sign, hours, minutes] = match;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  const seconds = Number(hours) * 3600 + Number(minutes) * 60;
  return sign === '-' ? -seconds : seconds;
}

/** Entries of the cache of offsets, and what each covers. */
const CACHE_LIMIT = 50_000;
const SLOT_SECONDS = 900;

function ianaZone(name: string): WallToUtc {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const offsetAt = cached((utc) => wallSeconds(format, utc) - utc);
  return (wall) => {
    // A zone changes its offset at most once within two days, so one of these two is in force.
    const before = offsetAt(wall - DAY_SECONDS);
    const after = offsetAt(wall + DAY_SECONDS);
    // The larger offset is the earlier moment of a wall time that happens twice.
    const candidates = before >= after ? [before, after] : [after, before];
    for (const offset of candidates) if (offsetAt(wall - offset) === offset) return wall - offset;
    return null;
  };
}

/** 1800-01-01. Before it every zone has its local mean time, and Intl's calendar would turn Julian in 1582. */
const EARLIEST = -5_364_662_400;

/** By quarter of an hour; null marks one within which the zone changes, as many did when they left local mean time. */
function cached(compute: (utc: number) => number): (utc: number) => number {
  const known = new Map<number, number | null>();
  return (utc) => {
    const at = Math.max(utc, EARLIEST);
    const start = Math.floor(at / SLOT_SECONDS) * SLOT_SECONDS;
    let offset = known.get(start);
    if (offset === undefined) {
      const first = compute(start);
      offset = first === compute(start + SLOT_SECONDS - 1) ? first : null;
      if (known.size >= CACHE_LIMIT) known.clear();
      known.set(start, offset);
    }
    return offset ?? compute(at);
  };
}

function wallSeconds(format: Intl.DateTimeFormat, utc: number): number {
  const parts = new Map(format.formatToParts(utc * 1000).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const days = daysFromCivil(part('year'), part('month'), part('day'));
  return days * DAY_SECONDS + part('hour') * 3600 + part('minute') * 60 + part('second');
}
