/** Rows compared by their bytes give the verdicts that rows compared one by one do. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareByBytes, compareOneByOne } from '../../src/commands/compare-rows.ts';
import { FeaturectlError } from '../../src/core/errors.ts';
import { createCollector, type ExpectedRows } from '../../src/core/expectations.ts';
import type { PairReader } from '../../src/core/feature-reader.ts';
import { createRowMatcher } from '../../src/core/match-row.ts';
import type { ReadOutcome, ReadStored } from '../../src/core/stored-entity.ts';
import type { RowOrigin } from '../../src/core/types.ts';
import { createVerdicts, type VerdictOptions } from '../../src/core/verdicts.ts';

const FIELDS = ['a', 'bb', 'a\xe9'];
const NAMES = [...FIELDS, 'other', 'b'];

/** undefined: not sent; null: taken away. */
const value = fc.constantFrom(undefined, null, '', '1', '12', 'x\0', '\xff');
const row = fc.record({
  key: fc.constantFrom('k1', 'k2', 'k\xff3', 'k4'),
  values: fc.tuple(value, value, value),
});
type Row = { readonly key: string; readonly values: readonly (string | null | undefined)[] };

const stored = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('', '1', '12', 'x\0', '\xff')),
  },
  fc.constant('other type' as const),
);

/** `place`: of the row, and half of the values as cells from where they stand. */
function collect(rows: readonly Row[]): ExpectedRows {
  const collector = createCollector(FIELDS.length);
  // Only what a collector asks of it.
  const origin = {
    source: { info: { name: 's.csv' } },
    batch: { firstRow: 1, line: (at: number) => at + 2 },
  } as unknown as RowOrigin;
  rows.forEach(({ key, values }, at) => {
    const bytes = Buffer.from(`..${key}`, 'latin1');
    collector.begin(Buffer.from('aborted'), 7, 0, '');
    collector.abort();
    collector.begin(bytes.subarray(2), key.length, 0, '');
    values.forEach((text, i) => {
      if (text === undefined) return;
      if (text === null || i % 2 === 0) collector.value(i, text);
      else collector.cell(i, Buffer.from(`<${text}>`, 'latin1'), 1, text.length + 1);
    });
    collector.commit(origin, at);
  });
  return collector.take();
}

type Redis = ReadonlyMap<
  string,
  { readonly hash: Record<string, string> | 'other type'; readonly ttl: number }
>;

function outcomeOf(redis: Redis, key: string): ReadOutcome {
  const found = redis.get(key);
  if (found === undefined) return null;
  if (found.hash === 'other type') return new FeaturectlError('REDIS_SERVER', 'another type');
  const fields = new Map(Object.entries(found.hash));
  return fields.size === 0 ? null : { fields, ttlMs: found.ttl < 0 ? null : found.ttl };
}

function readers(redis: Redis): { read: ReadStored; pairs: PairReader } {
  return {
    read: async (keys) => keys.map((key) => outcomeOf(redis, key)),
    pairs: {
      close: () => {},
      read: async (keys, taker) => {
        for (let i = 0; i < keys.count; i += 1) {
          const key = keys.bytes.latin1Slice(keys.keyStart(i), keys.keyEnd(i));
          const found = redis.get(key);
          if (found?.hash === 'other type') {
            taker.refused(i);
            continue;
          }
          const strings = Object.entries(found?.hash ?? {}).flat();
          const spans = new Int32Array(2 * strings.length + 2);
          let end = 0;
          strings.forEach((text, at) => {
            spans[2 * at] = end;
            end += text.length;
            spans[2 * at + 1] = end;
          });
          taker.entity(i, found?.ttl ?? -2, Buffer.from(strings.join(''), 'latin1'), spans, strings.length);
        }
      },
    },
  };
}

async function* batchesOf(rows: readonly Row[], size: number): AsyncGenerator<ExpectedRows> {
  for (let at = 0; at < rows.length; at += size) yield collect(rows.slice(at, at + size));
}

it('the same verdicts, whatever the rows and Redis', async () => {
  let matched = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 12 }),
      fc.dictionary(
        fc.constantFrom('k1', 'k2', 'k\xff3'),
        fc.record({ hash: stored, ttl: fc.constantFrom(-1, 5) }),
      ),
      fc.record({ isReplace: fc.boolean(), hasTtl: fc.boolean(), ignored: fc.constantFrom([], [1]) }),
      fc.record({ size: fc.constantFrom(1, 3, 20), isLoaded: fc.boolean() }),
      async (rows, keys, { ignored, ...more }, { size, isLoaded }) => {
        const redis: Map<string, { hash: Record<string, string> | 'other type'; ttl: number }> = new Map(
          Object.entries(keys),
        );
        // Half of the time Redis is what the rows leave there, so that most of them match.
        if (isLoaded) for (const { key, values } of rows) redis.set(key, { hash: hashOf(values), ttl: 5 });
        const options: VerdictOptions = { fields: FIELDS, ignored: new Set(ignored), limit: 100, ...more };
        const [fast, slow] = [createVerdicts(options), createVerdicts(options)];
        const { read, pairs } = readers(redis);
        const matcher = createRowMatcher(options);
        const matches: typeof matcher = (...args) => {
          const isMatch = matcher(...args);
          if (isMatch) matched += 1;
          return isMatch;
        };
        await compareByBytes(batchesOf(rows, size), pairs, read, matches, fast);
        async function* allRows() {
          for await (const batch of batchesOf(rows, size))
            yield Array.from({ length: batch.count }, (_, i) => batch.row(i));
        }
        await compareOneByOne(allRows(), read, slow);
        expect(fast.finish()).toEqual(slow.finish());
      },
    ),
    { numRuns: 1000 },
  );
  expect(matched).toBeGreaterThan(500);
});

function hashOf(values: Row['values']): Record<string, string> {
  return Object.fromEntries(
    values.flatMap((text, i) => (typeof text === 'string' ? [[FIELDS[i] ?? '', text]] : [])),
  );
}
