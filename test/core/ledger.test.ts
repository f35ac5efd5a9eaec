import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createLedger,
  EXAMPLES_OF_CODE,
  parseBudget,
  type RowFailure,
  SHOWN_FAILURES,
} from '../../src/core/ledger.ts';

function failure(stage: RowFailure['stage']): RowFailure {
  return { source: 'a.csv', row: 1, line: 2, stage, code: 'INT', column: 'x', reason: 'expected …' };
}

describe('parseBudget', () => {
  it.each([
    ['0', { kind: 'count', max: 0 }],
    ['25', { kind: 'count', max: 25 }],
    ['all', { kind: 'count', max: Number.POSITIVE_INFINITY }],
    ['0.5%', { kind: 'share', max: 0.005 }],
    ['100%', { kind: 'share', max: 1 }],
    ['-1', null],
    ['1.5', null],
    ['101%', null],
    ['', null],
  ])('%s', (text, budget) => {
    expect(parseBudget(text)).toEqual(budget);
  });
});

describe('the budget', () => {
  it('of a count is over with one more', () => {
    const ledger = createLedger({ kind: 'count', max: 1 });
    ledger.take(2);
    ledger.failure(failure('map'));
    expect(ledger.overBudget(true)).toBe(false);
    ledger.failure(failure('write'));
    expect(ledger.overBudget(false)).toBe(true);
  });

  it('of a share is judged from 1000 rows on, and at the end however few', () => {
    const ledger = createLedger({ kind: 'share', max: 0.01 });
    ledger.take(999);
    for (let i = 0; i < 50; i += 1) ledger.failure(failure('map'));
    expect(ledger.overBudget(false)).toBe(false);
    expect(ledger.overBudget(true)).toBe(true);
    ledger.take(1);
    expect(ledger.overBudget(false)).toBe(true);
  });
});

it('counts each row once, by code, and balances exactly when every row has its fate', () => {
  const fate = fc.constantFrom('written', 'empty', 'stale', 'read', 'map', 'write', 'lost');
  fc.assert(
    fc.property(fc.array(fate), (fates) => {
      const ledger = createLedger({ kind: 'count', max: Number.POSITIVE_INFINITY });
      ledger.take(fates.length);
      for (const f of fates) {
        if (f === 'written') ledger.written(1);
        else if (f === 'empty' || f === 'stale') ledger.skipped(f, 1);
        else if (f === 'read' || f === 'map' || f === 'write') ledger.failure(failure(f));
      }
      const bad = fates.filter((f) => f === 'read' || f === 'map' || f === 'write').length;
      expect(ledger.counts().rejected + ledger.counts().failed).toBe(bad);
      expect(ledger.failuresByCode().get('INT') ?? 0).toBe(bad);
      expect(ledger.firstFailures().length).toBe(Math.min(bad, SHOWN_FAILURES));
      if (fates.includes('lost')) expect(() => ledger.assertBalanced()).toThrow(/do not add up/);
      else ledger.assertBalanced();
    }),
  );
});

it('keeps a few examples of each code, however many rows fail', () => {
  const ledger = createLedger({ kind: 'count', max: Number.POSITIVE_INFINITY });
  for (let row = 1; row <= 50; row += 1) ledger.failure({ ...failure('map'), row });
  ledger.failure({ ...failure('map'), code: 'FLOAT', row: 51 });
  const rows = [...ledger.examples()].map(([code, some]) => [code, some.map((each) => each.row)]);
  expect(rows).toEqual([
    ['INT', Array.from({ length: EXAMPLES_OF_CODE }, (_, i) => i + 1)],
    ['FLOAT', [51]],
  ]);
});
