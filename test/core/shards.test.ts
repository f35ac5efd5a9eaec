import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Cut, chooseCuts, createCutList } from '../../src/core/shards.ts';

const position = (row: number) => ({ row, line: row + 1, byte: 0 });

/** One source of `rows` rows with row groups that begin at `borders`. */
function cutsOf(rows: number, borders: readonly number[], max: number): { cuts: readonly Cut[]; end: Cut } {
  const list = createCutList(max);
  list.add({ at: 0, source: 0, position: null, isCheap: true });
  for (let at = 1; at < rows; at++) {
    const isCheap = borders.includes(at);
    if (isCheap || list.next(at) === at) list.add({ at, source: 0, position: position(at), isCheap });
  }
  return { cuts: list.cuts(), end: { at: rows, source: 1, position: null, isCheap: true } };
}

const sizes = (cuts: readonly Cut[]): number[] => cuts.slice(1).map(({ at }, i) => at - (cuts[i]?.at ?? 0));

it.each([
  ['even', 100, [], 4, [25, 25, 25, 25]],
  ['a row group near enough', 100, [24], 4, [24, 26, 25, 25]],
  ['a row group too far off', 100, [20], 4, [25, 25, 25, 25]],
  ['more shards than rows', 2, [], 4, [0, 1, 0, 1]],
  ['no rows', 0, [], 2, [0, 0]],
] as const)('%s', (_name, rows, borders, shards, expected) => {
  const { cuts, end } = cutsOf(rows, borders, 1000);
  expect(sizes(chooseCuts(cuts, end, shards)).sort()).toEqual([...expected].sort());
});

it('whatever the rows, shards follow on each other, hold every row once and are about even', () => {
  const rows = fc.integer({ min: 0, max: 2000 });
  const borders = fc.array(fc.nat(2000), { maxLength: 5 });
  fc.assert(
    fc.property(
      rows,
      borders,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 64, max: 300 }),
      (n, at, shards, max) => {
        const { cuts, end } = cutsOf(n, at, max);
        expect(cuts.length).toBeLessThanOrEqual(max + 2 + at.length);
        const chosen = chooseCuts(cuts, end, shards);
        expect(chosen).toHaveLength(shards + 1);
        const found = sizes(chosen);
        expect(found.reduce((sum, size) => sum + size, 0)).toBe(n);
        const apart = (2 * n) / max + 1;
        for (const size of found) {
          expect(size).toBeGreaterThanOrEqual(0);
          expect(Math.abs(size - n / shards)).toBeLessThanOrEqual(2 * Math.max(apart, n / shards / 8) + 1);
        }
      },
    ),
    { numRuns: 300 },
  );
});
