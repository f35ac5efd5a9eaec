/** min, max and max_bytes: checks on what a codec gives. */
import type { ByteString } from '../core/types.ts';
import { type Codec, type Coded, fault, isFault, type Rewrite, type StoredForm } from './codecs/codec.ts';
import type { FeatureForm } from './form.ts';

interface Check {
  of(stored: ByteString): Coded;
  /** Whether bytes[start .. end) pass; false: not sure. */
  readonly passes: StoredForm | null;
}

/** The codec with the form's limits; a bound that is no number of the type is a problem. */
export function limited(
  codec: Codec,
  form: FeatureForm,
  problem: (option: string, message: string) => void,
): Codec {
  const checks = [boundCheck(codec, form, problem), lengthCheck(form)].filter((check) => check !== null);
  return checks.reduce(checked, codec);
}

function checked(codec: Codec, check: Check): Codec {
  const { stored } = codec;
  const { passes } = check;
  return {
    stored:
      stored === null || passes === null
        ? null
        : (bytes, start, end) => stored(bytes, start, end) && passes(bytes, start, end),
    rewrite: checkedRewrite(codec, check),
    text: (cell) => {
      const coded = codec.text(cell);
      return isFault(coded) ? coded : check.of(coded);
    },
    typed: (type) => {
      const typed = codec.typed(type);
      if (typeof typed === 'string') return typed;
      return (value) => {
        const coded = typed(value);
        return isFault(coded) ? coded : check.of(coded);
      };
    },
    put: (type) => {
      const put = codec.put?.(type) ?? null;
      if (put === null || passes === null) return null;
      return (target, at, value, low) => {
        const end = put(target, at, value, low);
        return end >= 0 && passes(target, at, end) ? end : -1;
      };
    },
  };
}

function checkedRewrite({ rewrite }: Codec, { passes }: Check): Rewrite | null {
  if (!rewrite || passes === null) return null;
  return (bytes, start, end, target, at) => {
    const after = rewrite(bytes, start, end, target, at);
    return after >= 0 && passes(target, at, after) ? after : -1;
  };
}

function lengthCheck({ max_bytes: max }: FeatureForm): Check | null {
  if (max === undefined) return null;
  return {
    passes: (_bytes, start, end) => end - start <= max,
    of: (stored) =>
      stored.length <= max
        ? stored
        : { code: 'TOO_LONG', reason: `expected at most ${max} bytes (max_bytes), found ${stored.length}` },
  };
}

function boundCheck(
  codec: Codec,
  form: FeatureForm,
  problem: (option: string, message: string) => void,
): Check | null {
  if (form.min === undefined && form.max === undefined) return null;
  const read = (option: 'min' | 'max'): string | null => {
    if (form[option] === undefined) return null;
    const coded = codec.text(String(form[option]));
    if (!isFault(coded)) return coded;
    problem(option, coded.reason);
    return null;
  };
  const min = read('min');
  const max = read('max');
  const compare = comparer(form.type);
  if (min !== null && max !== null && compare(min, max) > 0)
    problem('min', `expected at most max (${max}), found ${min}`);
  const expected = `a value ${min === null ? '' : `from ${min} `}${max === null ? '' : `to ${max}`}`.trim();
  return {
    passes: form.type === 'decimal' ? null : between(min, max),
    of: (stored) => {
      const isWithin =
        (min === null || compare(stored, min) >= 0) && (max === null || compare(stored, max) <= 0);
      return isWithin ? stored : fault('BOUNDS', expected, stored);
    },
  };
}

/** Digits that make a number without rounding: up to 15, divided by a power of ten once, as Number() would. */
const SURE_LENGTH = 15;

/** For integers and floats in plain decimal form. A bound that a double rounds is far from any number so short. */
function between(min: string | null, max: string | null): StoredForm {
  const low = min === null ? Number.NEGATIVE_INFINITY : numberOf(min);
  const high = max === null ? Number.POSITIVE_INFINITY : numberOf(max);
  return (bytes, start, end) => {
    if (end - start > SURE_LENGTH) return false;
    let digits = 0;
    let scale = 0;
    for (let i = bytes[start] === 45 ? start + 1 : start; i < end; i += 1) {
      if (bytes[i] === 46) scale = end - i - 1;
      else digits = digits * 10 + bytes[i]! - 48;
    }
    const value = (bytes[start] === 45 ? -digits : digits) / 10 ** scale;
    return value >= low && value <= high;
  };
}

/** Orders stored numbers: 64-bit integers and decimals exactly, floats as floats (nan is within nothing). */
function comparer(type: string): (a: string, b: string) => number {
  if (type.startsWith('float')) return (a, b) => numberOf(a) - numberOf(b);
  if (type === 'decimal') return compareDecimals;
  if (!type.endsWith('64')) return (a, b) => Number(a) - Number(b);
  return (a, b) => {
    if (a.length < 16 && b.length < 16) return Number(a) - Number(b);
    return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  };
}

function numberOf(stored: string): number {
  if (stored === 'inf') return Number.POSITIVE_INFINITY;
  return stored === '-inf' ? Number.NEGATIVE_INFINITY : Number(stored);
}

function compareDecimals(a: string, b: string): number {
  const scale = Math.max(scaleOf(a), scaleOf(b));
  const difference = unscaled(a, scale) - unscaled(b, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function scaleOf(decimal: string): number {
  const point = decimal.indexOf('.');
  return point < 0 ? 0 : decimal.length - point - 1;
}

function unscaled(decimal: string, scale: number): bigint {
  return BigInt(decimal.replace('.', '') + '0'.repeat(scale - scaleOf(decimal)));
}
