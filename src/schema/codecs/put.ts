/** Numbers written as ASCII where they are needed, without a string of each. */
import { DAY_SECONDS, dateText } from './civil.ts';

/**
 * Writes the text that a number is stored as at `at` and gives the position after it; -1: not sure, ask the typed
 * codec. `value` is the column's value, of a bool 0 or 1; an integer of 64 bits is rounded to a double, and `low` has
 * the low 32 bits of any integer. There is room for PUT_BYTES.
 */
export type PutNumber = (target: Uint8Array, at: number, value: number, low: number) => number;

/** The longest is a timestamp with nanoseconds. */
export const PUT_BYTES = 32;

/** Below this a number is divided as a 32-bit integer. */
const SMALL = 1e9;

/** An integer; -1 beyond 53 bits. */
export function putInteger(target: Uint8Array, at: number, value: number): number {
  if (!Number.isSafeInteger(value)) return -1;
  if (value >= 0) return putWhole(target, at, value);
  target[at] = 45;
  return putWhole(target, at + 1, -value);
}

/** From 0 to 2^53. */
export function putWhole(target: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    target[at] = 48 + value;
    return at + 1;
  }
  if (value >= SMALL) {
    const high = Math.floor(value / SMALL);
    return putPadded(target, putWhole(target, at, high), value - high * SMALL, 9);
  }
  let places = 2;
  for (let next = 100; next <= value; next *= 10) places += 1;
  return putPadded(target, at, value, places);
}

/** `value` below 10^9 as `places` digits. */
export function putPadded(target: Uint8Array, at: number, value: number, places: number): number {
  let rest = value | 0;
  for (let pos = at + places - 1; pos >= at; pos -= 1) {
    const tenth = (rest / 10) | 0;
    target[pos] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return at + places;
}

/** `.` and `value` (below 10^9) as `places` digits without zeros at the end; nothing for 0. */
export function putFraction(target: Uint8Array, at: number, value: number, places: number): number {
  if (value === 0) return at;
  target[at] = 46;
  let end = putPadded(target, at + 1, value, places);
  while (target[end - 1] === 48) end -= 1;
  return end;
}

export function putAscii(target: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i += 1) target[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** bytes[start .. end): a few, for which a loop is faster than a call. */
export function putBytes(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  for (let from = start, to = at; from < end; from += 1, to += 1) target[to] = bytes[from]!;
  return at + end - start;
}

/** Days whose text is kept: most columns hold few of them, again and again. */
const KEPT_DAYS = 1024;
const DATE_BYTES = 10;
const keptDays = new Float64Array(KEPT_DAYS).fill(Number.NaN);
const keptDates = new Uint8Array(KEPT_DAYS * DATE_BYTES);

/** A day as `YYYY-MM-DD`; -1 outside the years 0000 to 9999. */
export function putDate(target: Uint8Array, at: number, days: number): number {
  const place = days & (KEPT_DAYS - 1);
  const start = place * DATE_BYTES;
  if (keptDays[place] !== days) {
    const text = dateText(days);
    if (text === null) return -1;
    putAscii(keptDates, start, text);
    keptDays[place] = days;
  }
  return putBytes(target, at, keptDates, start, start + DATE_BYTES);
}

/** `YYYY-MM-DDTHH:MM:SS[.fraction]Z`; `fraction` counts 10^-places seconds. */
export function putTime(
  target: Uint8Array,
  at: number,
  seconds: number,
  fraction: number,
  places: number,
): number {
  const days = Math.floor(seconds / DAY_SECONDS);
  let pos = putDate(target, at, days);
  if (pos < 0) return -1;
  // As 32-bit integers, since a remainder of doubles is a call.
  const ofDay = (seconds - days * DAY_SECONDS) | 0;
  const minutes = (ofDay / 60) | 0;
  const hours = (minutes / 60) | 0;
  target[pos] = 84;
  pos = putTwo(target, pos + 1, hours);
  target[pos] = 58;
  pos = putTwo(target, pos + 1, minutes - hours * 60);
  target[pos] = 58;
  pos = putFraction(target, putTwo(target, pos + 1, ofDay - minutes * 60), fraction, places);
  target[pos] = 90;
  return pos + 1;
}

/** A number below 100 as two digits. */
function putTwo(target: Uint8Array, at: number, value: number): number {
  const tens = (value / 10) | 0;
  target[at] = 48 + tens;
  target[at + 1] = 48 + value - tens * 10;
  return at + 2;
}
