/** `infer`: the schema file that a user gets for a file, and that the same file loads by it without a reject. */
import * as arrow from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CorpusFile, corpusFiles, hasCorpus } from '../support/corpus.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { column, toParquet } from '../support/make-parquet.ts';
import { start } from '../support/spawn.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

async function infer(content: string, flags: readonly string[] = [], name = 'in.csv'): Promise<string> {
  const file = await desk.file(name, content);
  const { code, stdout, stderr } = await desk.run(['infer', file, ...flags]);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** The type that feature x gets, and the comment beside it. */
async function typeOfX(
  cells: readonly string[],
  flags: readonly string[] = [],
): Promise<{ type: string; comment: string }> {
  const rows = cells.map((cell, i) => `k${i},${cell}\n`).join('');
  const line = (await infer(`id,x\n${rows}`, flags)).split('\n').find((text) => text.startsWith('  x:'));
  const [type = '', comment = ''] = (line ?? '').slice('  x:'.length).split(/ +# /);
  return { type: type.trim(), comment };
}

describe('types of CSV columns', () => {
  it.each<[string, string[], string]>([
    ['integers', ['1', '-5', '9223372036854775807'], 'int64'],
    ['integers beyond int64', ['0', '18446744073709551615'], 'uint64'],
    ['integers beyond 64 bits', ['1', '18446744073709551616'], 'decimal'],
    ['leading zeros', ['007', '1'], 'string'],
    ['a plus sign', ['+49123', '1'], 'string'],
    ['decimals', ['0.5', '1', '-3e5'], 'float64'],
    ['decimals with leading zeros', ['00.5', '1'], 'string'],
    ['what %.17g writes', ['0.10000000000000001', '1e-5'], 'float64'],
    ['more digits than a double has', ['0.1234567890123456789', '2.5'], 'decimal'],
    ['an integer that a double does not hold among decimals', ['9007199254740993', '0.5'], 'decimal'],
    ['beyond a double', ['1e400', '1'], 'string'],
    ['below a double', ['1e-400', '1'], 'string'],
    ['not a number among numbers', ['NaN', '1.5'], '{ type: float64, allow_nonfinite: true }'],
    ['not a number, not first', ['1.5', 'NaN'], '{ type: float64, allow_nonfinite: true }'],
    ['not a number alone', ['NaN', 'inf'], 'string'],
    ['words for truth', ['true', 'FALSE'], 'bool'],
    ['0 and 1', ['0', '1'], 'int64'],
    ['truth and numbers', ['true', '1'], 'string'],
    ['dates', ['2024-02-29', '1999-12-31'], 'date'],
    ['no date', ['2024-02-30', '1999-12-31'], 'string'],
    ['times', ['2024-01-15T08:00:00Z', '2024-01-15 08:00:00.5+02:00'], 'timestamp'],
    ['times without a zone', ['2024-01-15T08:00:00', '2024-01-15T08:00:01'], 'string'],
    ['epoch numbers', ['1700000000', '1700000001'], 'int64'],
    ['JSON', ['"[1,2]"', '"{""a"":1}"'], 'json'],
    ['mixed', ['1', 'a'], 'string'],
    ['nothing', ['', ''], '{ type: string, required: false }'],
    ['nulls among integers', ['1', '', '3'], 'int64'],
    ['a quoted empty text among integers', ['1', '""', '3'], 'string'],
  ])('%s', async (_, cells, type) => {
    expect((await typeOfX(cells)).type).toBe(type);
  });

  it.each<[string, string[], string[], RegExp]>([
    ['ranges', ['5', '-1', '12'], [], /^-1 to 12$/],
    ['exact ranges', ['9007199254740993', '9007199254740992'], [], /^9007199254740992 to 9007199254740993$/],
    [
      'NaN first',
      ['NaN', '1.5', '2.5'],
      [],
      /^nan in 1 of 3 values; 1\.5 to 2\.5; float64 if "NaN" means null: --null-token$/,
    ],
    ['NaN between', ['1.5', 'NaN', 'NaN', '2.5'], [], /^nan in 2 of 4 values; 1\.5 to 2\.5; float64 if/],
    ['one number and NaN', ['nan', '2.5'], [], /^nan in 1 of 2 values; else always 2\.5; /],
    ['infinity first', ['inf', '-3', '2.5'], [], /^-3 to inf$/],
    ['infinity last', ['2.5', '-inf'], [], /^-inf to 2\.5$/],
    ['NaN among integers', ['1', 'NaN'], [], /int64 if "NaN" means null/],
    ['NaN among times', ['2024-01-15T08:00:00Z', 'NaN'], [], /timestamp if "NaN" means null/],
    ['nulls', ['1', '', ''], [], /^always 1; null in 2 of 3 rows$/],
    ['epoch numbers', ['1700000000', '1700000001'], [], /type: timestamp, unit: s /],
    ['such words first', ['NA', '1', '2'], [], /^up to 2 bytes; int64 if "NA" means null/],
    [
      'nearly all of a type',
      ['1', '', '3', ...Array.from({ length: 40 }, (_, i) => String(i)), '38.0', 'x'],
      [],
      /^up to 4 bytes; null in 1 of 45 rows; int64 but for 2 of 44 values, first at line 45$/,
    ],
    [
      'nearly all of a type, the others first and within quotes that hold a line end',
      ['"?\n?"', 'NA', ...Array.from({ length: 40 }, (_, i) => `${i}.5`)],
      [],
      /float64 but for 1 of 41 values, first at line 2$/,
    ],
    ['less than nearly all of a type', ['1', '2', '3', 'x'], [], /^up to 1 byte$/],
    ['names in digits', ['007', ...Array.from({ length: 40 }, (_, i) => String(i))], [], /^up to 3 bytes$/],
    [
      'decimal commas',
      ['"0,5"', '"12"', '"1,25"'],
      [],
      /^up to 4 bytes; float64 once written with a decimal point/,
    ],
    ['commas between thousands', ['"1,000.50"', '"20.5"'], [], /; float64 once written without commas$/],
    ['commas that may be either', ['"1,000"', '"2,500"'], [], /^up to 5 bytes$/],
    ['days first', ['28.11.2026', '01.12.2026'], [], /; date or timestamp once written year first/],
    ['months first, with a time', ['11/28/2026 3:01 PM', 'NA'], [], /once written year first \(pandas/],
    ['numbers of versions', ['1.2.30', '1.10.12'], [], /^up to 7 bytes$/],
    ['digits with zeros or a plus before them', ['007123', '+49'], [], /^up to 6 bytes$/],
    ['plus signs and points', ['+1.5', '2.5'], [], /^up to 4 bytes$/],
    ['words that change nothing', ['a', 'NA'], [], /^up to 2 bytes$/],
    ['words that may mean null', ['1', 'NA'], [], /^up to 2 bytes; int64 if "NA" means null/],
    [
      'lists of one length',
      ['"[1,2]"', '"[0.5, 3e5]"'],
      [],
      /always 2 numbers: vector<float32>\[2\] stores them packed/,
    ],
    [
      'lists of one length, of doubles',
      ['"[1,2]"', '"[0.1, 3e5]"'],
      [],
      /always 2 numbers: vector<float64>\[2\] stores them packed, vector<float32>\[2\] rounded/,
    ],
    ['times without a zone', ['2024-01-15T08:00:00'], [], /--timezone makes them timestamps/],
  ])('a comment for %s', async (_, cells, flags, comment) => {
    expect((await typeOfX(cells, flags)).comment).toMatch(comment);
  });

  it('--null-token and --timezone decide', async () => {
    expect((await typeOfX(['1', 'NA'], ['--null-token', 'NA'])).type).toBe('int64');
    expect((await typeOfX(['2024-01-15T08:00:00'], ['--timezone', '+02:00'])).type).toBe('timestamp');
  });
});

const FLOAT_KEYS =
  /key column "user_id": expected integers or names, found whole numbers .* key fid:\{user_id\} .*astype\("Int64"\)/g;

describe('the entity', () => {
  it.each<[string, string, string, RegExp]>([
    [
      'a unique column that sounds like one',
      'name,user_id\na,1\nb,2\n',
      'in:{user_id}',
      /user_id has a different value in each of 2 rows; so have name/,
    ],
    ['the first unique column', 'x,y\na,1\nb,1\n', 'in:{x}', /x has a different value/],
    [
      'no unique column, one by name',
      'x,user_id\n1.5,7\n2.5,7\n',
      'in:{user_id}',
      /WARNING: .*has 1 different values in 2 rows: .*the last wins/,
    ],
    ['no unique column', 'x,y\na,1\na,1\n', 'in:{_row}', /WARNING: no column is unique/],
    ['one row', 'id,x\n1,2\n', 'in:{id}', /WARNING: .*only 1 row seen/],
    [
      'a null in the one by name',
      'user_id,visits\n1,310\n2,402\n,77\n4,15\n',
      'in:{user_id}',
      /WARNING: user_id has a different value in each of 3 rows; so have visits; 1 of 4 rows has no user_id and will be rejected$/,
    ],
    [
      'nulls in the one by name, nothing else unique',
      'user_id,x\n1,a\n2,a\n"",b\n ,b\n5,b\n',
      'in:{user_id}',
      /WARNING: user_id has a different value in each of 3 rows; 2 of 5 rows have no user_id and will be rejected$/,
    ],
    [
      'a full id beside one with nulls',
      'id,user_id\n7,a\n9,b\n8,\n',
      'in:{id}',
      /# id has a different value in each of 3 rows; so have user_id$/,
    ],
    [
      'most rows without the id',
      'user_id,x\n1,a\n,b\n,c\n',
      'in:{x}',
      /WARNING: x has a different value in each of 3 rows; user_id sounds like an entity, but most rows have none$/,
    ],
    [
      'ids that pandas has made floats',
      'user_id,visits\n1.0,310\n2.0,402\n3.0,77\n',
      'in:{user_id}',
      /WARNING: user_id .*; its numbers are written as floats, so that keys would be "features:in:1\.0": write them as integers \(pandas: df\["user_id"\]\.astype\("Int64"\)\)$/,
    ],
    [
      'such ids with a null',
      'user_id,visits\n1.0,310\n,402\n3.0,77\n',
      'in:{user_id}',
      /WARNING: .*1 of 3 rows has no user_id and will be rejected; its numbers are written as floats/,
    ],
    [
      'such ids that repeat, nothing unique',
      'user_id,visits\n1.0,5\n1.0,5\n,5\n2.0,5\n',
      'in:{user_id}',
      /WARNING: no column is unique; user_id .* has 2 different values in 4 rows.*; 1 of 4 rows has no user_id.*; its numbers/,
    ],
    [
      'ids in the exponents of R',
      'user_id,visits\n99999,310\n1e+05,402\n100001,77\n',
      'in:{user_id}',
      /WARNING: .*keys would be "features:in:1e\+05"/,
    ],
    ['a measure of whole numbers is no id', 'price,x\n1.0,a\n2.0,a\n', 'in:{_row}', /price is a float64/],
    [
      'words for null in the id',
      'user_id,visits\n1,310\nNA,402\nNA,77\n4,15\n5,15\n',
      'in:{user_id}',
      /WARNING: .*; 2 of 5 rows have "NA" there, an entity like any other unless you give --null-token NA$/,
    ],
    [
      'names that a key cannot take',
      '{a},_row\n1,2\n3,4\n',
      'in:{_row}',
      /WARNING: what is unique is no entity: "\{a\}" has braces in its name.*rename it.*; _row has a name/,
    ],
    [
      'unique numbers by chance beside an entity that repeats',
      'amount,user_id\n15,7\n25,7\n35,8\n',
      'in:{user_id}',
      /WARNING: amount is unique, but its name is not that of an entity; user_id .* 2 different values in 3 rows: .*the last wins/,
    ],
    [
      'events of users',
      'event_id,user_id,event_time,x\ne1,7,2024-01-15T08:00:00Z,1\ne2,7,2024-01-15T09:00:00Z,2\ne3,8,2024-01-15T09:00:00Z,2\n',
      'in:{user_id}',
      /WARNING: event_id is unique, but looks like made for the row; user_id .*\(with event_time and --mode newer the latest\)/,
    ],
    [
      'a surrogate UUID',
      'id,customer_id,ts\n7f8e2f2e-58a3-4d4f-9f45-3f6f0f3a1b11,7,1\n7f8e2f2e-58a3-4d4f-9f45-3f6f0f3a1b12,7,2\n',
      'in:{customer_id}',
      /WARNING: id is unique, but looks like made for the row/,
    ],
    [
      'numbers of rows',
      'id,user_id,created_at\n1,b,2024-01-15\n2,b,2024-01-16\n3,c,2024-01-16\n',
      'in:{user_id}',
      /WARNING: id is unique, but counts the rows; user_id/,
    ],
    [
      'UUIDs that are the entity',
      'user_uuid,country_id\n7f8e2f2e-58a3-4d4f-9f45-3f6f0f3a1b11,7\n7f8e2f2e-58a3-4d4f-9f45-3f6f0f3a1b12,7\n',
      'in:{user_uuid}',
      /user_uuid has a different value in each of 2 rows; country_id repeats: it would be the key if/,
    ],
    [
      'a code beside a dimension',
      'sku,category_id\nA1,7\nB2,7\n',
      'in:{sku}',
      /sku has a different value in each of 2 rows/,
    ],
    [
      'orders without a time stay orders',
      'id,customer_id,total\n71,7,5\n18,7,6\n',
      'in:{id}',
      /id has a different value in each of 2 rows.*; customer_id repeats/,
    ],
    [
      'the index of pandas',
      'Unnamed: 0,user_id,x\n0,a,1\n1,b,2\n2,a,3\n',
      'in:{user_id}',
      /WARNING: x is unique, but counts the rows; user_id sounds like an entity/,
    ],
    [
      'the index of pandas with names of its own',
      '__index_level_0__,x\nu1,5\nu2,5\n',
      'in:{__index_level_0__}',
      /__index_level_0__ has a different value in each of 2 rows/,
    ],
    [
      'a moment that is unique',
      'at,x\n2024-01-15T08:00:00Z,1\n2024-01-15T08:00:01Z,1\n',
      'in:{_row}',
      /WARNING: what is unique is no entity: at is a timestamp/,
    ],
  ])('%s', async (_, content, key, comment) => {
    const line = (await infer(content)).split('\n').find((text) => text.startsWith('key:')) ?? '';
    expect(line).toContain(`"features:${key}"`);
    expect(line).toMatch(comment);
  });

  it('a warning about the key is on stderr too, and the rows without entity are all that is rejected', async () => {
    const file = await desk.file('in.csv', 'user_id,visits\n1.0,310\n2.0,402\n,77\n4.0,15\n');
    const { stdout, stderr } = await desk.run(['infer', file]);
    expect(stderr).toMatch(
      /^featurectl: user_id has .*; 1 of 4 rows has no user_id and will be rejected; its numbers/m,
    );
    const schema = await desk.file('in.yaml', stdout);
    const loaded = await desk.run(['ingest', file, '--schema', schema, '--max-errors', 'all']);
    expect(loaded.stderr).toMatch(/^rejected +1 .*\n.*\n +KEY_NULL +1 /m);
    expect(Object.keys(await desk.take())).toEqual(['features:in:1.0', 'features:in:2.0', 'features:in:4.0']);
  });

  it.each([
    ['floats', 'user_id,x\n,1\n1.0,2\n2.0,3\n', 1],
    ['integers', 'user_id,x\n1,2\n2,3\n', 0],
    ['decimals that are meant', 'user_id,x\n1.0,2\n1.5,3\n', 0],
    ['names', 'user_id,x\na,2\n1.0,3\n', 0],
    ['nothing', 'user_id,x\n,2\n', 0],
  ])('ingest warns once of ids that are %s', async (_, content, times) => {
    const file = await desk.file('fid.csv', content);
    const other = await desk.file('fid2.csv', content.replaceAll('1.0', '7.0'));
    const flags = ['--key', 'user_id', '--prefix', 'fid:', '--ttl', '1h', '--max-errors', 'all'];
    const { stderr } = await desk.run(['ingest', file, other, ...flags]);
    await desk.take();
    expect([...stderr.matchAll(FLOAT_KEYS)], stderr).toHaveLength(times);
  });

  it('ingest warns once of such ids that threads read', async () => {
    const file = await desk.file('fid.csv', 'user_id,x\n1.0,2\n2.0,3\n');
    const other = await desk.file('fid2.csv', 'user_id,x\n7.0,2\n');
    const argv = [
      'ingest',
      file,
      other,
      '--key',
      'user_id',
      '--prefix',
      'fid:',
      '--ttl',
      '1h',
      '--workers',
      '2',
    ];
    const { code, stderr } = await start(argv, { REDIS_URL: desk.redis.url }).done;
    expect(code, stderr).toBe(0);
    expect(Object.keys(await desk.take())).toEqual(['fid:1.0', 'fid:2.0', 'fid:7.0']);
    expect([...stderr.matchAll(FLOAT_KEYS)], stderr).toHaveLength(1);
  });

  it('an id that is a float column of Parquet is told', async () => {
    const file = await desk.file(
      'in.parquet',
      toParquet({ user_id: column(new arrow.Float64(), [1, 2]), visits: column(new arrow.Int32(), [5, 7]) }),
    );
    const { stdout } = await desk.run(['infer', file]);
    expect(stdout).toMatch(
      /^key: .*\{visits\}" +# WARNING: visits has .*; user_id sounds like an entity, but is float64: cast it to an integer or string when the file is written \(pandas: astype\("Int64"\)\)$/m,
    );
  });

  it('the index of pandas is no feature', async () => {
    const text = await infer('Unnamed: 0,user_id,x\n0,a,1.5\n1,b,2.5\n');
    expect(text).toMatch(
      /^# column "Unnamed: 0" is left out: it counts the rows, as the index does that pandas/m,
    );
    expect(text).not.toMatch(/^ {2}"?Unnamed/m);
  });

  it('--key, --prefix, --ttl and --name are taken', async () => {
    const text = await infer('a,b,x\n1,2,3\n', [
      '--key',
      'a,b',
      '--prefix',
      'f{1}:',
      '--ttl',
      '6h',
      '--name',
      'n',
    ]);
    expect(text).toMatch(/^name: "?n"?$/m);
    expect(text).toMatch(/^key: "f\{\{1\}\}:\{a\}:\{b\}" /m);
    expect(text).toMatch(/^ttl: 6h$/m);
    expect(text).not.toMatch(/^ {2}[ab]:/m);
  });

  it.each([
    [['--key', 'nope'], /COLUMN/],
    [['--ttl', '5'], /USAGE/],
    [['--timezone', 'Mars'], /USAGE/],
    [['--sample', '0'], /--sample/],
  ])('%s is refused', async (flags, message) => {
    const file = await desk.file('in.csv', 'id,x\n1,2\n');
    const { code, stderr } = await desk.run(['infer', file, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('what was seen', () => {
  const rows = Array.from({ length: 3000 }, (_, i) => `${i},${i < 2500 ? i : 'x'}\n`).join('');

  it('says how many rows, and sees no more', async () => {
    const text = await infer(`id,x\n${rows}`, ['--sample', '2500']);
    expect(text).toContain('the first 2500 rows (--sample all');
    expect(text).toMatch(/^ {2}x: int64/m);
  });

  it('--sample all sees every row', async () => {
    const text = await infer(`id,x\n${rows}`, ['--sample', 'all']);
    expect(text).toContain('3000 rows, all of it');
    expect(text).toMatch(/^ {2}x: string/m);
  });

  it('rows that cannot be read are told', async () => {
    expect(await infer('id,x\n1,2\n3\n4,5\n')).toContain('1 row of these could not be read');
  });

  it('a zone that is assumed, in words that need no line beside them', async () => {
    const ts = arrow.vectorFromArray([new Date(0)], new arrow.TimestampMillisecond());
    const file = await desk.file('t.arrow', Buffer.from(arrow.tableToIPC(new arrow.Table({ ts }), 'file')));
    expect((await desk.run(['infer', file])).stderr).toMatch(/^featurectl: UTC is assumed, since times/m);
  });

  it('rows that cannot be read: why, beside the draft too', async () => {
    const file = await desk.file('latin1.csv', Buffer.from('id,x\n1,ok\n2,M\xfcller\n', 'latin1'));
    const { stderr } = await desk.run(['infer', file]);
    expect(stderr).toMatch(
      /1 row of these could not be read and would be rejected; the first at line 3: INVALID_UTF8: .*--encoding latin1/,
    );
  });

  it.each([
    ['x,user_id,name\n', 'in:{user_id}', /WARNING: no row seen; user_id sounds like an entity/],
    ['x,y\n', 'in:{_row}', /WARNING: no row seen, and no name sounds like an entity, so the number/],
  ])('a header alone gives a schema too: %j', async (header, key, comment) => {
    const draft = await infer(header);
    expect(draft).toMatch(/: 0 rows, all of it/);
    expect(draft).toContain(`key: "features:${key}"`);
    expect(draft).toMatch(comment);
  });

  it('reads standard input', async () => {
    const done = await start(['infer', '-', '--format', 'csv'], {}, 'id,x\na,1\nb,2\n').done;
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout).toMatch(/from "standard input"/);
    expect(done.stdout).toMatch(/^ {2}x: int64/m);
  });
});

const cell = fc.oneof(
  fc.constantFrom(
    '',
    '""',
    '0',
    '007',
    '-0',
    '+5',
    '1e5',
    '1.50',
    'NaN',
    'true',
    'NULL',
    '2024-02-29',
    '[1]',
    '2024-01-15T08:00:00Z',
  ),
  fc.integer().map(String),
  fc.double().map(String),
  fc.string({ maxLength: 6 }).map((text) => `"${text.replaceAll('"', '""')}"`),
);
const columnName = fc.oneof(
  // A NUL in so short a file is taken for UTF-16.
  fc.string({ minLength: 1, maxLength: 8, unit: 'binary' }).filter((name) => !name.includes('\0')),
  fc.constantFrom('__proto__', 'yes', 'null', '1', '- a', 'a: b', '#', '{x}', ' '),
);

/** One name that holds a delimiter is taken for the header of a file of another one, and refused. */
const columnNames = fc
  .uniqueArray(columnName, { minLength: 1, maxLength: 4 })
  .filter((names) => names.length > 1 || !/[;\t|]/.test(names.join('')));

/** Any CSV that reads gives a schema by which no row is rejected but for lack of an entity, of which it warns. */
it('infer, then validate: no reject, whatever the names and cells', async () => {
  await fc.assert(
    fc.asyncProperty(
      columnNames,
      fc.array(fc.array(cell, { minLength: 4, maxLength: 4 }), { maxLength: 6 }),
      async (names, rows) => {
        const header = names.map((name) => `"${name.replaceAll('"', '""')}"`).join(',');
        const body = rows.map((row) => row.slice(0, names.length).join(',')).join('\n');
        const file = await desk.file('any.csv', `${header}\n${body}\n`);
        const inferred = await desk.run(['infer', file]);
        expect(inferred.code, inferred.stderr).toBe(0);
        const schema = await desk.file('any.yaml', inferred.stdout);
        const argv = ['validate', file, '--schema', schema, '--report', '-'];
        const { stdout, stderr } = await desk.run(argv);
        const codes = Object.keys(JSON.parse(stdout).failures_by_code);
        const isTold = /ha(?:s|ve) no .* will be rejected/.test(inferred.stdout);
        const others = codes.filter((code) => !(isTold && code.startsWith('KEY_')));
        expect(others, `${inferred.stdout}\n${stderr}`).toEqual([]);
      },
    ),
    { numRuns: 150 },
  );
});

/** Good files whose data cannot be read at all; see the table in docs/formats.md. */
const UNREADABLE = new Set(['pqt.repeated_no_annotation.parquet']);

describe.skipIf(!hasCorpus)('corpus', () => {
  const readable = (folder: string): readonly CorpusFile[] =>
    corpusFiles(folder).filter(({ name }) => !UNREADABLE.has(name));

  describe.each(['csv/ok', 'csv/real', 'parquet/ok', 'parquet/nested'])('%s', (folder) => {
    it.each(readable(folder))('$name', { timeout: 20_000 }, async ({ path }) => {
      const format = ['--format', folder.split('/')[0] ?? ''];
      const inferred = await desk.run(['infer', path, ...format, '--sample', 'all']);
      expect(inferred.code, inferred.stderr).toBe(0);
      const schema = await desk.file('corpus.yaml', inferred.stdout);
      const { code, stderr } = await desk.run(['validate', path, ...format, '--schema', schema]);
      expect(code, `${inferred.stdout}\n${stderr}`).toBe(0);
    });
  });
});
