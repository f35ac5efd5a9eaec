import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { transcript } from './support.ts';

interface Cell {
  readonly text: string;
  readonly quoted: boolean;
}

const cell: fc.Arbitrary<Cell> = fc
  .tuple(
    fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r', ' ', '\0', 'Ã', '©'), maxLength: 6 }),
    fc.boolean(),
  )
  .map(([text, quoted]) => ({ text, quoted: quoted || /[",\n\r]/.test(text) }))
  .map(({ text, quoted }) => ({ text: text.replace(/[Ã©]/g, 'Ã©'), quoted }));

const table = fc.integer({ min: 1, max: 4 }).chain((width) =>
  fc.record({
    rows: fc.array(
      fc.record({
        cells: fc.array(cell, { minLength: width, maxLength: width }),
        end: fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n', '\r\n\n'),
      }),
      { maxLength: 12 },
    ),
    width: fc.constant(width),
    sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
    finalEnd: fc.boolean(),
  }),
);

const lineEnds = (text: string): number => text.match(/\r\n|\n|\r/g)?.length ?? 0;

function writeCell({ text, quoted }: Cell): string {
  return quoted ? `"${text.replaceAll('"', '""')}"` : text;
}

describe('csv property', () => {
  test('what a plain writer wrote is read back: cells, quotes and lines, at any chunk sizes', async () => {
    await fc.assert(
      fc.asyncProperty(table, async ({ rows, width, sizes, finalEnd }) => {
        const names = Array.from({ length: width }, (_, index) => `c${index}`);
        let text = `${names.join(',')}\n`;
        const expected = [names.join('|')];
        for (const [index, row] of rows.entries()) {
          const record = row.cells.map(writeCell).join(',');
          // An empty line is no record; a writer quotes the empty cell of a one-column file.
          if (record === '') continue;
          const cells = row.cells.map(({ text: inner, quoted }) => (quoted ? `"${inner}"` : inner));
          expected.push(`${lineEnds(text) + 1}: ${cells.join('|')}`);
          text += record + (index < rows.length - 1 || finalEnd ? row.end : '');
        }
        expect(await transcript(Buffer.from(text, 'latin1'), { batchRows: 3 }, sizes)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('hostile text gives the same transcript at any chunk sizes', async () => {
    const hostile = fc.string({
      unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\0', '\xe9', '\xc3\xa9'),
      maxLength: 30,
    });
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(hostile, sizes, async (text, cut) => {
        const bytes = Buffer.from(`id,x\n${text}`, 'latin1');
        const options = { format: 'csv', maxRecordSize: 25 } as const;
        expect(await transcript(bytes, options, cut)).toEqual(await transcript(bytes, options));
      }),
      { numRuns: 1000 },
    );
  });
});
