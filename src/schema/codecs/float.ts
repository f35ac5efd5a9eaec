/** Floats: shortest text that reads back to the same number of the type. */
import type { ByteString, Value } from '../../core/types.ts';
import { type Codec, type Coded, fault, typedBy, type ValueFault } from './codec.ts';
import { decimalText } from './decimal.ts';

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NONFINITE = /^(?:[+-]?inf(?:inity)?|[+-]?nan)$/i;

/** Below this a float32 is subnormal and has fewer than six exact digits. */
const FLOAT32_MIN_NORMAL = 1.1754943508222875e-38;

export type FloatBits = 32 | 64;

export function floatCodec(bits: FloatBits, allowNonfinite: boolean): Codec {
  const name = `float${bits}`;
  const format = floatFormatter(bits, allowNonfinite);
  const text = (cell: ByteString): Coded => {
    if (NUMBER.test(cell)) {
      const value = Number(cell);
      return Number.isFinite(value) ? format(value) : tooLarge(name, cell);
    }
    if (NONFINITE.test(cell)) return format(nonfiniteOf(cell));
    return fault('FLOAT', `${name} as a decimal number`, cell);
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
    typed: typedBy(text, (type) => {
      if (type.kind === 'float') return (value) => format(value as number);
      if (type.kind === 'int') return exact;
      if (type.kind !== 'decimal') return null;
      return (value) => format(Number(decimalText(value as bigint, type.scale)));
    }),
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
  return value === 0 && Object.is(value, -0) ? '-0' : String(value);
}

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
  return String(Number(value.toPrecision(9)));
}

function tooLarge(name: string, found: ByteString): ValueFault {
  return fault('FLOAT_RANGE', `a number within the range of ${name}`, found);
}

function nonfiniteOf(cell: ByteString): number {
  if (/nan/i.test(cell)) return Number.NaN;
  return cell.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
