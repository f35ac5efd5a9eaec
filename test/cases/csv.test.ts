/** CASES.md, table CSV: each line as a user meets it, from file to Redis. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytes, type Desk, openDesk } from '../support/desk.ts';
import { load } from '../support/load.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

describe('byte order mark', () => {
  it.each([
    ['before the header', '\ufeffid,x\n1,a\n'],
    ['before a quoted header', '\ufeff"id","x"\n1,a\n'],
  ])('%s', async (_name, text) => {
    const { code, x } = await load(desk, text);
    expect({ code, x }).toEqual({ code: 0, x: { 1: 'a' } });
  });
});

it.each([
  ['LF header, then CRLF', 'id,x\n1,2\r\n3,4\r\n'],
  ['CRLF header, then LF', 'id,x\r\n1,2\n3,4\n'],
  ['CRLF', 'id,x\r\n1,2\r\n3,4'],
])('%s: no \\r in a value', async (_name, text) => {
  const { code, x } = await load(desk, text);
  expect({ code, x }).toEqual({ code: 0, x: { 1: '2', 3: '4' } });
});

describe('line ends', () => {
  it('no final newline', async () => {
    expect((await load(desk, 'id,x\n1,2')).x).toEqual({ 1: '2' });
  });

  it('blank lines at the end and between', async () => {
    const { code, x } = await load(desk, 'id,x\n\n1,2\n\n\n3,4\n\n\n');
    expect({ code, x }).toEqual({ code: 0, x: { 1: '2', 3: '4' } });
  });

  it('a blank line in a file of one column is no null key', async () => {
    const { code, x, stderr } = await load(desk, 'id\n1\n\n2\n', {
      x: '{ type: string, required: false, default: d }',
    });
    expect({ code, x }, stderr).toEqual({ code: 0, x: { 1: 'd', 2: 'd' } });
  });
});

describe('empty input', () => {
  it('header only: zero rows, exit 0', async () => {
    expect((await load(desk, 'id,x\n')).code).toBe(0);
    expect((await load(desk, 'id,x')).code).toBe(0);
  });

  it('header only with --fail-on-empty: exit 3', async () => {
    expect((await load(desk, 'id,x\n', { flags: ['--fail-on-empty'] })).code).toBe(3);
  });

  it.each(['', '\ufeff'])('%j: no header, exit 4', async (text) => {
    const { code, stderr } = await load(desk, text);
    expect(code).toBe(4);
    expect(stderr).toMatch(/no header/i);
  });
});

describe('header', () => {
  it('a duplicate name is fatal', async () => {
    const { code, stderr } = await load(desk, 'id,x,x\n1,2,3\n');
    expect(code).toBe(4);
    expect(stderr).toMatch(/"?x"?.*CSV_HEADER/s);
  });

  it.each(['id,,x\n1,2,3\n', 'id,,x,\n1,2,3,4\n'])(
    'an unnamed column that is not mapped: a warning',
    async (text) => {
      const { code, x, stderr } = await load(desk, text);
      expect({ code, x }).toEqual({ code: 0, x: { 1: '3' } });
      expect(stderr).toMatch(/unnamed|no name/i);
    },
  );

  it('an unnamed column behind others is refused without a schema', async () => {
    const file = await desk.file('unnamed.csv', 'id,x,\n1,2,3\n');
    const { code, stderr } = await desk.run(['ingest', file, '--key', 'id', '--ttl', '1h']);
    expect(code, stderr).toBe(4);
    expect(stderr).toMatch(/column 3 is to be read but has no name in the header/);
    expect(await desk.take()).toEqual({});
  });

  it('__proto__ and constructor are ordinary fields', async () => {
    const { code, stored, stderr } = await load(desk, 'id,__proto__,constructor\n1,a,b\n', {
      x: '\n  __proto__: string\n  constructor: string',
    });
    expect(code, stderr).toBe(0);
    expect(Object.entries(stored['k:1']?.fields ?? {}).sort()).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });
});

describe('records of another width', () => {
  const text = 'id,x\n1\n2,3,4\n5,6\n';

  it('are rejected with their lines, and the good row is written', async () => {
    const rejects = desk.path('ragged.csv');
    const { code, x } = await load(desk, text, { flags: ['--max-errors', 'all', '--rejects', rejects] });
    expect({ code, x }).toEqual({ code: 1, x: { 5: '6' } });
    const lines = (await desk.read('ragged.csv')).trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/,2,read,FIELD_COUNT,/);
    expect(lines[2]).toMatch(/,3,read,FIELD_COUNT,/);
  });

  it('stop the run by default, after the good rows before them', async () => {
    const { code, x } = await load(desk, 'id,x\n5,6\n1\n7,8\n');
    expect({ code, x }).toEqual({ code: 3, x: { 5: '6' } });
  });
});

describe('broken quotes', () => {
  it.each([
    ['text after a closing quote', 'id,x\n1,"a"b\n', 2],
    ['never closed', 'id,x\n1,"abc\n3,4\n', 2],
    ['never closed, opened on line 4', 'id,x\n1,a\n2,b\n3,"abc\n4,d\n5,e\n', 4],
  ])('%s: exit 4, names the opening line, rows before it are written', async (_name, text, line) => {
    const { code, x, stderr } = await load(desk, text, { flags: ['--max-errors', 'all'] });
    expect(code).toBe(4);
    expect(stderr).toMatch(new RegExp(`line ${line}\\b.*CSV_QUOTE`, 's'));
    expect(Object.keys(x)).toHaveLength(line - 2);
  });
});

it.each([
  ['a doubled quote', '"a""b"', 'a"b'],
  ['a line end inside', '"a\r\nb"', 'a\r\nb'],
  ['NUL inside', 'a\0b', 'a\0b'],
  ['a delimiter inside', '"a,b"', 'a,b'],
  ['blanks kept', ' a ', ' a '],
])('%s: exact bytes', async (_name, cell, value) => {
  const { code, x } = await load(desk, `id,x\n1,${cell}\n2,z\n`);
  expect({ code, x }).toEqual({ code: 0, x: { 1: value, 2: 'z' } });
});

describe('encoding', () => {
  const cafe = Buffer.concat([
    Buffer.from('id,x\n1,'),
    Buffer.from([0x63, 0x61, 0x66, 0xe9]),
    Buffer.from('\n2,ok\n'),
  ]);

  it('invalid UTF-8 is a row error, never U+FFFD', async () => {
    const { code, x, stderr } = await load(desk, cafe, { flags: ['--max-errors', '1'] });
    expect({ code, x }).toEqual({ code: 1, x: { 2: 'ok' } });
    expect(stderr).toMatch(/INVALID_UTF8/);
  });

  it('--encoding latin1 stores UTF-8', async () => {
    expect((await load(desk, cafe, { flags: ['--encoding', 'latin1'] })).x).toEqual({
      1: bytes('café'),
      2: 'ok',
    });
  });

  it('a NUL in a tiny file is data, and no sign of UTF-16', async () => {
    const { code, stored, stderr } = await load(desk, 'id,x\n\0,a\n');
    expect({ code, keys: Object.keys(stored) }, stderr).toEqual({ code: 0, keys: ['k:\0'] });
  });

  it('UTF-16LE with its mark is decoded', async () => {
    const { code, x } = await load(desk, Buffer.from('\ufeffid,x\n1,é\n', 'utf16le'));
    expect({ code, x }).toEqual({ code: 0, x: { 1: bytes('é') } });
  });
});

it('a 50 MiB field is an error that names its line', async () => {
  const text = `id,x\n1,a\n2,"${'y'.repeat(50 * 1024 * 1024)}"\n`;
  const { code, x, stderr } = await load(desk, text, { flags: ['--max-errors', 'all'] });
  expect({ code, x }).toEqual({ code: 4, x: { 1: 'a' } });
  expect(stderr).toMatch(/line 3\b.*CSV_SIZE/s);
});

it('quoted line ends around a chunk border: counts exact', async () => {
  const rows = Array.from({ length: 2500 }, (_, i) => `${i + 1},${i >= 998 && i <= 1000 ? '"a\nb\n"' : 'c'}`);
  const { code, x } = await load(desk, `id,x\n${rows.join('\n')}\n`, { flags: ['--chunk-rows', '1000'] });
  expect(code).toBe(0);
  expect(Object.keys(x)).toHaveLength(2500);
  expect([x[999], x[1000], x[1001], x[1002]]).toEqual(['a\nb\n', 'a\nb\n', 'a\nb\n', 'c']);
});

describe('gzip', () => {
  const first = gzipSync('id,x\n1,a\n');
  const second = gzipSync('2,b\n');

  it('two members are both read', async () => {
    const { code, x } = await load(desk, Buffer.concat([first, second]), { name: 'two.csv.gz' });
    expect({ code, x }).toEqual({ code: 0, x: { 1: 'a', 2: 'b' } });
  });

  it('found by its magic bytes without the name', async () => {
    expect((await load(desk, first, { name: 'plain-name.csv' })).x).toEqual({ 1: 'a' });
  });

  it('cut by 3 bytes: exit 4, truncated', async () => {
    const { code, stderr } = await load(desk, first.subarray(0, -3), { name: 'cut.csv.gz' });
    expect(code).toBe(4);
    expect(stderr).toMatch(/SOURCE_TRUNCATED/);
  });

  it('plain content under a .gz name: exit 4', async () => {
    const { code, stderr } = await load(desk, 'id,x\n1,a\n', { name: 'plain.csv.gz' });
    expect(code).toBe(4);
    expect(stderr).toMatch(/SOURCE_FORMAT/);
  });
});

it.each([
  [';', 'id;x\n1;a,b\n'],
  ['||', 'id||x\n1||a,b\n'],
  ['\\t', 'id\tx\n1\ta,b\n'],
])('--delimiter %s', async (delimiter, text) => {
  const { code, x, stderr } = await load(desk, text, { flags: ['--delimiter', delimiter] });
  expect({ code, x }, stderr).toEqual({ code: 0, x: { 1: 'a,b' } });
});
