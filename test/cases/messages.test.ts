/** What a new user meets first: messages that name the thing, count in good English, and say what to do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { load, schemaText } from '../support/load.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

describe('names stand in quotes', () => {
  it('a missing column, with blanks in the names that are there', async () => {
    const { stderr } = await load(desk, 'id, x\n1,2\n', { x: 'int64' });
    expect(stderr).toMatch(/expected a column "x" \(feature x\), found " x": did you mean that\?/);
    expect((await load(desk, 'a b,x\n1,2\n')).stderr).toMatch(
      /expected a column "id" \(key\), found only "a b", "x"/,
    );
  });

  it('many missing columns, and what there is said once', async () => {
    const features = Array.from({ length: 30 }, (_, i) => `\n  feature_${i}: int64`).join('');
    const { code, stderr } = await load(desk, 'one,two\n1,2\n', { x: features });
    expect(code).toBe(2);
    expect(stderr.match(/"one", "two"/g)).toHaveLength(1);
    expect(stderr).toMatch(/expected a column "feature_3" \(feature feature_3\), found none$/m);
    expect(stderr).toMatch(
      /^ {2}and 11 more columns that are not there\n {2}its columns are "one", "two"; /m,
    );
    expect(stderr.split('\n').length).toBeLessThan(25);
  });

  it('the column of the event time', async () => {
    const { stderr } = await load(desk, 'id,x\n1,2\n', { x: 'int64', more: 'event_time: foo' });
    expect(stderr).toMatch(/expected a column "foo" \(event_time\), found only "id", "x"/);
  });

  it('a bad cell', async () => {
    expect((await load(desk, 'id,x\n1,y\n', { x: 'int64' })).stderr).toMatch(/:2 column "x": INT:/);
  });
});

describe('cells that are nearly numbers', () => {
  it.each([
    [
      'int64',
      '38.0',
      'expected int64 in decimal digits, found "38.0"; take float64 in the schema, or write integers (pandas: astype("Int64"))',
    ],
    ['int8', '38.5', 'found "38.5"; take float64 in the schema'],
    ['float64', '18,93', 'found "18,93"; write a decimal point, not a comma'],
    ['decimal', '1.018,93', 'found "1.018,93"; write a decimal point, not a comma'],
    ['int64', '1,018', 'found "1,018"; write it without a comma, or with a decimal point'],
    ['float32', '1,018.5', 'found "1,018.5"; write it without commas'],
    ['int64', '1e+05', 'found "1e+05"; take float64 in the schema, or write all digits'],
    ['float64', '$9.50', 'found "$9.50"; write the number alone'],
    ['decimal', '9.50 €', 'found "9.50 €"; write the number alone'],
    ['float64', '12.5%', 'found "12.5%"; write the number alone'],
    ['float64', 'abc', 'found "abc"'],
  ])('%s of %s', async (type, cell, reason) => {
    const { stderr } = await load(desk, `id,x\n1,"${cell}"\n`, { x: type });
    expect(stderr).toContain(`${reason}\n`);
  });
});

describe('addresses that are nearly ones', () => {
  it.each([
    ['127.0.0.1:22345', /; did you mean redis:\/\/127\.0\.0\.1:22345\?/],
    ['cache-1', /; did you mean redis:\/\/cache-1\?/],
    ['localhost:6379/2', /; did you mean redis:\/\/localhost:6379\/2\?/],
    ['/run/redis.sock', /; did you mean unix:\/\/\/run\/redis\.sock\?/],
    ['cache-1:6379', /; did you mean redis:\/\/cache-1:6379\? Characters/],
    ['me:secret@h', /found \*\*\*@h\. Characters/],
  ])('%s', async (address, message) => {
    const { code, stderr } = await desk.run(['get', 'x', '--redis', address]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('rediss:// of a server without TLS', async () => {
    const url = desk.redis.url.replace('redis://', 'rediss://');
    const flags = ['--redis', url, '--retry-for', '1s'];
    const { code, stderr } = await load(desk, 'id,x\n1,2\n', { flags });
    expect(code).toBe(4);
    expect(stderr).toMatch(/Is it running, is the address right, and does it speak TLS\?/);
  });

  it('a password in the place of the user', async () => {
    await desk.client.config('SET', 'requirepass', 's3cret');
    try {
      const url = desk.redis.url.replace('redis://', 'redis://s3cret@');
      const { stderr } = await desk.run(['get', 'x', '--redis', url]);
      expect(stderr).toMatch(/text before the @ was taken as user, .*redis:\/\/:password@host/);
      expect(stderr).not.toContain('s3cret');
    } finally {
      await desk.client.config('SET', 'requirepass', '');
    }
  });
});

describe('the index of pandas, without a schema', () => {
  const flags = ['--key', 'id', '--prefix', 'k:', '--ttl', '1h'];

  it('without a name it is left out, and said', async () => {
    const file = await desk.file('unnamed.csv', ',id,x\n0,a,1\n1,b,2\n');
    const { code, stderr } = await desk.run(['ingest', file, ...flags]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/column 1 has no name in the header and is not read; .*pandas/);
    expect((await desk.take())['k:a']?.fields).toEqual({ x: '1' });
  });

  it.each(['Unnamed: 0', '__index_level_0__'])('%s is stored, and said', async (name) => {
    const file = await desk.file('index.csv', `${name},id,x\n0,a,1\n1,b,2\n`);
    const { code, stderr } = await desk.run(['ingest', file, ...flags]);
    expect(code, stderr).toBe(0);
    expect(
      stderr.match(/is stored as a feature, but has the name of an index that pandas wrote; /g),
    ).toHaveLength(1);
    expect((await desk.take())['k:b']?.fields).toEqual({ [name]: '1', x: '2' });
  });
});

describe('times that are nearly ones', () => {
  it.each([
    [
      '2024-01-15 08:00',
      /TIMESTAMP: expected an RFC 3339 time such as 2024-01-15T08:00:00Z with seconds, found/,
    ],
    ['2024-01-15T08:00Z', /with seconds, found/],
    ['1705312800', /\(for epoch numbers set unit: s, ms, us or ns\), found "1705312800"/],
    ['2024-01-15', /\(this is a date: use type date\), found/],
    ['11/28/2026 3:01 PM', /T08:00:00Z \(year first, 24 hours; pandas: to_datetime\), found "11/],
    ['28.11.2026', /\(year first, 24 hours; pandas: to_datetime\), found/],
    ['tomorrow', /expected an RFC 3339 time such as 2024-01-15T08:00:00Z, found/],
  ])('%s', async (cell, message) => {
    expect((await load(desk, `id,x\n1,${cell}\n`, { x: 'timestamp' })).stderr).toMatch(message);
  });
});

describe('dates that are nearly ones', () => {
  it.each([
    ['11/28/2026', /DATE: expected a date YYYY-MM-DD \(year first; pandas: to_datetime\), found "11/],
    ['28.11.2026', /\(year first; pandas: to_datetime\), found/],
    ['2026/11/28', /\(joined by hyphens; pandas: to_datetime\), found/],
    [
      '2026-11-28 00:00:00',
      /YYYY-MM-DD \(this is a time: use type timestamp, or write its date alone\), found/,
    ],
    ['2026-11-31', /expected a date YYYY-MM-DD, found/],
  ])('%s', async (cell, message) => {
    expect((await load(desk, `id,x\n1,${cell}\n`, { x: 'date' })).stderr).toMatch(message);
  });
});

describe('words for true and false', () => {
  it.each([
    [
      'bool',
      /expected one of true, 1, false, 0, found "yes"; other words: true: \[…\], false: \[…\] of the feature/,
    ],
    ['{ type: bool, true: [J], false: [N] }', /expected one of J, N, found "yes"$/m],
  ])('%s', async (x, message) => {
    expect((await load(desk, 'id,x\n1,yes\n', { x })).stderr).toMatch(message);
  });
});

describe('delimiters', () => {
  it.each([
    [';', `give --delimiter ';'`],
    ['\t', `give --delimiter '\\t'`],
    ['|', `give --delimiter '|'`],
  ])('%s: a column that is missing names it', async (delimiter, advice) => {
    const { code, stderr } = await load(desk, `id${delimiter}x\n1${delimiter}2\n`);
    expect(code).toBe(2);
    expect(stderr).toContain(advice);
  });

  it.each([
    ['tab', `'\\t'`],
    ['Semicolon', `';'`],
  ])('the word %s is none', async (word, sign) => {
    const { code, stderr } = await load(desk, 'id,x\n1,2\n', { flags: ['--delimiter', word] });
    expect(code).toBe(2);
    expect(stderr).toContain(`Expected the delimiter itself, such as ${sign} for ${word}.`);
  });
});

describe('files of other programs', () => {
  const zip = Buffer.from('504b0304140000000800', 'hex');
  const xls = Buffer.from('d0cf11e0a1b11ae100000000', 'hex');

  it.each([
    ['users.xlsx', zip, [], /found a spreadsheet .*; save the sheet as CSV first/],
    ['users.ods', zip, [], /found a spreadsheet/],
    ['users.csv', zip, [], /found a zip archive; unzip it first \(an Excel workbook is one too/],
    ['users.zip', zip, [], /found a zip archive; unzip it first/],
    [
      'users.xls',
      xls,
      [],
      /found an old Microsoft Office file, such as an Excel workbook; save the sheet as CSV first/,
    ],
    ['users.xlsx', zip, ['--format', 'csv'], /found a spreadsheet/],
  ])('%s', async (name, content, flags, message) => {
    const { code, stderr } = await load(desk, content, { name, flags });
    expect(code).toBe(4);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/\[SOURCE_FORMAT\]/);
  });
});

describe('the schema file', () => {
  it('features as a list', async () => {
    const { stderr } = await load(desk, 'id,x\n1,2\n', { x: '\n  - x\n  - y' });
    expect(stderr).toMatch(
      /features: expected a map of name → type, such as "total_purchases: int64", found \["x","y"\]/,
    );
  });

  it.each([
    [
      'absent.yaml',
      /absent\.yaml: cannot read the schema file: there is no such file; check the path, or draft one with: featurectl infer/,
    ],
    ['.', /it is a directory/],
  ])('%s: said without the words of the system', async (name, message) => {
    const file = await desk.file('s.csv', 'id,x\n1,2\n');
    const { code, stderr } = await desk.run(['ingest', file, '--schema', desk.path(name)]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/ENOENT|EISDIR/);
  });
});

describe('the budget', () => {
  it.each<[string, string, string, RegExp]>([
    [
      'stopped',
      'id,x\n1,y\n2,3\n',
      '0',
      /1 bad row, more than --max-errors 0 allows, so the run stopped; 0 rows are written/,
    ],
    [
      'stopped after one',
      'id,x\n1,2\n2,y\n3,y\n4,y\n',
      '1',
      /2 bad rows, more than --max-errors 1 allows, so the run stopped; 1 row is written/,
    ],
    [
      'judged at the end',
      'id,x\n1,y\n2,3\n',
      '10%',
      /1 bad row, more than --max-errors 10% allows of 2 rows; 1 row is written; the first is/,
    ],
    ['a share with a fraction', 'id,x\n1,y\n', '0.7%', /more than --max-errors 0\.7% allows of 1 row; /],
  ])('%s', async (_, content, allowed, message) => {
    const { code, stderr } = await load(desk, content, { x: 'int64', flags: ['--max-errors', allowed] });
    expect(code).toBe(3);
    expect(stderr).toMatch(message);
  });
});

describe('REDIS_URL', () => {
  it('empty is as if it were not there: the next place, then localhost', async () => {
    const file = await desk.file('r.csv', 'id,x\n1,2\n');
    const flags = ['ingest', file, '--key', 'id', '--ttl', '1h'];
    expect((await desk.run(flags, { env: { FEATURECTL_REDIS_URL: '' } })).code).toBe(0);
    const { stdout } = await desk.run([...flags, '--show-config'], {
      env: { REDIS_URL: '', FEATURECTL_REDIS_URL: '' },
    });
    expect(stdout).toMatch(/redis:\/\/127\.0\.0\.1:6379/);
    await desk.take();
  });
});

describe('get', () => {
  it('shows bytes that are no UTF-8 without losing one', async () => {
    await desk.client.hset('g', Buffer.from([0x66, 0xfe]), Buffer.from([0xff, 0x00, 0x41, 0x5c]));
    expect((await desk.run(['get', 'g'])).stdout).toMatch(/^ {2}f\\xfe {2}\\xff\\x00A\\x5c$/m);
    expect(JSON.parse((await desk.run(['get', 'g', '--json'])).stdout)).toMatchObject({
      features: { 'f\\xfe': '\\xff\\x00A\\x5c' },
    });
    expect((await desk.run(['get', '--help'])).stdout).toMatch(/\\xNN/);
    await desk.take();
  });

  it('with a schema too', async () => {
    const schema = await desk.file('g.yaml', schemaText({}));
    await desk.client.hset('k:1', 'x', Buffer.from([0xff, 0x41]));
    expect((await desk.run(['get', '1', '--schema', schema])).stdout).toMatch(/x {2}\\xffA$/m);
    await desk.take();
  });
});

describe('--encoding windows-1252', () => {
  it('reads what latin1 has not', async () => {
    const { x } = await load(desk, Buffer.from('id,x\n1,\x80 \x93caf\xe9\x94\n', 'latin1'), {
      flags: ['--encoding', 'windows-1252'],
    });
    expect(Buffer.from(x['1'] ?? '', 'latin1').toString('utf8')).toBe('€ “café”');
  });
});
