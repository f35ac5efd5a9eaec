/** The loop alone, on rows in memory: whatever ends a run, every row read has exactly one fate. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createAccounts } from '../../src/core/accounts.ts';
import { FeaturectlError } from '../../src/core/errors.ts';
import { type Ending, ingest } from '../../src/core/ingest.ts';
import { createLedger, type Ledger } from '../../src/core/ledger.ts';
import type {
  ColumnBatch,
  EncodeStep,
  RowEncoder,
  RowOrigin,
  Source,
  WriteListener,
  Writer,
} from '../../src/core/types.ts';

/** `g`ood, `b`ad (map stage), `e`mpty, `f`ails in Redis, `x` the source breaks, `d` Redis dies, `i` interrupt. */
type Row = 'g' | 'b' | 'e' | 'f' | 'x' | 'd' | 'i';

interface Outcome {
  readonly ending: Ending;
  readonly ledger: Ledger;
  readonly closed: number;
}

async function run(files: readonly string[], maxErrors: number, chunkRows: number): Promise<Outcome> {
  const ledger = createLedger({ kind: 'count', max: maxErrors });
  const failures = { write: () => {}, flush: async () => {} };
  const interrupt = new AbortController();
  const accounts = createAccounts(ledger, failures, () => {});
  let closed = 0;
  const sources = files.map((rows) => async () => {
    return sourceOf(rows.split('') as Row[], interrupt, () => {
      closed += 1;
    });
  });
  const writer = writerOf(accounts, chunkRows);
  const compile = (source: Source): RowEncoder => encoderOf(source);
  const ending = await ingest({
    sources,
    compile,
    writer,
    ledger,
    accounts,
    signal: interrupt.signal,
    graceMs: 5,
  });
  return { ending, ledger, closed };
}

const rowsOf = new WeakMap<ColumnBatch, readonly Row[]>();

function sourceOf(rows: readonly Row[], interrupt: AbortController, onClose: () => void): Source {
  async function* batches(): AsyncGenerator<ColumnBatch> {
    for (let from = 0; from < rows.length; from += 3) {
      const part = rows.slice(from, from + 3);
      if (part.includes('x')) throw new FeaturectlError('SOURCE_CORRUPT', 'broken');
      if (part.includes('i')) interrupt.abort();
      const batch: ColumnBatch = {
        rowCount: part.length,
        firstRow: from + 1,
        columns: [],
        faults: null,
        line: (row) => from + row + 2,
        record: () => [],
        position: (row) => ({ row: from + row, line: from + row + 2, byte: 2 * (from + row) }),
      };
      rowsOf.set(batch, part);
      yield batch;
    }
  }
  return {
    info: { name: 'memory.csv', format: 'csv', totalBytes: null },
    columns: [],
    recordColumns: () => [],
    warnings: [],
    bytesRead: () => 0,
    batches,
    close: async () => onClose(),
  };
}

function encoderOf(_source: Source): RowEncoder {
  return {
    selected: [],
    warnings: [],
    encode: (origin, start, sink): EncodeStep => {
      let empty = 0;
      for (let row = start; row < origin.batch.rowCount; row += 1) {
        const kind = rowsOf.get(origin.batch)?.[row];
        if (kind === 'e') {
          empty += 1;
        } else if (kind === 'b') {
          const fault = { code: 'INT', column: 'x', reason: 'bad' } as const;
          return { next: row + 1, empty, fault, stage: 'map', full: false };
        } else if (sink.commit(origin, row)) {
          return { next: row + 1, empty, fault: null, stage: 'map', full: true };
        }
      }
      return { next: origin.batch.rowCount, empty, fault: null, stage: 'map', full: false };
    },
  };
}

function writerOf(listener: WriteListener, chunkRows: number): Writer {
  let open: [RowOrigin, number][] = [];
  const tell = (code: 'UNSETTLED' | null): void => {
    for (const [origin, row] of open.splice(0)) {
      const isFailed = rowsOf.get(origin.batch)?.[row] === 'f';
      if (code || isFailed) {
        listener.failed(origin, row, { code: code ?? 'WRONGTYPE', column: null, reason: 'no' });
      } else listener.written(origin, 1);
    }
  };
  const send = async (): Promise<void> => {
    if (open.some(([origin, row]) => rowsOf.get(origin.batch)?.[row] === 'd')) {
      throw new FeaturectlError('REDIS_LOST', 'gone');
    }
    tell(null);
  };
  return {
    plan: { mode: 'merge', path: 'none', why: '', server: null, warnings: [] },
    begin: () => {},
    value: () => {},
    cell: () => {},
    commit: (origin, row) => open.push([origin, row]) >= chunkRows,
    abort: () => {},
    room: send,
    drain: send,
    abandon: async () => {
      tell('UNSETTLED');
    },
    stats: () => ({ bytesSent: 0, chunksSent: 0, retries: 0 }),
    lastTaken: () => [],
    close: async () => {
      open = [];
    },
  };
}

it('a clean run of several files', async () => {
  const { ending, ledger, closed } = await run(['gggeg', '', 'g'], 0, 2);
  expect(ending.kind).toBe('complete');
  expect(ledger.counts()).toEqual({ read: 6, written: 5, rejected: 0, failed: 0, skipped: 1 });
  expect(closed).toBe(3);
});

it('stops at the first bad row by default, with everything before it written and nothing after it read', async () => {
  const { ending, ledger, closed } = await run(['ggbggggg', 'gg'], 0, 100);
  expect(ending.kind).toBe('budget');
  expect(ledger.counts()).toEqual({ read: 3, written: 2, rejected: 1, failed: 0, skipped: 0 });
  expect(closed).toBe(1);
});

it('a failure that only shows at the end is over the budget too', async () => {
  const { ending, ledger } = await run(['gf'], 0, 100);
  expect(ending.kind).toBe('budget');
  expect(ledger.counts()).toMatchObject({ written: 1, failed: 1 });
});

it('a broken source is fatal after the rows before it are written', async () => {
  const { ending, ledger } = await run(['ggggx'], 0, 100);
  expect(ending).toMatchObject({ kind: 'fatal', error: { code: 'SOURCE_CORRUPT' } });
  expect(ledger.counts()).toEqual({ read: 3, written: 3, rejected: 0, failed: 0, skipped: 0 });
});

it('a Redis that is gone leaves its rows counted as unsettled', async () => {
  const { ending, ledger } = await run(['gdg'], 0, 2);
  expect(ending).toMatchObject({ kind: 'fatal', error: { code: 'REDIS_LOST' } });
  expect(ledger.failuresByCode()).toEqual(new Map([['UNSETTLED', 2]]));
});

it('whatever happens, read = written + rejected + failed + skipped, and files are closed', async () => {
  const kind = fc.constantFrom('g', 'g', 'g', 'g', 'b', 'e', 'f', 'x', 'd', 'i');
  const file = fc.array(kind, { maxLength: 12 }).map((rows) => rows.join(''));
  const files = fc.array(file, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(files, fc.nat(3), fc.integer({ min: 1, max: 5 }), async (rows, max, chunk) => {
      const { ending, ledger, closed } = await run(rows, max, chunk);
      const { read, written, rejected, failed, skipped } = ledger.counts();
      expect(written + rejected + failed + skipped).toBe(read);
      if (!/[bfxdi]/.test(rows.join(''))) expect(ending.kind).toBe('complete');
      if (ending.kind === 'complete') {
        expect(read).toBe(rows.join('').length);
        expect(closed).toBe(rows.length);
      }
    }),
    { numRuns: 500 },
  );
});
