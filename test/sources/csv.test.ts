import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { TextColumn } from '../../src/core/types.ts';
import { openSource } from '../../src/sources/index.ts';
import { failureCode, named, openBytes, readAll, rowsText, transcript } from './support.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const CHUNKS = [1, 2, 3, 7, 1 << 20];

/** Input, then the columns and rows it must give, in the form of `transcript`. */
const READS: readonly [what: string, input: string, expected: readonly string[]][] = [
  ['a BOM', '\xef\xbb\xbfid,x\n1,2\n', ['id|x', '2: 1|2']],
  ['a BOM before a quoted header', '\xef\xbb\xbf"id",x\n1,2\n', ['id|x', '2: 1|2']],
  ['LF then CRLF', 'id,x\n1,2\r\n3,4\r\n', ['id|x', '2: 1|2', '3: 3|4']],
  ['a CRLF header with LF rows', 'id,x\r\n1,2\n3,4\n', ['id|x', '2: 1|2', '3: 3|4']],
  ['CR line ends', 'id,x\r1,2\r3,4', ['id|x', '2: 1|2', '3: 3|4']],
  ['no final newline', 'id,x\n1,2', ['id|x', '2: 1|2']],
  ['blank lines', '\n\r\nid,x\n\n1,2\r\n\r\n\r\n3,4\n\n', ['id|x', '5: 1|2', '8: 3|4']],
  ['a blank line in one column', 'id\n1\n\n2\n', ['id', '2: 1', '4: 2']],
  ['a quoted empty cell in one column', 'id\n""\n', ['id', '2: ""']],
  ['a line of spaces', 'id\n \n', ['id', '2:  ']],
  ['a header only', 'id,x\n', ['id|x']],
  ['a header without newline', 'id,x', ['id|x']],
  ['ordinary names', '__proto__,constructor\n1,2\n', ['__proto__|constructor', '2: 1|2']],
  [
    'ragged rows among good ones',
    'id,x\n1\n2,3,4\n5,6\n',
    ['id|x', '2: 1 !FIELD_COUNT', '3: 2|3|4 !FIELD_COUNT', '4: 5|6'],
  ],
  ['doubled quotes', 'id,x\n1,"a""b"\n2,""""\n', ['id|x', '2: 1|"a"b"', '3: 2|"""']],
  ['line ends in quotes', 'id,x\n1,"a\r\nb\nc\rd"\n2,y\n', ['id|x', '2: 1|"a\r\nb\nc\rd"', '6: 2|y']],
  ['a NUL', 'id,x\n1,a\0b\n2,"\0"\n', ['id|x', '2: 1|a\0b', '3: 2|"\0"']],
  ['quoted and bare empty cells', 'id,x\n1,\n2,""\n', ['id|x', '2: 1|', '3: 2|""']],
  ['a quoted delimiter', 'id,x\n"1,1",2\n', ['id|x', '2: "1,1"|2']],
  ['UTF-8', 'id,x\n1,caf\xc3\xa9\n', ['id|x', '2: 1|caf\xc3\xa9']],
  [
    'invalid UTF-8',
    'id,x\n1,caf\xe9\n2,\xc3\xa9\n',
    ['id|x', '2: 1|caf\xe9 !INVALID_UTF8 x', '3: 2|\xc3\xa9'],
  ],
  ['UTF-16LE with a BOM', '\xff\xfei\0d\0\n\x001\0', ['id', '2: 1']],
  ['UTF-16BE with a BOM', '\xfe\xff\0i\0d\0\n\x001', ['id', '2: 1']],
];

/** Input, the rows before the error, its code, and what the message must say. */
const REFUSALS: readonly [input: string, rows: readonly string[], code: string, says: RegExp][] = [
  ['', [], 'CSV_HEADER', /no header/],
  ['\xef\xbb\xbf', [], 'CSV_HEADER', /no header/],
  ['\n\n', [], 'CSV_HEADER', /no header/],
  ['id,x,x\n1,2,3\n', [], 'CSV_HEADER', /duplicate column "x".*2 and 3/],
  ['id,\xe9\n', [], 'SOURCE_ENCODING', /line 1.*e9/],
  ['id,"x\n1,2\n', [], 'CSV_QUOTE', /line 1, field 2.*never closed/],
  ['id,x\n1,"a"b\n3,4\n', ['id|x'], 'CSV_QUOTE', /line 2, field 2.*after a closing quote/],
  ['id,x\n0,0\n1,"abc\n3,4\n', ['id|x', '2: 0|0'], 'CSV_QUOTE', /line 3, field 2.*never closed/],
  ['id,x\n0,0\n1,a"b\n3,4\n', ['id|x', '2: 0|0'], 'CSV_QUOTE', /line 3, field 2.*inside an unquoted/],
  ['id,x\n"a\nb","c\nd"e\n', ['id|x'], 'CSV_QUOTE', /line 3, field 2/],
  ['id,x\n1,"a"\0\n3,4\n', ['id|x'], 'CSV_QUOTE', /line 2, field 2.*after a closing quote/],
  [`id,x\n1,2\n\n3,${'y'.repeat(200)}\n`, ['id|x', '2: 1|2'], 'CSV_SIZE', /line 4.*100 bytes/],
  [`id,x\n1,2\n3,"${'y\n'.repeat(200)}`, ['id|x', '2: 1|2'], 'CSV_SIZE', /line 3/],
  [`id,x\n1,2\n3${','.repeat(200)}\n`, ['id|x', '2: 1|2'], 'CSV_SIZE', /line 3/],
  ['i\0d\0,\0x\0\n\0', [], 'SOURCE_ENCODING', /UTF-16LE.*--encoding utf16le/],
  ['\0i\0d\0,\0x\0\n', [], 'SOURCE_ENCODING', /UTF-16BE/],
];

describe('csv', () => {
  test.each(READS)('reads %s', async (_, input, expected) => {
    for (const size of CHUNKS) {
      expect(await transcript(latin1(input), { format: 'csv' }, size), `chunks of ${size}`).toEqual(expected);
    }
  });

  test.each(REFUSALS)('refuses %j', async (input, rows, code, says) => {
    for (const size of CHUNKS) {
      const lines = await transcript(latin1(input), { format: 'csv', maxRecordSize: 100 }, size);
      expect(lines.slice(0, -1), `chunks of ${size}`).toEqual(rows);
      expect(lines.at(-1)?.split(' ')[0]).toBe(code);
      expect(lines.at(-1)).toMatch(says);
    }
  });

  test('blank lines are no part of a record, however many there are', async () => {
    const input = `id,x\n${'\r\n'.repeat(1000)}1,2\n`;
    for (const size of CHUNKS) {
      expect(await transcript(input, { maxRecordSize: 20 }, size)).toEqual(['id|x', '1002: 1|2']);
    }
  });

  test('an unnamed column is a warning unless it is to be read', async () => {
    for (const header of ['id,,x', 'id,x,']) {
      const source = await openBytes(`${header}\n1,2,3\n`);
      expect(source.warnings).toHaveLength(1);
      expect(() => source.batches([0, 1, 2])).toThrow(/has no name/);
      const { batches } = await readAll(source, named(source));
      expect(rowsText(batches)).toEqual(['2: 1|2|3']);
    }
  });

  test('only a selected cell that is not UTF-8 is a fault', async () => {
    const source = await openBytes(latin1('id,x\n1,\xe9\n'));
    const { batches } = await readAll(source, [0]);
    expect(batches[0]?.faults).toBeNull();
    expect(batches[0]?.record(0)[1]?.text).toBe('\xe9');
  });

  test('--encoding latin1 and utf16le', async () => {
    expect(await transcript(latin1('id,x\n1,caf\xe9\n'), { encoding: 'latin1' }, 1)).toContain(
      '2: 1|caf\xc3\xa9',
    );
    expect(await transcript(Buffer.from('id\né\n', 'utf16le'), { encoding: 'utf16le' }, 1)).toContain(
      '2: \xc3\xa9',
    );
    expect(await failureCode(openBytes(latin1('\xef\xbb\xbfid\n'), { encoding: 'latin1' }))).toBe(
      'SOURCE_ENCODING',
    );
    expect(await failureCode(openBytes(latin1('\xff\xfei\0\x00'), {}))).toBe('SOURCE_ENCODING');
  });

  test('tsv and any ASCII delimiter', async () => {
    expect(await transcript('id\tx\n1\t2\n', { format: 'tsv' })).toEqual(['id|x', '2: 1|2']);
    expect(await transcript('id;x\n1;2\n', { delimiter: ';' })).toEqual(['id|x', '2: 1|2']);
    for (const delimiter of ['', '"', '\n', ';"', ';\r', '\ud800']) {
      expect(await failureCode(openBytes('id\n', { delimiter }))).toBe('USAGE');
    }
  });

  test('quoted newlines around a batch border keep rows and lines', async () => {
    const rows = Array.from({ length: 1100 }, (_, row) =>
      row >= 998 && row <= 1000 ? `${row},"a\nb"` : `${row},c`,
    );
    const { batches } = await readAll(await openBytes(`id,x\n${rows.join('\n')}\n`, { batchRows: 1000 }));
    expect(batches.map((batch) => [batch.firstRow, batch.rowCount])).toEqual([
      [1, 1000],
      [1001, 100],
    ]);
    const ids = batches[1]?.columns[0] as TextColumn;
    expect([ids.cell(0), ids.cell(99)]).toEqual(['1000', '1099']);
    expect([batches[0]?.line(999), batches[1]?.line(0), batches[1]?.line(1)]).toEqual([1002, 1004, 1006]);
  });

  test('batches are bounded in bytes', async () => {
    const row = `1,${'x'.repeat(10_000)}\n`;
    const { batches } = await readAll(await openBytes(`id,x\n${row.repeat(1000)}`, {}, 65_536));
    expect(batches.length).toBeGreaterThan(5);
    expect(batches.reduce((sum, batch) => sum + batch.rowCount, 0)).toBe(1000);
  });

  test('an endless quoted field is refused without being held', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield latin1('id,x\n1,2\n3,"');
      for (; given < 100; given++) yield Buffer.alloc(1 << 20, 'y');
    }
    const source = await openSource({ kind: 'stdin', name: '-', path: '' }, { stdin: endless() });
    const { batches, error } = await readAll(source);
    expect([error?.code, rowsText(batches)]).toEqual(['CSV_SIZE', ['2: 1|2']]);
    expect(error?.message).toMatch(/line 3/);
    expect(given).toBeLessThan(4);
  });

  test('an aborted signal ends a reading that waits', async () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield latin1(`id,x\n${'1,2\n'.repeat(100)}`);
      await new Promise(() => undefined);
    }
    async function* waiting(): AsyncGenerator<Uint8Array> {
      await new Promise(() => undefined);
      yield latin1('');
    }
    const stop = new AbortController();
    const source = await openSource(
      { kind: 'stdin', name: '-', path: '' },
      { stdin: silent(), signal: stop.signal, batchRows: 1 },
    );
    setTimeout(() => stop.abort(new Error('stopped')), 20);
    await expect(readAll(source)).rejects.toThrow('stopped');
    const opening = new AbortController();
    setTimeout(() => opening.abort(new Error('stopped')), 20);
    const never = openSource(
      { kind: 'stdin', name: '-', path: '' },
      { stdin: waiting(), signal: opening.signal },
    );
    await expect(never).rejects.toThrow('stopped');
  });
});

describe('gzip', () => {
  const text = `id,x\n${Array.from({ length: 500 }, (_, row) => `${row},${Math.sin(row)}\n`).join('')}`;
  const plain = (): Promise<string[]> => transcript(text);
  const halves = [text.slice(0, 3001), text.slice(3001)].map((half) => gzipSync(half));

  test('one and two members, at any chunk size', async () => {
    for (const size of [1, 5, 1 << 20]) {
      expect(await transcript(gzipSync(text), {}, size)).toEqual(await plain());
      expect(await transcript(Buffer.concat(halves), {}, size)).toEqual(await plain());
    }
  });

  test('a cut is SOURCE_TRUNCATED after the rows before it', async () => {
    const lines = await transcript(gzipSync(text).subarray(0, -3), {}, 100);
    expect(lines.at(-1)).toMatch(/^SOURCE_TRUNCATED .*truncated/);
    expect(lines.slice(0, 480)).toEqual((await plain()).slice(0, 480));
  });

  test('damage inside is SOURCE_CORRUPT', async () => {
    const bytes = gzipSync(text);
    bytes.fill(0xff, 200, 260);
    expect((await transcript(bytes)).at(-1)).toMatch(/^SOURCE_CORRUPT/);
  });
});
