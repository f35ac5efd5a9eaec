/** CASES.md, table Values: each line from CSV text to what Redis holds. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { type LoadOptions, load } from '../support/load.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

/** Stored text of one cell, or the row code it is refused with. */
async function store(cell: string, type: string, options: LoadOptions = {}): Promise<string | undefined> {
  const { code, x, stderr } = await load(desk, `id,x\n1,${cell}\n`, {
    x: type,
    ...options,
    flags: ['--max-errors', 'all', ...(options.flags ?? [])],
  });
  if (code === 0) return x[1];
  expect(code, stderr).toBe(1);
  expect(x).toEqual({});
  expect(stderr, 'a rejected row names its column').toMatch(/\bx\b/);
  return /\b([A-Z][A-Z_]+)\b(?=[^a-z]*\b1\b)/.exec(stderr)?.[1] ?? stderr;
}

it.each([
  ['9007199254740993', 'int64', '9007199254740993'],
  ['9223372036854775807', 'int64', '9223372036854775807'],
  ['-9223372036854775808', 'int64', '-9223372036854775808'],
  ['9223372036854775808', 'int64', 'INT_RANGE'],
  ['18446744073709551615', 'uint64', '18446744073709551615'],
  ['18446744073709551616', 'uint64', 'INT_RANGE'],
  ['-1', 'uint8', 'INT_RANGE'],
  ['127', 'int8', '127'],
  ['128', 'int8', 'INT_RANGE'],
  ['007', 'string', '007'],
  ['007', 'int64', '7'],
  ['+5', 'int64', '5'],
  ['1.0', 'int64', 'INT'],
  ['1e3', 'int64', 'INT'],
  ['0x10', 'int64', 'INT'],
  ['1_000', 'int64', 'INT'],
  [' 1', 'int64', 'INT'],
  ['1e400', 'float64', 'FLOAT_RANGE'],
  ['-0', 'float64', '-0'],
  ['0.1', 'float64', '0.1'],
  ['1e-7', 'float64', '1e-7'],
  ['0.1', 'float32', '0.1'],
  ['1e39', 'float32', 'FLOAT_RANGE'],
  ['NaN', 'float64', 'FLOAT_RANGE'],
  ['NaN', '{ type: float64, allow_nonfinite: true }', 'nan'],
  ['-Infinity', '{ type: float64, allow_nonfinite: true }', '-inf'],
  ['TRUE', 'bool', '1'],
  ['0', 'bool', '0'],
  ['yes', 'bool', 'BOOL'],
  ['yes', '{ type: bool, "true": [yes], "false": [no] }', '1'],
  ['true', '{ type: bool, bool: words }', 'true'],
  ['2024-02-30', 'date', 'DATE'],
  ['2024-02-29', 'date', '2024-02-29'],
  ['12.3400', 'decimal', '12.3400'],
  ['aGk=', '{ type: bytes, decode: base64 }', 'hi'],
  ['6869', '{ type: bytes, decode: hex }', 'hi'],
  ['"{""a"": 9007199254740993}"', 'json', '{"a":9007199254740993}'],
  ['{a}', 'json', 'JSON'],
  ['"[1,2]"', '{ type: "vector<float32>[2]", encoding: bytes }', '\0\0\x80\x3f\0\0\0\x40'],
  ['"[1,2,3]"', 'vector<float32>[2]', 'VECTOR_LENGTH'],
  ['"[1,null]"', 'vector<float32>[2]', 'VECTOR'],
  ['5', '{ type: int64, min: 6 }', 'BOUNDS'],
  ['abc', '{ type: string, max_bytes: 2 }', 'TOO_LONG'],
])('%s as %s is %s', async (cell, type, stored) => {
  expect(await store(cell, type)).toBe(stored);
});

it.each(['1e21', '1e-7', '0.1', '123456789.123456789', '5e-324', '1.7976931348623157e308'])(
  'float64 %s reads back to the same number',
  async (cell) => {
    expect(Number(await store(cell, 'float64'))).toBe(Number(cell));
  },
);

describe('nulls', () => {
  const text = 'id,x,y\n1,,k\n2,"",k\n3,NULL,k\n4,"NULL",k\n';
  const features = '\n  x: string\n  y: string';

  it('a token counts unquoted only', async () => {
    const { stored } = await load(desk, text, { x: features, more: 'null: { tokens: ["NULL"] }' });
    expect(Object.values(stored).map((hash) => hash.fields.x)).toEqual([undefined, '', undefined, 'NULL']);
  });

  it('policy empty', async () => {
    const { x } = await load(desk, text, { x: features, more: 'null: { tokens: [""], policy: empty }' });
    expect(x).toEqual({ 1: '', 2: '', 3: 'NULL', 4: 'NULL' });
  });

  it('policy error', async () => {
    const { code, stderr } = await load(desk, text, {
      x: '\n  x: { type: string, null: error }\n  y: string',
      flags: ['--max-errors', 'all'],
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/NULL/);
  });

  it('0, false and "" are values', async () => {
    const { stored } = await load(desk, 'id,x,y,z\n1,0,false,""\n', {
      x: '\n  x: int64\n  y: bool\n  z: string',
    });
    expect(stored['k:1']?.fields).toEqual({ x: '0', y: '0', z: '' });
  });

  it('a row without any value is counted empty and not written', async () => {
    const { code, x, stderr } = await load(desk, 'id,x\n1,\n2,a\n');
    expect({ code, x }).toEqual({ code: 0, x: { 2: 'a' } });
    expect(stderr).toMatch(/empty/);
  });
});

it('a null, an empty and a blank key have a message each', async () => {
  const { code, x, stderr } = await load(desk, 'id,x\n,a\n"",b\n"  ",c\n4,d\n', {
    flags: ['--max-errors', '3'],
  });
  expect({ code, x }).toEqual({ code: 1, x: { 4: 'd' } });
  for (const word of ['KEY_NULL', 'KEY_EMPTY', 'KEY_BLANK']) expect(stderr).toContain(word);
});

describe('timestamps', () => {
  it.each([
    ['2024-01-15T10:00:00+02:00', 'timestamp', '2024-01-15T08:00:00Z'],
    ['2024-01-15T08:00:00.123456789Z', 'timestamp', '2024-01-15T08:00:00.123456789Z'],
    ['2024-02-30T00:00:00Z', 'timestamp', 'TIMESTAMP'],
    ['2024-01-15T10:00:00', 'timestamp', 'TIMESTAMP_ZONE'],
    ['1700000000', 'timestamp', 'TIMESTAMP'],
    ['1700000000', '{ type: timestamp, unit: s }', '2023-11-14T22:13:20Z'],
    ['1700000000000', '{ type: timestamp, unit: ms }', '2023-11-14T22:13:20Z'],
    ['1700000000000', '{ type: timestamp, unit: s }', 'TIMESTAMP_RANGE'],
    ['2024-01-15T08:00:00.5Z', '{ type: timestamp, store: epoch_ms }', '1705305600500'],
  ])('%s as %s is %s', async (cell, type, stored) => {
    expect(await store(cell, type)).toBe(stored);
  });

  it.each(['UTC', 'America/New_York', 'Asia/Kathmandu'])('TZ=%s changes nothing', async (zone) => {
    const before = process.env.TZ;
    process.env.TZ = zone;
    try {
      expect(await store('2024-01-15T10:00:00', '{ type: timestamp, timezone: "+02:00" }')).toBe(
        '2024-01-15T08:00:00Z',
      );
      expect(await store('2024-07-15T10:00:00', '{ type: timestamp, timezone: Europe/Berlin }')).toBe(
        '2024-07-15T08:00:00Z',
      );
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });

  it('ingest_time is stamped once a run', async () => {
    const { stored } = await load(desk, 'id,x\n1,a\n2,b\n', {
      x: '\n  x: string\n  at: { type: timestamp, value: ingest_time }',
    });
    const at = Object.values(stored).map((hash) => hash.fields.at ?? '');
    expect(at[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    expect(at[1]).toBe(at[0]);
    expect(Math.abs(Date.now() - Date.parse(at[0] ?? ''))).toBeLessThan(60_000);
  });
});
