import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RowEncoder, RowOrigin, RowSink } from '../../src/core/types.ts';
import { createWatch, SERIES_POINTS, TTL_BINS } from '../../src/core/watch.ts';

// Neither is looked at here.
const origin = {} as RowOrigin;

const KEY = Buffer.from('k');

/** An encoder that gives these rows: TTL and features, of which 2 is null; a row of null aborts after one value. */
function encoderOf(rows: readonly (readonly [ttl: number, ...features: number[]] | null)[]): RowEncoder {
  return {
    selected: [0],
    warnings: ['w'],
    encode: (_origin, _start, sink) => {
      for (const row of rows) {
        const [ttl = 1, ...features] = row ?? [1000, 0];
        sink.begin(KEY, KEY.length, ttl, '');
        for (const feature of features) {
          if (feature === 1) sink.cell(feature, KEY, 0, 1);
          else sink.value(feature, feature === 2 ? null : 'v');
        }
        if (row) sink.commit(origin, 0);
        else sink.abort();
      }
      return { next: rows.length, empty: 0, fault: null, stage: 'map', full: false };
    },
  };
}

function recordingSink(): RowSink & { readonly calls: unknown[][] } {
  const calls: unknown[][] = [];
  return {
    calls,
    begin: (...args) => void calls.push(['begin', ...args]),
    value: (...args) => void calls.push(['value', ...args]),
    cell: (...args) => void calls.push(['cell', ...args]),
    commit: (...args) => calls.push(['commit', ...args]) > 0,
    abort: () => void calls.push(['abort']),
  };
}

describe('rows', () => {
  test('nulls and TTLs of committed rows; an aborted row leaves nothing', () => {
    const watch = createWatch(3, { min: 900, max: 1000, unit: 50 });
    const rows = [[1000, 0, 1], [950, 1, 2], null, [900]] as const;
    watch.encoder(encoderOf(rows)).encode(origin, 0, recordingSink());
    expect(watch.watched()).toMatchObject({
      rows: 3,
      nulls: [2, 1, 3],
      ttls: [
        { from: 900, to: 900, rows: 1 },
        { from: 950, to: 950, rows: 1 },
        { from: 1000, to: 1000, rows: 1 },
      ],
    });
  });

  test('the sink gets what it would have got, and its answers get back', () => {
    const rows = [[1000, 0, 1], null, [900, 2]] as const;
    const [plain, watched] = [recordingSink(), recordingSink()];
    const encoder = encoderOf(rows);
    const wrapped = createWatch(3, null).encoder(encoder);
    expect(wrapped.encode(origin, 0, watched)).toEqual(encoder.encode(origin, 0, plain));
    expect(watched.calls).toEqual(plain.calls);
    expect(wrapped).toMatchObject({ selected: [0], warnings: ['w'] });
  });

  test('keys that do not expire have no spread', () => {
    const watch = createWatch(1, null);
    watch.encoder(encoderOf([[0, 0]])).encode(origin, 0, recordingSink());
    expect(watch.watched()).toMatchObject({ rows: 1, ttls: [] });
  });

  test('every TTL of the range is in just one column, and there are few', () => {
    const unit = fc.constantFrom(1, 1000);
    fc.assert(
      fc.property(
        unit,
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 0, max: 5000 }),
        (step, low, n) => {
          const range = { min: low * step, max: (low + n) * step, unit: step };
          const watch = createWatch(0, range);
          const all = Array.from({ length: n + 1 }, (_, i) => [range.min + i * step] as const);
          watch.encoder(encoderOf(all)).encode(origin, 0, recordingSink());
          const { ttls } = watch.watched();
          expect(ttls.length).toBeLessThanOrEqual(TTL_BINS);
          expect(ttls.reduce((sum, bin) => sum + bin.rows, 0)).toBe(n + 1);
          for (const bin of ttls) expect(bin.rows).toBe((bin.to - bin.from) / step + 1);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('rows over time', () => {
  test.each([1, 5, SERIES_POINTS, 1000, 100_000])('%i samples: few points, in order, to the end', (n) => {
    const watch = createWatch(0, null);
    for (let i = 1; i <= n; i += 1) watch.sample({ ms: i * 100, rows: i * 7 });
    const { series } = watch.watched();
    expect(series.length).toBeLessThanOrEqual(SERIES_POINTS + 1);
    expect(series.length).toBeGreaterThan(Math.min(n, SERIES_POINTS / 3));
    expect(series[0]).toEqual({ ms: 0, rows: 0 });
    expect(series.at(-1)).toEqual({ ms: n * 100, rows: n * 7 });
    expect(series.every((point, i) => i === 0 || point.ms > (series[i - 1]?.ms ?? 0))).toBe(true);
    expect(series.every((point) => point.rows === (point.ms / 100) * 7)).toBe(true);
  });
});
