/** Decimal text → the nearest float32, rounded once: by way of a double a number near a midpoint is rounded twice. */

/** Half-way between the largest float32 and 2^128, where it would go on: from here on a number is too large. */
const TOO_LARGE = 2 ** 128 - 2 ** 103;
const LARGEST = 2 ** 128 - 2 ** 104;

/**
 * `text` is a decimal number. To the nearest, of two equally near ones the even one; ±Infinity beyond the range.
 * Rounding keeps order, so the double of the text lies on the same side of a midpoint as the text, or on the midpoint
 * itself: then the digits decide.
 */
export function float32Of(text: string): number {
  const double = Number(text);
  const single = Math.fround(double);
  if (!isHalfway(double)) return single;
  const order = compareSize(text, Math.abs(double));
  if (order === 0) return single;
  const [below, above] = around(Math.abs(double));
  return Math.sign(double) * (order < 0 ? below : above);
}

/** Whether a double lies half-way between two float32; the largest of them and the one it has not count as two. */
export function isHalfway(double: number): boolean {
  const size = Math.abs(double);
  if (size >= TOO_LARGE || size === 0 || Number.isNaN(size)) return size === TOO_LARGE;
  const single = Math.fround(size);
  if (single === size) return false;
  const [below, above] = around(size);
  // Exact: the three lie within a factor of two, or below are multiples of 2^-150.
  return size - below === above - size;
}

/** The float32 next to a positive double that is none, below and above. */
function around(size: number): [below: number, above: number] {
  if (size >= TOO_LARGE) return [LARGEST, Number.POSITIVE_INFINITY];
  const single = Math.fround(size);
  if (single > size) return [neighbour(single, -1), single];
  return [single, neighbour(single, 1)];
}

const FLOATS = new Float32Array(1);
const BITS = new Int32Array(FLOATS.buffer);

/** Positive float32 follow each other as their bits do. */
function neighbour(single: number, step: 1 | -1): number {
  FLOATS[0] = single;
  BITS[0] = (BITS[0] ?? 0) + step;
  return FLOATS[0] ?? 0;
}

/** The sign of |text| − size, exactly. */
function compareSize(text: string, size: number): number {
  const [, whole = '', fraction = '', exponent = '0'] =
    /^[+-]?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const ten = Number(exponent) - fraction.length;
  const [mantissa, two] = parts(size);
  let left = BigInt(whole + fraction);
  let right = mantissa;
  if (ten >= 0) left *= 10n ** BigInt(ten);
  else right *= 10n ** BigInt(-ten);
  if (two >= 0) right <<= BigInt(two);
  else left <<= BigInt(-two);
  return left < right ? -1 : left > right ? 1 : 0;
}

const DOUBLES = new Float64Array(1);
const LONGS = new BigUint64Array(DOUBLES.buffer);

/** A positive normal double as mantissa · 2^exponent. */
function parts(size: number): [mantissa: bigint, exponent: number] {
  DOUBLES[0] = size;
  const bits = LONGS[0] ?? 0n;
  return [(bits & 0xfffffffffffffn) | 0x10000000000000n, Number(bits >> 52n) - 1075];
}
