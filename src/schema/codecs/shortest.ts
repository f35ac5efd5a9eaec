/**
 * Doubles and their shortest decimal text, without strings: pairs of doubles hold products and sums exactly (Dekker, "A
 * floating-point technique for extending the available precision", 1971). What cannot be told for sure is left to the
 * caller, who asks V8: a number that lies within 2^-40 of a border between two answers, and what is not of plain form.
 */
import { putPadded } from './put.ts';

/** 10^0 to 10^22, each a double exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

const SPLIT = 2 ** 27 + 1;
const HALF = 1e8;

/** How far errors of a few roundings reach, with a wide margin. */
const LESS = 1 - 2 ** -40;
const MORE = 1 + 2 ** -40;

/** The exact error of the rounded product a × b. */
function productError(a: number, b: number, product: number): number {
  const a1 = a * SPLIT;
  const aHigh = a1 - (a1 - a);
  const aLow = a - aHigh;
  const b1 = b * SPLIT;
  const bHigh = b1 - (b1 - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** Where all 17 digits of a number can be had by a power of ten that is exact, and its text has no exponent. */
const SMALLEST = 1e-5;
const TOO_LARGE = 1e15;

/** Decimals with which a number has 17 digits: 10^16 to 10^17 when it is multiplied by 10^places. */
function placesOf(value: number): number {
  let decimals = 16;
  if (value >= 1) while (value >= POWERS[17 - decimals]!) decimals -= 1;
  else while (value * POWERS[decimals]! < 1e16) decimals += 1;
  return decimals;
}

/** Writes what String(value) gives of a positive number, and gives the position after it; -1: not sure. */
export function putShortest(target: Uint8Array, at: number, value: number): number {
  if (!(value >= SMALLEST && value < TOO_LARGE)) return -1;
  const decimals = placesOf(value);
  const scale = POWERS[decimals]!;
  const product = value * scale;
  if (!(product >= 1e16 && product < 1e17)) return -1;
  // The number is (high × 10^8 + low + rest) / scale, exactly.
  const rest = productError(value, scale, product);
  let high = Math.floor(product / HALF);
  let low = product - high * HALF;
  if (low < 0) {
    high -= 1;
    low += HALF;
  }
  // Of the decimals of 15, 16 and 17 digits that are next to it, the first that reads back.
  for (let unit = 100; unit > 1; unit /= 10) {
    const near = Math.round((low + rest) / unit) * unit;
    const away = near - low - rest;
    const step = away / scale;
    if (value + step * MORE === value) {
      // Of two that are as near the text has the other one, perhaps.
      return Math.abs(away) > unit * 0.499 ? -1 : putDigits(target, at, high, near, decimals);
    }
    if (value + step * LESS === value) return -1;
  }
  const near = low + Math.round(rest);
  return Math.abs(near - low - rest) > 0.499 ? -1 : putDigits(target, at, high, near, decimals);
}

/** (high × 10^8 + low) / 10^decimals, without zeros at the end. */
function putDigits(target: Uint8Array, at: number, high: number, low: number, decimals: number): number {
  const carried = low >= HALF ? 1 : 0;
  if (low < 0 || high + carried >= 1e9) return -1;
  const whole = 17 - decimals;
  let pos = at + 1;
  if (whole <= 0) {
    target[at] = 48;
    target[at + 1] = 46;
    for (pos = at + 2; pos < at + 2 - whole; pos += 1) target[pos] = 48;
  }
  let end = putPadded(target, putPadded(target, pos, high + carried, 9), low - carried * HALF, 8);
  if (whole > 0) {
    for (let i = at; i < at + whole; i += 1) target[i] = target[i + 1]!;
    target[at + whole] = 46;
  }
  while (target[end - 1] === 48) end -= 1;
  return target[end - 1] === 46 ? end - 1 : end;
}

/** What `scan` found: the first 15 digits from the first that is no zero, and those after them; in memory, not on the heap. */
const parts = new Float64Array(2);
let digits = 0;
let places = 0;

/** False where the bytes are no digits with at most one point among them, or too many: 17 digits, 22 decimals. */
function scan(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  let point = -1;
  // Of zeros there may be one, before the point, and those behind it.
  if (bytes[at] === 48) {
    at += 1;
    if (at < end && bytes[at] !== 46) return false;
    point = at < end ? at : -1;
    for (at += 1; at < end && bytes[at] === 48; ) at += 1;
  }
  let head = 0;
  let tail = 0;
  let count = 0;
  for (; at < end; at += 1) {
    const digit = bytes[at]! - 48;
    if (digit >= 0 && digit <= 9) {
      count += 1;
      if (count <= 15) head = head * 10 + digit;
      else tail = tail * 10 + digit;
    } else if (digit === -2 && point < 0 && count > 0) point = at;
    else return false;
  }
  if (point >= 0 && (point === end - 1 || bytes[end - 1] === 48)) return false;
  parts[0] = head;
  parts[1] = tail;
  digits = count;
  places = point < 0 ? 0 : end - point - 1;
  return start < end && count <= 17 && places <= 22;
}

/** Below it numbers are written with an exponent. */
const PLAIN = 1e-6;

/** Whether String(Number(text)) of the bytes, which have no sign, gives them again; false: not sure. */
export function isShortestDouble(bytes: Uint8Array, start: number, end: number): boolean {
  if (!scan(bytes, start, end)) return false;
  const scale = POWERS[places]!;
  const head = parts[0]!;
  const tail = parts[1]!;
  // A decimal of at most 15 digits (DBL_DIG) that reads back to a double is the shortest text that does.
  if (digits <= 15) return head === 0 ? end === start + 1 : head / scale >= PLAIN;
  const shift = POWERS[digits - 15]!;
  const shifted = head * shift;
  const sum = shifted + tail;
  const low = tail - (sum - shifted) + productError(head, shift, shifted);
  const first = sum / scale;
  const product = first * scale;
  // The text is first + correction, all but exactly, and `away` behind the double that it reads as.
  const correction = (sum - product - productError(first, scale, product) + low) / scale;
  const value = first + correction;
  if (first + correction * MORE !== value || first + correction * LESS !== value) return false;
  const away = first - value + correction;
  const unit = 1 / scale;
  const last = bytes[end - 1]! - 48;
  return (
    value >= PLAIN &&
    // No other text of as many digits is nearer, and neither neighbour of one digit less reads as the same.
    Math.abs(away) < 0.499 * unit &&
    value + (away - last * unit) * LESS !== value &&
    value + (away + (10 - last) * unit) * LESS !== value
  );
}

/** The double that is nearest to the bytes, digits in plain form, up to 15 of them; NaN: not sure. */
export function readDecimal(bytes: Uint8Array, start: number, end: number): number {
  return scan(bytes, start, end) && digits <= 15 ? parts[0]! / POWERS[places]! : Number.NaN;
}
