import { expect, test } from 'vitest';
import { formatQuietSummary, formatSummary } from '../../src/output/summary.ts';
import { someFacts } from './facts.ts';

test('counts, codes, time, write path and the first bad rows', () => {
  expect(formatSummary(someFacts())).toBe(`\
read         1,000,000
written        999,983
skipped              4
  empty              4  no feature of the row has a value
rejected            12  before Redis: read or mapped wrong
failed               1  at Redis: refused or not settled
  INT               10  not an integer in decimal digits
  FLOAT              2  not a decimal number
  WRONGTYPE          1  the key holds another Redis type; it was left alone
time        21s, 48,780 rows/s
sent        5.0 MiB in 1,000 chunks, 2 retries
write path  pipeline (merge): asked for

first 1 of 13 bad rows:
  users.csv:12 column "total_purchases": INT: expected an integer, found "1.5\\x0a"
all of them, in a file to mend and load again: --rejects FILE
`);
});

test('with a rejects file: its name instead of rows', () => {
  const text = formatSummary(someFacts({ rejectsPaths: ['bad.csv', 'bad-2.csv'] }));
  expect(text).toMatch(
    /\n\nrejects: bad\.csv, bad-2\.csv \(mend the rows there, then ingest those files alone\)\n$/,
  );
  expect(text).not.toContain('users.csv:12');
});

test('a clean dry run has no more lines than it needs', () => {
  const text = formatSummary(
    someFacts({
      counts: { read: 2, written: 2, rejected: 0, failed: 0, skipped: 0 },
      failuresByCode: new Map(),
      skippedByCode: new Map(),
      firstFailures: [],
      plan: { mode: 'merge', path: 'none', why: 'dry run', server: null, warnings: [] },
      stats: { bytesSent: 0, chunksSent: 0, retries: 0 },
      endedAt: new Date('2024-01-15T10:00:00.500Z'),
    }),
  );
  expect(text).toBe(`\
read      2
written   2
skipped   0
rejected  0
failed    0
time        0.5s, 4 rows/s
write path  none (merge): dry run
`);
});

test('a run that ended before it had a writer', () => {
  expect(formatSummary(someFacts({ plan: null }))).not.toContain('write path');
});

test.each([
  [{}, '; the first is users.csv:12 column "total_purchases": INT: expected an integer, found "1.5\\x0a"'],
  [{ rejectsPaths: ['bad.csv'] }, '; rejects: bad.csv'],
])('--quiet: one line', (more, end) => {
  expect(formatQuietSummary(someFacts(more))).toBe(
    `featurectl: 13 of 1,000,000 rows are bad (INT 10, FLOAT 2, WRONGTYPE 1)${end}\n`,
  );
});
