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
import { PUT_BYTES, type PutNumber, putBytes, putFraction, putWhole } from './put.ts';
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
    // Whether a float32 stands in its shortest text is found by writing that.
    stored:
      bits === 32
        ? null
        : (bytes, start, end) => isShortestDouble(bytes, bytes[start] === 45 ? start + 1 : start, end),
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
    put: (type) => (type.kind === 'float' ? (bits === 32 ? put32 : put64) : null),
  };
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
  if (Object.is(value, -0)) return '-0';
  const end = put64(written, 0, value, 0);
  return end < 0 ? String(value) : written.latin1Slice(0, end);
}

/** Where the text of one number is written. */
const written = Buffer.alloc(PUT_BYTES);

/** A number below this times 10^4 is a whole number of at most 15 digits. */
const FEW_DIGITS = 1e10;

/** As float64Text and float32Text; 0 and -0 too are left to them. */
function signed(put: PutNumber): PutNumber {
  return (target, at, value, low) => {
    if (value > 0) return put(target, at, value, low);
    if (!(value < 0)) return -1;
    target[at] = 45;
    return put(target, at + 1, -value, low);
  };
}

/**
 * As String(value), many times as fast for numbers of up to four decimals, which most columns hold: a decimal of
 * at most 15 digits (DBL_DIG) that reads back to a double is the shortest text that does.
 */
function putPositive64(target: Uint8Array, at: number, value: number): number {
  if (!(value < FEW_DIGITS)) return -1;
  const cents = Math.round(value * 100);
  if (cents / 100 === value) return putParts(target, at, cents, 100, 2);
  const parts = Math.round(value * 10_000);
  return parts / 10_000 === value ? putParts(target, at, parts, 10_000, 4) : putShortest(target, at, value);
}

const put64 = signed(putPositive64);
const put32 = signed(putPositive32);

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
  isShortestDouble(bytes, start, end) ? putBytes(target, at, bytes, start, end) : -1;

const putSingle: Rewrite = (bytes, start, end, target, at) => {
  const double = readDecimal(bytes, start, end);
  if (double === 0) return putBytes(target, at, bytes, start, end);
  return Number.isNaN(double) || isHalfway(double) ? -1 : putPositive32(target, at, Math.fround(double));
};

/** parts / scale, where scale is 10^places. */
function putParts(target: Uint8Array, at: number, parts: number, scale: number, places: number): number {
  const whole = Math.floor(parts / scale);
  return putFraction(target, putWhole(target, at, whole), parts - whole * scale, places);
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
