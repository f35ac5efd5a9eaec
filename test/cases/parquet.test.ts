/** CASES.md, table Parquet: each line from a file to what Redis holds. INT96 and damage: also test/sources. */
import * as arrow from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytes, type Desk, openDesk } from '../support/desk.ts';
import { type Loaded, type LoadOptions, load } from '../support/load.ts';
import { column, decimals, raw64, toParquet, utf8 } from '../support/make-parquet.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

let count = 0;

/** One column x under the keys 0, 1, …; `options.x` is its type in the schema. */
async function loadColumn(x: arrow.Vector, options: LoadOptions = {}): Promise<Loaded> {
  count += 1;
  const ids = utf8(Array.from({ length: x.length }, (_, i) => String(i)));
  const name = `x-${count}.parquet`;
  return load(desk, toParquet({ id: ids, x }), { name, ...options });
}

/** The same without a schema: the column's own type decides. */
async function loadPlain(x: arrow.Vector, flags: readonly string[] = []): Promise<Loaded> {
  count += 1;
  const ids = utf8(Array.from({ length: x.length }, (_, i) => String(i)));
  const file = await desk.file(`plain-${count}.parquet`, toParquet({ id: ids, x }));
  const result = await desk.run(['ingest', file, '--key', 'id', '--prefix', 'k:', '--ttl', '1h', ...flags]);
  const stored = await desk.take();
  const values = Object.values(stored).map((hash, i) => [String(i), hash.fields.x]);
  return { ...result, stored, x: Object.fromEntries(values) };
}

const values = ({ x, code, stderr }: Loaded): unknown[] => {
  expect(code, stderr).toBe(0);
  return Object.values(x);
};

describe('numbers', () => {
  it('DECIMAL(9,2) keeps its scale', async () => {
    const x = decimals(9, 2, [57n, 115n, -57n]);
    expect(values(await loadColumn(x, { x: 'decimal' }))).toEqual(['0.57', '1.15', '-0.57']);
    expect(values(await loadPlain(x))).toEqual(['0.57', '1.15', '-0.57']);
  });

  it('DECIMAL(38,4) is exact', async () => {
    const x = decimals(38, 4, [10n ** 37n + 1n, -(10n ** 37n) - 9999n]);
    expect(values(await loadColumn(x, { x: 'decimal' }))).toEqual([
      '1000000000000000000000000000000000.0001',
      '-1000000000000000000000000000000000.9999',
    ]);
  });

  it('INT64 beyond 2^53 and UINT64 up to 2^64-1 are exact', async () => {
    const big = column(new arrow.Int64(), [2n ** 53n + 1n, -(2n ** 63n)]);
    expect(values(await loadPlain(big))).toEqual(['9007199254740993', '-9223372036854775808']);
    const unsigned = column(new arrow.Uint64(), [2n ** 64n - 1n]);
    expect(values(await loadPlain(unsigned))).toEqual(['18446744073709551615']);
  });

  it('an integer too wide for its feature is a row error that names row and column', async () => {
    const x = column(new arrow.Int64(), [5n, 300n]);
    const { code, stderr, stored } = await loadColumn(x, { x: 'int8', flags: ['--max-errors', 'all'] });
    expect(code).toBe(1);
    expect(stderr).toMatch(/parquet:2 column "x": INT_RANGE/);
    expect(Object.keys(stored)).toEqual(['k:0']);
  });

  it('float32 is stored as the shortest float32', async () => {
    expect(values(await loadPlain(column(new arrow.Float32(), [0.1, 16_777_216])))).toEqual([
      '0.1',
      '16777216',
    ]);
  });

  it('FLOAT16 and BOOLEAN', async () => {
    expect(values(await loadPlain(column(new arrow.Float16(), [0.5, -2])))).toEqual(['0.5', '-2']);
    expect(values(await loadPlain(column(new arrow.Bool(), [true, false])))).toEqual(['1', '0']);
  });

  it('NaN is refused, and taken with --allow-nonfinite', async () => {
    const x = column(new arrow.Float64(), [Number.NaN, Number.NEGATIVE_INFINITY]);
    expect((await loadPlain(x)).code).toBe(3);
    expect(values(await loadPlain(x, ['--allow-nonfinite']))).toEqual(['nan', '-inf']);
  });

  it('a float column is no integer feature: refused before any write', async () => {
    const { code, stderr, stored } = await loadColumn(column(new arrow.Float64(), [1]), { x: 'int64' });
    expect({ code, stored }).toEqual({ code: 2, stored: {} });
    expect(stderr).toMatch(/float64.*int64.*cast/s);
  });
});

describe('times', () => {
  it('microseconds and nanoseconds of -1 are exact', async () => {
    const us = raw64(new arrow.TimestampMicrosecond('UTC'), [-1n, 1_700_000_000_000_000n]);
    expect(values(await loadPlain(us))).toEqual(['1969-12-31T23:59:59.999999Z', '2023-11-14T22:13:20Z']);
    const ns = raw64(new arrow.TimestampNanosecond('UTC'), [-1n]);
    expect(values(await loadPlain(ns))).toEqual(['1969-12-31T23:59:59.999999999Z']);
  });

  it('a column without a zone needs timezone, and says so before any write', async () => {
    const x = raw64(new arrow.TimestampMicrosecond(), [0n]);
    const without = await loadColumn(x, { x: 'timestamp' });
    expect({ code: without.code, stored: without.stored }).toEqual({ code: 2, stored: {} });
    expect(without.stderr).toMatch(/\bx\b.*timezone/s);
    const berlin = await loadColumn(x, { x: 'timestamp', more: 'timezone: Europe/Berlin' });
    expect(values(berlin)).toEqual(['1969-12-31T23:00:00Z']);
  });

  it('dates', async () => {
    const x = column(new arrow.DateDay(), [new Date('2024-02-29'), new Date('1900-03-01')]);
    expect(values(await loadPlain(x))).toEqual(['2024-02-29', '1900-03-01']);
  });
});

describe('lists', () => {
  const floats = new arrow.List(new arrow.Field('item', new arrow.Float32(), true));
  const lists = column(floats, [[1, 2.5, 3], [], null, [1, null, 2], [0.1]]);

  it('as JSON, float32 in its shortest text', async () => {
    const { stored, code } = await loadPlain(lists);
    expect(code).toBe(0);
    expect(Object.fromEntries(Object.entries(stored).map(([key, hash]) => [key, hash.fields.x]))).toEqual({
      'k:0': '[1,2.5,3]',
      'k:1': '[]',
      'k:3': '[1,null,2]',
      'k:4': '[0.1]',
    });
  });

  it('as a vector: packed little-endian; another length or a null inside is a row error', async () => {
    const { stored, stderr } = await loadColumn(lists, {
      x: 'vector<float32>[3]',
      flags: ['--max-errors', 'all'],
    });
    expect(stored['k:0']?.fields.x).toBe(
      Buffer.from(new Float32Array([1, 2.5, 3]).buffer).toString('latin1'),
    );
    expect(Object.keys(stored)).toEqual(['k:0']);
    expect(stderr).toMatch(/VECTOR_LENGTH\s+2\b/);
    expect(stderr).toMatch(/VECTOR\s+1\b/);
    expect(stderr).toContain('expected numbers without a null among them, found "[1,null,2]": number 2 of 3');
  });

  it('a struct mapped as a scalar is refused before any write', async () => {
    const type = new arrow.Struct([new arrow.Field('a', new arrow.Int32(), true)]);
    const { code, stderr, stored } = await loadColumn(column(type, [{ a: 1 }]), { x: 'float64' });
    expect({ code, stored }).toEqual({ code: 2, stored: {} });
    expect(stderr).toMatch(/struct.*float64/s);
  });
});

describe('bytes and text', () => {
  it('bytes without annotation: the bytes as they are, or a row error as text', async () => {
    const x = column(new arrow.Binary(), [Uint8Array.of(0xff, 0xfe), Uint8Array.of(0x61)]);
    expect(values(await loadPlain(x))).toEqual(['\xff\xfe', 'a']);
    const asText = await loadColumn(x, { x: 'string', flags: ['--max-errors', 'all'] });
    expect({ code: asText.code, x: asText.x }).toEqual({ code: 1, x: { 1: 'a' } });
    expect(asText.stderr).toMatch(/INVALID_UTF8/);
  });

  it('a string that starts with U+FEFF keeps it', async () => {
    expect(values(await loadPlain(utf8(['\ufeffa', 'é'])))).toEqual([bytes('\ufeffa'), bytes('é')]);
  });

  it('an empty string is a value, a null is none', async () => {
    const x = utf8(['', null, 'NULL']);
    expect((await loadColumn(x)).x).toEqual({ 0: '', 2: 'NULL' });
  });
});

describe('shape', () => {
  it('zero rows: exit 0', async () => {
    const { code, stored } = await loadPlain(utf8([]));
    expect({ code, stored }).toEqual({ code: 0, stored: {} });
  });

  it('many row groups, rows in order', async () => {
    const ids = utf8(Array.from({ length: 5000 }, (_, i) => String(i)));
    const { code, stored } = await load(desk, toParquet({ id: ids, x: ids }, 700), {
      name: 'groups.parquet',
    });
    expect(code).toBe(0);
    expect(Object.keys(stored)).toHaveLength(5000);
    expect(stored['k:4999']?.fields.x).toBe('4999');
  });
});

describe('damage', () => {
  const whole = toParquet({ id: utf8(['a']), x: utf8(['b']) });

  it.each([
    ['a cut footer', whole.subarray(0, -12), /SOURCE_(TRUNCATED|CORRUPT)/],
    ['no PAR1 at the start', Buffer.concat([Buffer.from('XXXX'), whole.subarray(4)]), /PAR1.*SOURCE_FORMAT/s],
    [
      'encrypted',
      Buffer.concat([Buffer.from('PARE'), whole.subarray(4, -4), Buffer.from('PARE')]),
      /SOURCE_ENCRYPTED/,
    ],
    ['zero bytes', Buffer.alloc(0), /SOURCE_TRUNCATED/],
  ])('%s: exit 4, says which', async (_name, content, message) => {
    const { code, stored, stderr } = await load(desk, content, { name: 'damaged.parquet' });
    expect({ code, stored }).toEqual({ code: 4, stored: {} });
    expect(stderr).toMatch(message);
  });
});

describe('rejects', () => {
  it('of nested values and of bytes load again as they would have been loaded', async () => {
    const struct = new arrow.Struct([
      arrow.Field.new('big', new arrow.Int64(), true),
      arrow.Field.new('name', new arrow.Utf8(), true),
    ]);
    const list = new arrow.List(arrow.Field.new('item', new arrow.Float64(), true));
    const columns = (n: readonly (number | null)[]) => ({
      id: utf8(['1', '2']),
      s: column(struct, [
        { big: 2n ** 53n + 1n, name: 'é"' },
        { big: null, name: null },
      ]),
      l: column(list, [[0.1, null, 3], []]),
      b: column(new arrow.Binary(), [Buffer.from('4b,\n"é'), Buffer.from('')]),
      n: column(new arrow.Float64(), n),
    });
    const features = ['s: json', 'l: json', 'b: bytes', 'n: { type: float64, "null": { policy: error } }'];
    const schema = await desk.file(
      'nested.yaml',
      `name: t\nkey: "k:{id}"\nttl: 1h\nfeatures:\n${features.map((line) => `  ${line}\n`).join('')}`,
    );
    const whole = await desk.file('whole.parquet', toParquet(columns([1, 2])));
    const holed = await desk.file('holed.parquet', toParquet(columns([null, null])));
    const rejects = desk.path('nested-bad.csv');
    expect((await desk.run(['ingest', whole, '--schema', schema])).code).toBe(0);
    const wanted = await desk.take();
    const argv = ['ingest', holed, '--schema', schema, '--max-errors', 'all', '--rejects', rejects];
    expect((await desk.run(argv)).code).toBe(1);
    expect(await desk.take()).toEqual({});
    const text = await desk.read('nested-bad.csv');
    // The null of n is the last of the row's own cells; each is mended by its row.
    let row = 0;
    const mended = text.replaceAll(/,,(?=[^,]*,\d+,map,NULL,n,)/g, () => `,${++row},`);
    await desk.file('mended.csv', Buffer.from(mended, 'latin1'));
    expect(row, text).toBe(2);
    const again = await desk.run(['ingest', desk.path('mended.csv'), '--schema', schema]);
    expect(again.code, again.stderr).toBe(0);
    expect(Object.values(await desk.take()).map((hash) => hash.fields)).toEqual(
      Object.values(wanted).map((hash) => hash.fields),
    );
  });
});
