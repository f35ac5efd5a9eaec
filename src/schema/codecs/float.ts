/** Floats: shortest text that reads back to the same number of the type. */
import type { ByteString, Value } from '../../core/types.ts';
import {
  type Codec,
  type Coded,
  fault,
  numberFault,
  type Rewrite,
  typedBy,
  type ValueFault,
} from './codec.ts';
import { decimalText } from './decimal.ts';
import { float32Of, isHalfway } from './float32.ts';
import { PUT_BYTES, type PutNumber, putFraction, putWhole } from './put.ts';
import { isShortestDouble, putShortest, readDecimal } from './shortest.ts';

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const NONFINITE = /^(?:[+-]?inf(?:inity)?|[+-]?nan)$/i;

/** Below this a float32 is subnormal and has fewer than six exact digits. */
const FLOAT32_MIN_NORMAL = 1.1754943508222875e-38;

export type FloatBits = 32 | 64;

export function floatCodec(bits: FloatBits, allowNonfinite: boolean): Codec {
  const name = `float${bits}`;
  const format = floatFormatter(bits, allowNonfinite);
  const parse = bits === 32 ? float32Of : Number;
  const sureDigits = bits === 32 ? 6 : 15;
  const isLong = bits === 32 ? isShortestSingle : isShortestDouble;
  const text = (cell: ByteString): Coded => {
    if (NUMBER.test(cell)) {
      const value = parse(cell);
      return Number.isFinite(value) ? format(value) : tooLarge(name, cell);
    }
    if (NONFINITE.test(cell)) return format(nonfiniteOf(cell));
    return numberFault('FLOAT', `${name} as a decimal number`, cell);
  };
  const exact = (value: Value): Coded => {
    const number = Number(value);
    const isExact =
      (bits === 64 || Math.fround(number) === number) && BigInt(number) === BigInt(value as bigint);
    return isExact
      ? format(number)
      : fault('FLOAT_RANGE', `an integer that ${name} holds exactly`, String(value));
  };
  return {
    text,
    stored: (bytes, start, end) =>
      isShortest(bytes, start, end, sureDigits) ||
      isLong(bytes, bytes[start] === 45 ? start + 1 : start, end),
    rewrite: rewriteBy(bits === 32 ? putSingle : putDouble),
    typed: typedBy(text, (type) => {
      if (type.kind === 'float') return (value) => format(value as number);
      if (type.kind === 'int') return exact;
      if (type.kind !== 'decimal') return null;
      return (value) => {
        const decimal = decimalText(value as bigint, type.scale);
        const number = parse(decimal);
        return Number.isFinite(number) ? format(number) : tooLarge(name, decimal);
      };
    }),
    put: (type) => (type.kind === 'float' ? signed(bits === 32 ? putPositive32 : putPositive64) : null),
  };
}

/**
 * Whether the cell is already the text that its float is stored as: plain decimal form without a needless
 * zero, of no more digits than any float of the type keeps (FLT_DIG, DBL_DIG). False where that is not sure.
 */
function isShortest(bytes: Uint8Array, start: number, end: number, sureDigits: number): boolean {
  const first = bytes[start] === 45 ? start + 1 : start;
  if (first >= end || end - first > sureDigits + 1) return false;
  let point = -1;
  let firstNonzero = -1;
  for (let i = first; i < end; i += 1) {
    const code = bytes[i]!;
    if (code === 46) {
      if (point >= 0 || i === first) return false;
      point = i;
    } else if (code < 48 || code > 57) return false;
    else if (firstNonzero < 0 && code !== 48) firstNonzero = i;
  }
  const digits = end - first - (point < 0 ? 0 : 1);
  if (digits > sureDigits || (point >= 0 && bytes[end - 1] === 48)) return false;
  if (point === end - 1) return false;
  const isZeroFirst = bytes[first] === 48;
  if (!isZeroFirst || end === first + 1) return true;
  // Below 1e-6 numbers are written with an exponent.
  return point === first + 1 && firstNonzero <= point + 6;
}

/** Number → stored text, of both text and typed sides, in JSON and vectors too. */
export function floatFormatter(bits: FloatBits, allowNonfinite: boolean): (value: number) => Coded {
  const shortest = bits === 32 ? float32Text : float64Text;
  return (value) => {
    const rounded = bits === 32 ? Math.fround(value) : value;
    if (Number.isFinite(rounded)) return shortest(rounded);
    if (Number.isFinite(value)) return tooLarge(`float${bits}`, String(value));
    if (!allowNonfinite) {
      return fault('FLOAT_RANGE', 'a finite number (allow_nonfinite is not set)', String(value));
    }
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  };
}

export function float64Text(value: number): string {
  if (value >= 0) return Object.is(value, -0) ? '-0' : positiveText(value);
  return value < 0 ? `-${positiveText(-value)}` : String(value);
}

/** A number below this times 10^4 is a whole number of at most 15 digits. */
const FEW_DIGITS = 1e10;

/**
 * As String(value), three times as fast for numbers of up to four decimals, which most columns hold: a decimal of
 * at most 15 digits (DBL_DIG) that reads back to a double is the shortest text that does.
 */
function positiveText(value: number): string {
  if (value < FEW_DIGITS) {
    const cents = Math.round(value * 100);
    if (cents / 100 === value) return decimalsText(cents, 100, 2);
    const parts = Math.round(value * 10_000);
    if (parts / 10_000 === value) return decimalsText(parts, 10_000, 4);
  }
  return String(value);
}

/** As float64Text and float32Text; 0 and -0 too are left to them. */
function signed(put: PutNumber): PutNumber {
  return (target, at, value, low) => {
    if (value > 0) return put(target, at, value, low);
    if (!(value < 0)) return -1;
    target[at] = 45;
    return put(target, at + 1, -value, low);
  };
}

/** As positiveText. */
function putPositive64(target: Uint8Array, at: number, value: number): number {
  if (!(value < FEW_DIGITS)) return -1;
  const cents = Math.round(value * 100);
  if (cents / 100 === value) return putParts(target, at, cents, 100, 2);
  const parts = Math.round(value * 10_000);
  return parts / 10_000 === value ? putParts(target, at, parts, 10_000, 4) : putShortest(target, at, value);
}

/** From 2^24 on a float32 may stand for more digits than it has; below 10^-6 it has an exponent. */
const FLOAT32_WHOLE = 2 ** 24;
const FLOAT32_PLAIN = 1e-6;

/** How far from the middle between two decimals the nearer one is sure to be. */
const SURE = 1e-6;

/** The fewest decimals that read back: as float32Text, which asks for the fewest digits. */
function putPositive32(target: Uint8Array, at: number, value: number): number {
  if (!(value < FLOAT32_WHOLE && value >= FLOAT32_PLAIN) || Math.fround(value) !== value) return -1;
  for (let places = 0, scale = 1; places <= 15; places += 1, scale *= 10) {
    const scaled = value * scale;
    const parts = Math.round(scaled);
    if (Math.fround(parts / scale) !== value) continue;
    if (Math.abs(Math.abs(scaled - parts) - 0.5) < SURE) return -1;
    return putParts(target, at, parts, scale, places);
  }
  return -1;
}

/** Of a number without its sign and needless zeros. */
function rewriteBy(put: Rewrite): Rewrite {
  return (bytes, start, end, target, at) => {
    const isNegative = bytes[start] === 45;
    let first = isNegative || bytes[start] === 43 ? start + 1 : start;
    while (first < end - 1 && bytes[first] === 48 && bytes[first + 1] !== 46) first += 1;
    const last = withoutZeros(bytes, first, end);
    // Of zero the sign is kept, and no digit there is no number.
    if (first >= last || (isNegative && last === first + 1 && bytes[first] === 48)) return -1;
    if (isNegative) target[at] = 45;
    return put(bytes, first, last, target, isNegative ? at + 1 : at);
  };
}

/** The end without zeros behind the first point, and without that if nothing stands behind it. */
function withoutZeros(bytes: Uint8Array, start: number, end: number): number {
  let point = start;
  while (point < end && bytes[point] !== 46) point += 1;
  if (point === end) return end;
  let last = end;
  while (bytes[last - 1] === 48) last -= 1;
  return last - 1 === point ? point : last;
}

const putDouble: Rewrite = (bytes, start, end, target, at) =>
  isShortestDouble(bytes, start, end) ? putBytes(bytes, start, end, target, at) : -1;

const putSingle: Rewrite = (bytes, start, end, target, at) => {
  const double = readDecimal(bytes, start, end);
  return Number.isNaN(double) || isHalfway(double) ? -1 : putPositive32(target, at, Math.fround(double));
};

function putBytes(bytes: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  for (let i = start; i < end; i += 1) target[at + i - start] = bytes[i]!;
  return at + end - start;
}

/** The shortest text of the float32 that the bytes read as. */
const single = new Uint8Array(PUT_BYTES);

/** As isShortestDouble, of a float32. */
function isShortestSingle(bytes: Uint8Array, start: number, end: number): boolean {
  const double = readDecimal(bytes, start, end);
  if (Number.isNaN(double) || isHalfway(double)) return false;
  const length = putPositive32(single, 0, Math.fround(double));
  if (length !== end - start) return false;
  for (let i = 0; i < length; i += 1) if (single[i] !== bytes[start + i]) return false;
  return true;
}

/** parts / scale, where scale is 10^places. */
function putParts(target: Uint8Array, at: number, parts: number, scale: number, places: number): number {
  const whole = Math.floor(parts / scale);
  return putFraction(target, putWhole(target, at, whole), parts - whole * scale, places);
}

function decimalsText(parts: number, scale: number, places: number): string {
  const whole = Math.floor(parts / scale);
  let digits = parts - whole * scale;
  if (digits === 0) return String(whole);
  let left = places;
  while (digits % 10 === 0) {
    digits /= 10;
    left -= 1;
  }
  return `${whole}.${String(digits).padStart(left, '0')}`;
}

/**
 * Where the nearest decimal of eight digits is not of this float but the one above it is: at a power of two the
 * neighbour above is twice as far as the one below. A test of all powers of two finds these three only.
 */
const FLOAT32_UPWARD: ReadonlyMap<number, string> = new Map([
  [2 ** -96, '1.2621775e-29'],
  [2 ** 87, '1.5474251e+26'],
  [2 ** 90, '1.2379401e+27'],
]);

/**
 * `value` must be a float32. Any decimal of up to six digits survives float32 (FLT_DIG), so where six digits
 * read back they hold the shortest text, and nine always read back.
 */
export function float32Text(value: number): string {
  if (value === 0) return float64Text(value);
  const from = Math.abs(value) < FLOAT32_MIN_NORMAL ? 1 : 6;
  for (let digits = from; digits < 9; digits += 1) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  const upward = FLOAT32_UPWARD.get(Math.abs(value));
  if (upward !== undefined) return value < 0 ? `-${upward}` : upward;
  return String(Number(value.toPrecision(9)));
}

function tooLarge(name: string, found: ByteString): ValueFault {
  return fault('FLOAT_RANGE', `a number within the range of ${name}`, found);
}

function nonfiniteOf(cell: ByteString): number {
  if (/nan/i.test(cell)) return Number.NaN;
  return cell.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
