import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createSketch, MOST, RELATIVE_ERROR } from '../../src/core/sketch.ts';

const values = fc.array(
  fc.oneof(
    fc.nat(),
    fc.double({ min: 0, max: MOST, noNaN: true }),
    fc.constantFrom(0, 1, 0.5, 1000, 86_400_000),
  ),
  { minLength: 1, maxLength: 200 },
);

it('a quantile is within the relative error of the value of its rank; min and max are exact', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (numbers, q) => {
      const sketch = createSketch();
      for (const number of numbers) sketch.add(number);
      const sorted = [...numbers].sort((a, b) => a - b);
      const exact = sorted[Math.floor(q * (sorted.length - 1))] ?? 0;
      const found = sketch.quantile(q) ?? Number.NaN;
      // Below 1 counts as 0, which is said; the last term is the rounding of doubles.
      const allowed = exact < 1 ? 1 : exact * RELATIVE_ERROR * (1 + 1e-9);
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(allowed);
      expect(found).toBeGreaterThanOrEqual(sorted[0] ?? 0);
      expect(found).toBeLessThanOrEqual(sorted.at(-1) ?? 0);
      expect([sketch.min, sketch.max, sketch.count]).toEqual([sorted[0], sorted.at(-1), sorted.length]);
    }),
    { numRuns: 500 },
  );
});

it('without values there is no answer, and what is no number from 0 up is left out', () => {
  const sketch = createSketch();
  for (const value of [Number.NaN, -1, Number.NEGATIVE_INFINITY]) sketch.add(value);
  expect([sketch.count, sketch.min, sketch.max, sketch.quantile(0.5)]).toEqual([0, null, null, null]);
});
