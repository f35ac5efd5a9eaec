/** Integers of 8 to 64 bits: decimal digits in, shortest decimal out, exact. */
import type { ByteString, Value } from '../../core/types.ts';
import { type Codec, type Coded, fault, numberFault, typedBy } from './codec.ts';
import { putInteger } from './put.ts';

export interface IntRange {
  readonly min: bigint;
  readonly max: bigint;
}

export function intRange(bits: number, signed: boolean): IntRange {
  const size = BigInt(bits);
  return signed
    ? { min: -(1n << (size - 1n)), max: (1n << (size - 1n)) - 1n }
    : { min: 0n, max: (1n << size) - 1n };
}

/** Digits that a double holds exactly, whatever they are. */
const SAFE_DIGITS = 15;

/** Characters of -2^63 and of 2^64: more are out of range, without a BigInt made of them. */
const MOST_DIGITS = 20;

const FLOAT_ADVICE = 'cast it to an integer when the file is written: a float may have lost digits';

/** `name` is the type as users write it, such as `int64`. */
export function intCodec(name: string, range: IntRange): Codec {
  const min = Number(range.min);
  const max = Number(range.max);
  const outside = (found: string): Coded =>
    fault('INT_RANGE', `${name} (${range.min} to ${range.max})`, found);
  /** No integer of so few characters is out of range, but for a minus sign. */
  const sureLength = range.max.toString().length - 1;
  const text = (cell: ByteString): Coded => {
    const form = digitsForm(cell);
    if (form === 0) return numberFault('INT', `${name} in decimal digits`, cell);
    if (form === 1 && cell.length <= sureLength && (min < 0 || cell.charCodeAt(0) !== 45)) return cell;
    if (cell.length > SAFE_DIGITS) {
      const digits = cell.replace(/^(?:\+|(-))?0*(?=\d)/, '$1');
      if (digits.length > MOST_DIGITS) return outside(cell);
      const value = BigInt(digits);
      return value < range.min || value > range.max ? outside(cell) : value.toString();
    }
    const value = Number(cell);
    if (value < min || value > max) return outside(cell);
    return form === 1 ? cell : String(value === 0 ? 0 : value);
  };
  const whole = (value: Value): Coded => {
    if (typeof value === 'number') return value < min || value > max ? outside(String(value)) : String(value);
    const big = value as bigint;
    const number = Number(big);
    // Most are small, and numbers are several times as fast as bigints.
    if (Number.isSafeInteger(number)) {
      return number < min || number > max ? outside(String(number)) : String(number);
    }
    return big < range.min || big > range.max ? outside(big.toString()) : big.toString();
  };
  return {
    text,
    stored: (bytes, start, end) =>
      end - start <= sureLength && isShortest(bytes, start, end) && (min < 0 || bytes[start] !== 45),
    typed: typedBy(text, (type) => {
      if (type.kind === 'int' || type.kind === 'duration') return whole;
      if (type.kind === 'decimal' && type.scale === 0) return whole;
      return type.kind === 'float' ? FLOAT_ADVICE : null;
    }),
    put: (type) => {
      if (type.kind !== 'int' && type.kind !== 'duration') return null;
      return (target, at, value) => (value < min || value > max ? -1 : putInteger(target, at, value));
    },
  };
}

/** Whether digitsForm is 1. */
function isShortest(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start] === 45 ? start + 1 : start;
  if (first >= end) return false;
  for (let i = first; i < end; i += 1) {
    const code = bytes[i]!;
    if (code < 48 || code > 57) return false;
  }
  return bytes[first] !== 48 || (end === first + 1 && first === start);
}

/** 0: no integer · 1: an integer in its shortest form · 2: one with a plus sign, leading zeros or minus zero. */
function digitsForm(cell: ByteString): 0 | 1 | 2 {
  const first = cell.charCodeAt(0);
  const signed = first === 45 || first === 43;
  const start = signed ? 1 : 0;
  if (cell.length === start) return 0;
  for (let i = start; i < cell.length; i += 1) {
    const code = cell.charCodeAt(i);
    if (code < 48 || code > 57) return 0;
  }
  if (first === 43) return 2;
  return cell.charCodeAt(start) === 48 && (cell.length > start + 1 || signed) ? 2 : 1;
}
