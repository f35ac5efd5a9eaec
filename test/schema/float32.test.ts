/** float32 from text is rounded once: decimals beside the midpoints of two float32 go to the nearer one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floatCodec } from '../../src/schema/codecs/float.ts';
import { float32Of, isHalfway } from '../../src/schema/codecs/float32.ts';
import { vectorCodec } from '../../src/schema/codecs/vector.ts';

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** The positive float32 of these bits. */
function ofBits(at: number): number {
  bits[0] = at;
  return floats[0] ?? 0;
}

/** Every digit of a double, which is some integer by a power of two. */
function exactText(double: number): string {
  let numerator = double;
  let shift = 0;
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    shift += 1;
  }
  return `${BigInt(numerator) * 5n ** BigInt(shift)}e-${shift}`;
}

const beside = (text: string, side: 'above' | 'below'): string => {
  const [digits = '', exponent = ''] = text.split('e-');
  const more = BigInt(digits) * 10n ** 30n + (side === 'above' ? 1n : -1n);
  return `${more}e-${Number(exponent) + 30}`;
};

/** From the smallest one above zero to the last but one. */
const anyBits = fc.oneof(
  fc.integer({ min: 0, max: 0x7f7ffffe }),
  fc.constantFrom(0, 1, 0x007fffff, 0x00800000, 0x7f7ffffe, 0x3f800000),
);

describe('midpoints', () => {
  it('a hair above or below goes to the nearer one, the midpoint to the even one', () => {
    fc.assert(
      fc.property(anyBits, fc.constantFrom('', '-'), (at, sign) => {
        const [low, high] = [ofBits(at), ofBits(at + 1)];
        const middle = exactText(low + (high - low) / 2);
        const signed = (value: number): number => (sign === '-' ? -value : value);
        expect(isHalfway(signed(low + (high - low) / 2))).toBe(true);
        expect(float32Of(sign + beside(middle, 'below'))).toBe(signed(low));
        expect(float32Of(sign + beside(middle, 'above'))).toBe(signed(high));
        expect(float32Of(sign + middle)).toBe(signed(at % 2 === 0 ? low : high));
      }),
      { numRuns: 500 },
    );
  });

  it('of other doubles it is what Math.fround gives', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (double) => {
        fc.pre(!isHalfway(double) && !Object.is(double, -0));
        expect(float32Of(String(double))).toBe(Math.fround(double));
      }),
    );
  });

  it('the end of the range', () => {
    const edge = String(2n ** 128n - 2n ** 103n);
    expect(float32Of(`${BigInt(edge) - 1n}`)).toBe(ofBits(0x7f7fffff));
    expect(float32Of(edge)).toBe(Number.POSITIVE_INFINITY);
    expect(float32Of(`-${BigInt(edge) - 1n}`)).toBe(-ofBits(0x7f7fffff));
    expect(float32Of('1e400')).toBe(Number.POSITIVE_INFINITY);
    expect(float32Of('0')).toBe(0);
  });
});

describe('features', () => {
  // A double takes both for the midpoint of 1 and the next float32.
  const above = '1.000000059604644775390625000000000000001';
  const below = '1.000000059604644775390624999999999999999';

  it.each([
    [above, '1.0000001'],
    [below, '1'],
    ['1.000000059604644775390625', '1'],
  ])('float32 %s → %s', (cell, stored) => {
    expect(floatCodec(32, false).text(cell)).toBe(stored);
  });

  it('vector<float32> from JSON text', () => {
    const codec = vectorCodec({ bits: 32, length: 4, encoding: 'json', allowNonfinite: true });
    expect(codec.text(`[ ${above}, NaN ,${below},0.5]`)).toBe('[1.0000001,"nan",1,0.5]');
  });

  it('a decimal column', () => {
    const typed = floatCodec(32, false).typed({ kind: 'decimal', precision: 76, scale: 39 });
    expect(typeof typed === 'string' ? typed : typed(BigInt(above.replace('.', '')))).toBe('1.0000001');
  });
});
