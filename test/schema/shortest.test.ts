/** Floats that are written and recognised without V8's strings: never another text than String gives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isShortestDouble, putShortest } from '../../src/schema/codecs/shortest.ts';
import { schemaOf, storeText } from './support.ts';

const RUNS = 20_000;
const target = Buffer.alloc(64);

/** Null: it was not sure. */
function written(value: number): string | null {
  const end = putShortest(target, 1, value);
  return end < 0 ? null : target.latin1Slice(1, end);
}

function isShortest(text: string): boolean {
  return isShortestDouble(Buffer.from(text), 0, text.length);
}

const positive = fc.double({ min: 1e-7, max: 1e17, noNaN: true });
/** Where the gap below is half of the one above, and their neighbours. */
const borders = fc
  .tuple(fc.integer({ min: -20, max: 56 }), fc.constantFrom(0, 2 ** -52, -(2 ** -53)))
  .map(([exponent, away]) => 2 ** exponent * (1 + away));
const digits = fc.tuple(fc.integer({ min: 1, max: 17 }), positive).map(([count, value]) => {
  return Number(value.toPrecision(count));
});

it('what is written is what String gives', () => {
  fc.assert(
    fc.property(fc.oneof(positive, borders, digits), (value) => {
      expect([String(value), null]).toContain(written(value));
    }),
    { numRuns: RUNS },
  );
});

it('a text that is taken for the shortest is', () => {
  const near = fc
    .tuple(fc.oneof(positive, borders, digits), fc.integer({ min: 0, max: 9 }))
    .map(([value, digit]) => {
      const text = String(value);
      return digit < 5 ? text : `${text.slice(0, -1)}${digit}`;
    });
  const any = fc.stringMatching(/^[0-9]{1,9}\.?[0-9]{0,18}$/);
  fc.assert(
    fc.property(fc.oneof(near, any), (text) => {
      if (isShortest(text)) expect(String(Number(text))).toBe(text);
    }),
    { numRuns: RUNS },
  );
});

it('nearly all numbers of 16 and 17 digits are sure', () => {
  const values = Array.from({ length: 1000 }, (_, i) => ((i + 1) * Math.SQRT2) / 3);
  const long = values.filter((value) => String(value).length >= 17);
  expect(long.length).toBeGreaterThan(900);
  expect(long.filter((value) => written(value) === String(value)).length).toBeGreaterThan(long.length * 0.98);
  expect(long.filter((value) => isShortest(String(value))).length).toBeGreaterThan(long.length * 0.98);
});

describe('no plain form', () => {
  it.each([
    '',
    '.',
    '-1',
    '+1',
    '1.',
    '.5',
    '00.5',
    '01',
    '1.0',
    '1.50',
    '1e5',
    '1.2.3',
    ' 1',
    '1 ',
    'nan',
    '0.0',
  ])('%j', (text) => {
    expect(isShortest(text)).toBe(false);
  });

  it.each(['0', '7', '0.5', '10', '1234.5', '0.000001', '0.30000000000000004'])('%j is one', (text) => {
    expect(isShortest(text)).toBe(true);
  });

  it.each([0, -0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-7, 1e21])('%d', (value) => {
    expect(written(value)).toBeNull();
  });
});

it('float32 from text of up to 9 digits', () => {
  const schema = schemaOf('float32');
  fc.assert(
    fc.property(
      fc.float({ min: Math.fround(1e-7), max: 2 ** 26, noNaN: true }),
      fc.integer({ min: 5, max: 12 }),
      (value, count) => {
        const text = String(Number(value.toPrecision(count)));
        const stored = storeText(schema, text) ?? '';
        expect(Math.fround(Number(stored))).toBe(value === 0 ? 0 : Math.fround(Number(text)));
        expect(stored.length).toBeLessThanOrEqual(text.length);
      },
    ),
  );
});
