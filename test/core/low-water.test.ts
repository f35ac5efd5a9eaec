/** The mark passes a batch when all of its rows are settled, and never a row that may have to be sent again. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createAccounts } from '../../src/core/accounts.ts';
import { createLedger } from '../../src/core/ledger.ts';
import { createLowWater, type LowWater } from '../../src/core/low-water.ts';
import type { RowOrigin } from '../../src/core/types.ts';

const ALL = { kind: 'count', max: Number.POSITIVE_INFINITY } as const;
const EMPTY = createLedger(ALL).state();

function originOf(firstRow: number, rowCount: number): RowOrigin {
  const position = (row: number) => ({ row: firstRow - 1 + row, line: firstRow + row, byte: 0 });
  const batch = { firstRow, rowCount, position, line: (row: number) => firstRow + row };
  return { source: { info: { name: 'in.csv' } }, batch, recordColumns: [] } as unknown as RowOrigin;
}

function desk(lowWater: LowWater) {
  const released: number[] = [];
  const sink = { write: (_: RowOrigin, row: number) => void released.push(row), flush: async () => {} };
  const ledger = createLedger(ALL);
  return { accounts: createAccounts(ledger, sink, () => {}, lowWater), ledger, released };
}

const markRow = (lowWater: LowWater): number => lowWater.mark().at?.position.row ?? 0;
const fault = { code: 'WRONGTYPE', column: null, reason: '' } as const;

it('waits for the slowest lane, and lets failures go in the order of the file', async () => {
  const lowWater = createLowWater({ state: EMPTY, doubtRows: 0, maxBatches: 2 });
  const { accounts, released } = desk(lowWater);
  const [a, b, c] = [originOf(1, 2), originOf(3, 2), originOf(5, 2)] as const;
  for (const origin of [a, b, c]) {
    accounts.begin(origin);
    accounts.take(origin, 2);
  }
  accounts.failed(b, 0, fault);
  accounts.written(b, 1);
  accounts.written(c, 2);
  await accounts.flush();
  expect([markRow(lowWater), released]).toEqual([0, []]);
  expect(accounts.mustSettle()).toBe(true);
  accounts.written(a, 2);
  await accounts.flush();
  // The last batch may still have rows to take.
  expect([markRow(lowWater), released]).toEqual([4, [0]]);
  expect(lowWater.mark().state.counts).toMatchObject({ read: 4, written: 3, failed: 1 });
  await accounts.close();
  expect(markRow(lowWater)).toBe(6);
});

it('ends inside a batch that was read in part, and before one with a row in doubt', async () => {
  const partly = createLowWater({ state: EMPTY, doubtRows: 0, maxBatches: 9 });
  const one = desk(partly).accounts;
  const a = originOf(1, 10);
  one.begin(a);
  one.take(a, 3);
  one.written(a, 3);
  await one.close();
  expect(markRow(partly)).toBe(3);

  const doubtful = createLowWater({ state: EMPTY, doubtRows: 0, maxBatches: 9 });
  const two = desk(doubtful);
  two.accounts.begin(a);
  two.accounts.take(a, 2);
  two.accounts.written(a, 1);
  two.accounts.failed(a, 1, { ...fault, code: 'UNSETTLED' });
  await two.accounts.close();
  expect([markRow(doubtful), two.released]).toEqual([0, [1]]);
  expect(doubtful.mark().state.counts.read).toBe(0);
});

it('rows that an earlier run may have written count as written where Redis says unchanged', () => {
  const before = createLedger(ALL);
  before.take(10);
  before.written(10);
  const lowWater = createLowWater({ state: before.state(), doubtRows: 12, maxBatches: 9 });
  const { accounts, ledger } = desk(lowWater);
  for (const origin of [originOf(11, 2), originOf(13, 2)]) {
    accounts.begin(origin);
    accounts.take(origin, 2);
    accounts.skipped(origin, 'unchanged', 2);
  }
  expect(ledger.counts()).toMatchObject({ read: 4, written: 2, skipped: 2 });
});

it('wherever a run is cut, mark and what is read from there on give the counts of one run', async () => {
  const batches = fc.array(fc.array(fc.constantFrom('w', 'f', 's'), { minLength: 1, maxLength: 4 }), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(
      batches,
      fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
      fc.nat(40),
      async (rows, order, cut) => {
        const lowWater = createLowWater({ state: EMPTY, doubtRows: 0, maxBatches: 99 });
        const { accounts } = desk(lowWater);
        let first = 1;
        const settling: { at: number; settle: () => void }[] = [];
        for (const batch of rows) {
          const origin = originOf(first, batch.length);
          first += batch.length;
          accounts.begin(origin);
          accounts.take(origin, batch.length);
          for (const [row, fate] of batch.entries()) {
            const at = order[settling.length] ?? 0;
            const settle = (): void => {
              if (fate === 'w') accounts.written(origin, 1);
              else if (fate === 's') accounts.skipped(origin, 'stale', 1);
              else accounts.failed(origin, row, fault);
            };
            settling.push({ at, settle });
          }
        }
        settling.sort((x, y) => x.at - y.at);
        for (const { settle } of settling.slice(0, cut)) settle();
        await accounts.flush();
        const fates = rows.flat().slice(0, markRow(lowWater));
        const { counts } = lowWater.mark().state;
        expect(counts.read).toBe(fates.length);
        expect(counts.written).toBe(fates.filter((fate) => fate === 'w').length);
        expect(counts.failed).toBe(fates.filter((fate) => fate === 'f').length);
      },
    ),
    { numRuns: 300 },
  );
});
