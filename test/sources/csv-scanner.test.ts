import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CsvOptions } from '../../src/sources/csv-errors.ts';
import { createParseReader } from '../../src/sources/csv-parse-reader.ts';
import { createScanReader } from '../../src/sources/csv-scan-reader.ts';
import { corpusFiles, hasCorpus } from '../support/corpus.ts';
import { type Drive, drive } from './csv-readers.ts';
import { transcript } from './support.ts';

const BIG = 1 << 20;
const OPTIONS: CsvOptions = { name: 'f.csv', delimiter: ',', maxRecordSize: BIG };
const ALL: Drive = { sizes: [BIG], batchRows: 1024, selected: [0, 1, 2, 3] };

const BYTES = ['a', ',', '"', '\n', '\r', '\0'] as const;
const HOSTILE = [...BYTES, 'b', ' ', '\r\n', '""', '",', ',"', '"\n', '\xe9', '\xc3\xa9', '\xff'];

const drives = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
  batchRows: fc.integer({ min: 1, max: 5 }),
  selected: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
});

const hostile = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...HOSTILE), maxLength });

/** Records that are mostly right, so that long runs of rows are met too. */
const tidy = fc
  .array(
    fc.tuple(
      fc.array(fc.constantFrom('', '1', 'ab', '"q"', '""', '"x""y"', '"l\r\n,\n"', 'é', '\xe9')),
      fc.constantFrom('\n', '\r\n', '\r', '\n\n'),
    ),
    { maxLength: 40 },
  )
  .map((rows) => rows.map(([cells, end]) => cells.slice(0, 3).join(',') + end).join(''));

function expectAlike(bytes: Buffer, how: Drive, options = OPTIONS): void {
  const scanned = drive(createScanReader(options), bytes, how);
  const parsed = drive(createParseReader(options), bytes, { ...how, sizes: [BIG] });
  expect(scanned.rows).toEqual(parsed.rows);
  expect(scanned.error?.message).toBe(parsed.error?.message);
  expect(scanned.error?.code).toBe(parsed.error?.code);
}

describe('the scanner gives what csv-parse gives', () => {
  test('for every text of up to five bytes', () => {
    for (let length = 0; length <= 5; length++) {
      for (let number = 0; number < BYTES.length ** length; number++) {
        const digits = Array.from({ length }, (_, at) => Math.floor(number / BYTES.length ** at));
        const text = digits.map((digit) => BYTES[digit % BYTES.length]).join('');
        const bytes = Buffer.from(`x,y\n${text}`, 'latin1');
        const parsed = drive(createParseReader(OPTIONS), bytes, ALL);
        for (const size of [1, 3, BIG]) {
          const scanned = drive(createScanReader(OPTIONS), bytes, { ...ALL, sizes: [size] });
          if (
            scanned.error?.message === parsed.error?.message &&
            String(scanned.rows) === String(parsed.rows)
          )
            continue;
          expect(scanned, JSON.stringify(text)).toEqual(parsed);
        }
      }
    }
  });

  test.each([
    ['hostile text', hostile(40), 3000],
    ['a header and hostile text', hostile(40).map((text) => `x,y,z\n${text}`), 2000],
    ['rows', tidy.map((text) => `x,y,z\n${text}`), 1000],
    ['one column', hostile(20).map((text) => `x\n${text}`), 1000],
  ] as const)('for %s in any chunks', (_, texts, numRuns) => {
    fc.assert(
      fc.property(texts, drives, (text, how) => expectAlike(Buffer.from(text, 'latin1'), how)),
      { numRuns },
    );
  });

  test.each(['\t', ';', '|', '~', 'a', ' ', '\0', '!', '\x7f'])('for the delimiter %j', (delimiter) => {
    const texts = fc.string({ unit: fc.constantFrom(...HOSTILE, delimiter, delimiter), maxLength: 30 });
    fc.assert(
      fc.property(texts, drives, (text, how) =>
        expectAlike(Buffer.from(text, 'latin1'), how, { ...OPTIONS, delimiter }),
      ),
      { numRuns: 300 },
    );
  });

  test('for records about as long as they may be; of two faults either may be named', () => {
    const limits = fc.integer({ min: 3, max: 12 });
    fc.assert(
      fc.property(hostile(30), drives, limits, (text, how, maxRecordSize) => {
        const options = { ...OPTIONS, maxRecordSize };
        const bytes = Buffer.from(`x,\n${text}`, 'latin1');
        const scanned = drive(createScanReader(options), bytes, how);
        for (const sizes of [how.sizes, [BIG]]) {
          const parsed = drive(createParseReader(options), bytes, { ...how, sizes });
          expect(scanned.rows).toEqual(parsed.rows);
          expect(scanned.error === null).toBe(parsed.error === null);
          if (scanned.error?.code === parsed.error?.code)
            expect(scanned.error?.message).toBe(parsed.error?.message);
        }
        expect(scanned).toEqual(drive(createScanReader(options), bytes, { ...how, sizes: [BIG] }));
      }),
      { numRuns: 3000 },
    );
  });

  describe.skipIf(!hasCorpus)('for real files', () => {
    const files = ['ok', 'real', 'bad', 'either'].flatMap((folder) => corpusFiles(`csv/${folder}`));
    test.each(files)('$name', ({ path }) => {
      const bytes = readFileSync(path);
      const sizes = bytes.length < 20_000 ? [1, 2, 3, 64, BIG] : [64, 65_536];
      for (const size of sizes) expectAlike(bytes, { ...ALL, sizes: [size], selected: [3, 0, 1, 2] });
    });
  });
});

describe('the scanner', () => {
  test('a long record in tiny chunks is not read over and over', () => {
    const bytes = Buffer.from(`x,y\n1,"${'z\n'.repeat(100_000)}"\n`);
    const started = performance.now();
    const { rows, error } = drive(createScanReader(OPTIONS), bytes, { ...ALL, sizes: [1] });
    expect([rows.length, error]).toEqual([2, null]);
    // Read over and over it would take more than twenty seconds.
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test('more columns than a cell map was made for', () => {
    const names = Array.from({ length: 300_000 }, (_, index) => `n${index}`).join(',');
    const bytes = Buffer.from(`${names}\n${names}\n${names}\n`);
    const options = { ...OPTIONS, maxRecordSize: 4 * BIG };
    const { rows, error } = drive(createScanReader(options), bytes, { ...ALL, selected: [299_999] });
    expect([rows.length, error]).toEqual([3, null]);
    expect(rows[2]).toContain('[["n299999",0]]');
  });
});

describe('csv-parse reads', () => {
  test.each([
    ['||', 'x||y\n1||"a||b"\n|||\n"c"|2||3\n', ['x|y', '1|"a||b"', '||'], 'CSV_QUOTE'],
    ['::', 'x::y\n1::"a::""b"\r\n:::2\n', ['x|y', '1|"a::"b"', '|:2'], null],
    ['¦', 'x¦y\n1¦"é¦"\n2¦3\n', ['x|y', '1|"\xc3\xa9\xc2\xa6"', '2|3'], null],
  ])('the delimiter %s', async (delimiter, text, rows, code) => {
    for (const size of [1, 2, 3, BIG]) {
      const lines = await transcript(text, { delimiter }, size);
      const shown = lines.slice(0, rows.length).map((line) => line.replace(/^\d+: /, ''));
      expect(shown).toEqual(rows);
      expect(lines[rows.length]?.split(' ')[0] ?? null).toBe(code);
    }
  });
});
