import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  alignRows,
  etaSeconds,
  formatBar,
  formatBytes,
  formatCount,
  formatPercent,
  formatSeconds,
  fractionDone,
  printable,
  rowsPerSecond,
} from '../../src/output/format.ts';

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [1234567, '1,234,567'],
  [12345678901, '12,345,678,901'],
])('count %s', (count, text) => expect(formatCount(count)).toBe(text));

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [1048575, '1.0 MiB'],
  [1048576, '1.0 MiB'],
  [256 * 1024 ** 2, '256.0 MiB'],
  [5 * 1024 ** 4, '5.0 TiB'],
  [5000 * 1024 ** 4, '5000.0 TiB'],
])('bytes %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [0, '0.0s'],
  [0.44, '0.4s'],
  [9.96, '10s'],
  [59.4, '59s'],
  [59.6, '1m00s'],
  [185, '3m05s'],
  [3599.6, '1h00m'],
  [7380, '2h03m'],
])('seconds %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

test.each([
  [0, '[          ]'],
  [0.05, '[          ]'],
  [0.1, '[>         ]'],
  [0.5, '[====>     ]'],
  [0.99, '[========> ]'],
  [1, '[==========]'],
  [1.5, '[==========]'],
  [-1, '[          ]'],
])('bar %s', (fraction, text) => expect(formatBar(fraction, 10)).toBe(text));

test('a bar has one width', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 60 }),
      (done, width) => {
        expect(formatBar(done, width)).toHaveLength(width + 2);
      },
    ),
  );
});

test('percent is rounded down', () => {
  expect([0, 0.478, 0.999, 1].map(formatPercent)).toEqual(['0%', '47%', '99%', '100%']);
});

describe('rate, share, time left', () => {
  test.each([
    [1000, 500, 2000],
    [0, 0, 0],
    [10, 0, 0],
    [10, -5, 0],
    [1, 3, 333],
  ])('%s rows in %s ms', (rows, ms, rate) => expect(rowsPerSecond(rows, ms)).toBe(rate));

  test.each([
    [5, 10, 0.5],
    [15, 10, 1],
    [5, null, null],
    [0, 0, null],
  ])('%s of %s bytes', (read, total, share) => expect(fractionDone(read, total)).toBe(share));

  test.each([
    [0.25, 1000, 3],
    [1, 1000, 0],
    [0, 1000, null],
    [null, 1000, null],
    [0.5, 0, null],
  ])('share %s after %s ms', (share, ms, left) => expect(etaSeconds(share, ms)).toBe(left));
});

test('text from data cannot steer a terminal or start a new line', () => {
  expect(printable('a\u001b[31mb\r\nc\u009b\u202ed\u2028é漢')).toBe(
    'a\\x1b[31mb\\x0d\\x0ac\\x9b\\u202ed\\u2028é漢',
  );
});

test('aligned rows', () => {
  const rows = [
    ['read', '1,000', ''],
    ['a longer one', '7', 'why'],
  ];
  expect(alignRows(rows, new Set([1]))).toEqual(['read          1,000', 'a longer one      7  why']);
});
