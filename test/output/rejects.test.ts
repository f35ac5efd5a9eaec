import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RowFailure } from '../../src/core/ledger.ts';
import type { RawCell, RowOrigin, SourceFormat } from '../../src/core/types.ts';
import { openRejects, REJECTS_BUFFER_BYTES } from '../../src/output/rejects.ts';
import { partPath } from '../../src/output/rejects-files.ts';

let dir = '';
let path = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'featurectl-rejects-'));
  path = join(dir, 'bad.csv');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const OWN = '_source,_line,_stage,_code,_column,_reason';
const failure: RowFailure = {
  source: 'in.csv',
  row: 3,
  line: 5,
  stage: 'map',
  code: 'INT',
  column: 'x',
  reason: 'expected an integer, found "é, or so"',
};

/** A cell as its source text: undefined = null, a text with quotes = quoted. */
function cell(text: string | undefined): RawCell {
  const quoted = text?.startsWith('"') ?? false;
  return { text: quoted && text !== undefined ? text.slice(1, -1) : (text ?? null), quoted };
}

function origin(columns: string[], records: RawCell[][], format: SourceFormat = 'csv'): RowOrigin {
  const source = {
    info: { name: 'in.csv', format, totalBytes: null },
    columns: columns.map((name) => ({ name, type: 'text' as const })),
    recordColumns: () => columns,
    warnings: [],
    bytesRead: () => 0,
    batches: async function* () {},
    close: async () => {},
  };
  const batch = {
    rowCount: records.length,
    firstRow: 1,
    columns: [],
    faults: null,
    line: (row: number) => row + 2,
    record: (row: number) => records[row] ?? [],
    position: (row: number) => ({ row, line: row + 2, byte: 0 }),
  };
  return { source, batch, recordColumns: columns };
}

async function lineOf(columns: string[], record: RawCell[], format: SourceFormat = 'csv'): Promise<string> {
  const rejects = await openRejects(path, []);
  rejects.start();
  rejects.write(origin(columns, [record], format), 0, failure);
  await rejects.close();
  const [, ...lines] = readFileSync(path, 'latin1').split(/(?<=\n)/);
  return lines.join('');
}

const REASON = Buffer.from('"expected an integer, found ""é, or so"""').toString('latin1');
const TAIL = `,in.csv,5,map,INT,x,${REASON}\n`;

describe('a line', () => {
  test.each([
    ['plain', ['1', 'a'], '1,a'],
    ['unquoted empty stays null, quoted stays empty', ['', '""'], ',""'],
    ['null', [undefined, '1'], ',1'],
    ['a quoted null token stays quoted', ['"NULL"', 'NULL'], '"NULL",NULL'],
    ['comma, quote, CR and LF', ['a,b', 'c"d'], '"a,b","c""d"'],
    ['line breaks', ['a\r\nb', '\r'], '"a\r\nb","\r"'],
    ['spaces are kept', [' a ', '\t'], ' a ,\t'],
    ['bytes that are no UTF-8', ['caf\xe9\x00\xff', 'x'], 'caf\xe9\x00\xff,x'],
  ])('%s', async (_name, texts, expected) => {
    expect(await lineOf(['id', 'x'], texts.map(cell))).toBe(expected + TAIL);
  });

  test('texts of a typed source are quoted, so that "" and null tokens stay texts; null stays null', async () => {
    const record = [cell(''), cell('NULL'), cell(undefined)];
    expect(await lineOf(['a', 'b', 'c'], record, 'parquet')).toBe(`"","NULL",${TAIL}`);
  });

  test.each([
    ['too few', ['1'], '["1"]'],
    ['too many', ['1', 'a"b', 'caf\xe9', ''], '["1","a\\"b","caf\xe9",""]'],
  ])('%s fields: the columns stay null, the record stands in the reason', async (_name, texts, json) => {
    const reason = `"${REASON.slice(1, -1)}; the record: ${json.replaceAll('"', '""')}"`;
    expect(await lineOf(['id', 'x'], texts.map(cell))).toBe(`,,in.csv,5,map,INT,x,${reason}\n`);
  });

  test('any cells read back as they were', async () => {
    const anyCell = fc.record({ text: fc.string({ unit: 'binary', maxLength: 8 }), quoted: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(anyCell, { minLength: 1, maxLength: 4 }), async (cells) => {
        const record = cells.map(({ text, quoted }) => ({ text: utf8(text), quoted }));
        const columns = record.map((_, index) => `c${index}`);
        const line = await lineOf(columns, record);
        const rows: string[][] = parse(Buffer.from(line, 'latin1'), {
          encoding: 'latin1',
          record_delimiter: ['\n'],
        });
        expect(rows).toHaveLength(1);
        expect(rows[0]?.slice(0, -6)).toEqual(record.map(({ text }) => text));
      }),
      { numRuns: 60 },
    );
  });
});

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

describe('the header', () => {
  test.each([
    ['plain', ['id', 'x'], `id,x,${OWN}`],
    ['names that need quotes, UTF-8', ['a,b', 'ü'], `"a,b",ü,${OWN}`],
    ['a mended rejects file', ['id', ...OWN.split(',')], `id,${OWN}`],
    ['mended, reordered', [...OWN.split(',').reverse(), 'id'], `id,${OWN}`],
    ['a source with a _line of its own', ['_line', 'x'], '_line,x,_source,_stage,_code,_column,_reason'],
  ])('%s', async (_name, columns, header) => {
    const rejects = await openRejects(path, []);
    rejects.start();
    rejects.write(origin(columns, [columns.map(() => cell('v'))]), 0, failure);
    await rejects.close();
    const [first, second] = readFileSync(path, 'utf8').split('\n');
    expect(first).toBe(header);
    expect(second?.startsWith('v,')).toBe(true);
  });
});

describe('the file', () => {
  test('old content is gone at open, the file is gone after a run without rejects', async () => {
    writeFileSync(path, 'id,_source,_line,_stage,_code,_column,_reason\nold\n');
    const rejects = await openRejects(path, []);
    rejects.start();
    expect(readFileSync(path, 'utf8')).toBe('');
    await rejects.flush();
    await rejects.close();
    expect(existsSync(path)).toBe(false);
    expect(rejects.paths()).toEqual([]);
  });

  test('a file that is no rejects file is refused and left alone', async () => {
    writeFileSync(path, 'my notes');
    await expect(openRejects(path, [])).rejects.toMatchObject({ code: 'USAGE' });
    expect(readFileSync(path, 'utf8')).toBe('my notes');
  });

  test('rows are there after flush, more after close, in order', async () => {
    const rejects = await openRejects(path, []);
    rejects.start();
    const from = origin(['id'], [[cell('a')], [cell('b')], [cell('c')]]);
    rejects.write(from, 0, failure);
    await rejects.flush();
    expect(ids(path)).toEqual(['id', 'a']);
    rejects.write(from, 1, failure);
    rejects.write(from, 2, failure);
    await rejects.close();
    expect(ids(path)).toEqual(['id', 'a', 'b', 'c']);
  });

  test('what is held is bounded without a flush', async () => {
    const rejects = await openRejects(path, []);
    rejects.start();
    const from = origin(['id'], [[cell('z'.repeat(10_000))]]);
    for (let row = 0; row < 100; row += 1) rejects.write(from, 0, failure);
    const onDisk = readFileSync(path).length;
    expect(onDisk).toBeGreaterThan(1_000_000 - REJECTS_BUFFER_BYTES);
    await rejects.close();
    expect(ids(path)).toHaveLength(101);
  });

  test('sources with other columns get files of their own; equal columns share one', async () => {
    const rejects = await openRejects(path, []);
    rejects.start();
    rejects.write(origin(['a', 'b'], [[cell('1'), cell('2')]]), 0, failure);
    rejects.write(origin(['b', 'a'], [[cell('3'), cell('4')]]), 0, failure);
    rejects.write(origin(['a', 'b'], [[cell('5'), cell('6')]]), 0, failure);
    await rejects.close();
    expect(rejects.paths()).toEqual([path, partPath(path, 2)]);
    expect(ids(path)).toEqual(['a', '1', '5']);
    expect(ids(partPath(path, 2))).toEqual(['b', '3']);
  });

  test('further files of an earlier run are removed; a file that is not ours is left alone', async () => {
    writeFileSync(partPath(path, 2), `a,${OWN}\n1,,,,,,\n`);
    const earlier = await openRejects(path, []);
    earlier.start();
    await earlier.close();
    expect(existsSync(partPath(path, 2))).toBe(false);

    writeFileSync(partPath(path, 2), 'mine');
    const rejects = await openRejects(path, []);
    rejects.start();
    rejects.write(origin(['a'], [[cell('1')]]), 0, failure);
    rejects.write(origin(['b'], [[cell('1')]]), 0, failure);
    await rejects.close();
    expect(readFileSync(partPath(path, 2), 'utf8')).toBe('mine');
    expect(rejects.paths()).toEqual([path, partPath(path, 3)]);
  });

  test('a run that ends before it starts to write leaves the file of an earlier run as it was', async () => {
    writeFileSync(path, `a,${OWN}\n1,,,,,,\n`);
    writeFileSync(partPath(path, 2), `b,${OWN}\n1,,,,,,\n`);
    await (await openRejects(path, [])).close();
    expect(ids(path)).toEqual(['a', '1']);
    expect(ids(partPath(path, 2))).toEqual(['b', '1']);
  });

  test('a further file that is a source of this run is not removed', async () => {
    writeFileSync(partPath(path, 2), `a,${OWN}\n1,,,,,,\n`);
    const again = await openRejects(path, [partPath(path, 2)]);
    again.start();
    await again.close();
    expect(existsSync(partPath(path, 2))).toBe(true);
  });
});

function ids(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => line.split(',', 1)[0] ?? '');
}

describe('refused before anything is loaded', () => {
  test('a rejects file that is a source, by any name, is left as it was', async () => {
    writeFileSync(path, 'id\n1\n');
    const link = join(dir, 'link.csv');
    symlinkSync(path, link);
    for (const source of [path, link]) {
      await expect(openRejects(path, ['other.csv', source])).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(source),
      });
    }
    expect(readFileSync(path, 'utf8')).toBe('id\n1\n');
  });

  test.each([
    ['a directory', () => dir, 'EISDIR'],
    ['no directory', () => join(dir, 'no', 'bad.csv'), 'ENOENT'],
    ['a file as directory', () => join(dir, 'file', 'bad.csv'), 'ENOTDIR'],
  ])('%s', async (_name, target, code) => {
    writeFileSync(join(dir, 'file'), '');
    await expect(openRejects(target(), [])).rejects.toMatchObject({
      code: 'OUTPUT',
      message: expect.stringContaining(code),
    });
  });
});

describe.skipIf(!existsSync('/dev/full'))('a full disk', () => {
  test('flush says how many rows are lost, and close does not say it again', async () => {
    const rejects = await openRejects('/dev/full', []);
    rejects.start();
    const from = origin(['id'], [[cell('1')]]);
    rejects.write(from, 0, failure);
    rejects.write(from, 0, failure);
    const told = { code: 'OUTPUT', message: expect.stringMatching(/ENOSPC.*2 rejected row/) };
    await expect(rejects.flush()).rejects.toMatchObject(told);
    await rejects.close();
  });

  test('close says it where no flush has', async () => {
    const rejects = await openRejects('/dev/full', []);
    rejects.start();
    rejects.write(origin(['id'], [[cell('1')]]), 0, failure);
    await expect(rejects.close()).rejects.toMatchObject({ code: 'OUTPUT' });
    expect(existsSync('/dev/full')).toBe(true);
  });
});
