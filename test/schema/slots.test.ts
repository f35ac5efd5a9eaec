/** Plain typed values are stored from where they stand, and what is not plain is asked for. */
import { expect, it } from 'vitest';
import type { LogicalType, Value } from '../../src/core/types.ts';
import { slotsOf } from './slots.ts';
import { encode, schemaOf, storedOf } from './support.ts';

const utf8: LogicalType = { kind: 'utf8' };
const int64: LogicalType = { kind: 'int', bits: 64, signed: true };
const ns: LogicalType = { kind: 'timestamp', unit: 'ns', zoned: true };

/** The stored text, and whether a Value was made of it. */
function stored(feature: string, type: LogicalType, value: Value) {
  const [plain, coded] = [false, true].map((isCoded) => storedAs(isCoded, feature, type, value));
  expect(coded).toEqual(plain);
  return plain;
}

function storedAs(isCoded: boolean, feature: string, type: LogicalType, value: Value) {
  return storedOf(schemaOf(feature), type, (name, asked) => {
    const [of, held] = name === 'id' ? [utf8, '1'] : [type, value];
    const at = (): Value => {
      asked();
      return held;
    };
    return { kind: 'typed', type: of, slots: slotsOf(of, [held], isCoded), at };
  });
}

it.each<[string, LogicalType, Value, string]>([
  ['string', utf8, 'abc', 'abc'],
  ['string', int64, -5n, '-5'],
  ['int64', int64, 9_007_199_254_740_991n, '9007199254740991'],
  ['int8', { kind: 'int', bits: 16, signed: true }, -128, '-128'],
  ['float64', { kind: 'float', bits: 64 }, -1234.5, '-1234.5'],
  ['float64', { kind: 'float', bits: 64 }, 0.0625, '0.0625'],
  ['float64', { kind: 'float', bits: 64 }, 0.1 + 0.2, '0.30000000000000004'],
  ['float32', { kind: 'float', bits: 32 }, Math.fround(0.123456789), '0.12345679'],
  ['float32', { kind: 'float', bits: 32 }, Math.fround(1e-5), '0.00001'],
  ['bool', { kind: 'bool' }, true, '1'],
  ['{ type: bool, bool: words }', { kind: 'bool' }, false, 'false'],
  ['date', { kind: 'date' }, -1, '1969-12-31'],
  ['timestamp', ns, 1_700_000_000_000_000_001n, '2023-11-14T22:13:20.000000001Z'],
  ['timestamp', ns, -1n, '1969-12-31T23:59:59.999999999Z'],
  ['{ type: timestamp, unit: us }', int64, 1_500_000n, '1970-01-01T00:00:01.5Z'],
  ['{ type: int32, max: 10 }', { kind: 'int', bits: 32, signed: true }, 10, '10'],
])('%s of %j: %s', (feature, type, value, text) => {
  expect(stored(feature, type, value)).toEqual({ text, isAsked: false });
});

const floats = (bits: 32 | 64, size: number | null = null): LogicalType => {
  return { kind: 'list', item: { kind: 'float', bits }, size };
};
const packed = (...words: readonly string[]): string => Buffer.from(words.join(''), 'hex').toString('latin1');

it.each<[string, LogicalType, Value, string]>([
  ['vector<float32>[2]', floats(32), [1.5, -0], packed('0000c03f', '00000080')],
  ['vector<float32>[2]', floats(32, 2), [1.5, -2], packed('0000c03f', '000000c0')],
  ['vector<float32>[2]', floats(64), [0.1, 1e-46], packed('cdcccc3d', '00000000')],
  ['vector<float64>[1]', floats(64, 1), [0.1], packed('9a9999999999b93f')],
  ['vector<float64>[1]', floats(32), [1.5], packed('000000000000f83f')],
])('%s of %j: %j is packed without a value of each', (feature, type, value, bytes) => {
  expect(stored(feature, type, value)).toEqual({ text: bytes, isAsked: false });
});

it.each<[string, LogicalType, Value, string | undefined]>([
  ['vector<float32>[2]', floats(32), [1], undefined],
  ['vector<float32>[2]', floats(32, 3), [1, 2, 3], undefined],
  ['vector<float32>[2]', floats(64), [1, 1e39], undefined],
  ['vector<float32>[1]', floats(32), [Number.NaN], undefined],
  [
    '{ type: "vector<float32>[1]", allow_nonfinite: true }',
    floats(32),
    [Number.POSITIVE_INFINITY],
    packed('0000807f'),
  ],
  ['{ type: "vector<float32>[2]", encoding: json }', floats(32), [1, 0.5], '[1,0.5]'],
  ['int64', int64, -9_007_199_254_740_993n, '-9007199254740993'],
  ['float64', { kind: 'float', bits: 64 }, 1e-7, '1e-7'],
  ['float64', { kind: 'float', bits: 64 }, -0, '-0'],
  ['float32', { kind: 'float', bits: 32 }, 2 ** 24, '16777216'],
  ['{ type: int32, max: 9 }', { kind: 'int', bits: 32, signed: true }, 10, undefined],
  ['{ type: string, default: none }', utf8, null, 'none'],
])('%s of %j is asked for: %s', (feature, type, value, text) => {
  expect(stored(feature, type, value)).toEqual({ text, isAsked: true });
});

it.each([1, 63, 64, 65, 128, 200])('%d rows of every kind of number, some null, some passed over', (rows) => {
  const valuesOf = (of: (row: number) => Value): Value[] =>
    Array.from({ length: rows }, (_, row) => (row % 7 === 3 ? null : of(row)));
  const inputs = [
    { name: 'id', type: int64, values: Array.from({ length: rows }, (_, row) => BigInt(row)) },
    { name: 'a', type: int64, values: valuesOf((row) => BigInt(row) * 1_000_003n) },
    { name: 'b', type: { kind: 'float', bits: 64 } as const, values: valuesOf((row) => row / 8) },
    { name: 'c', type: { kind: 'bool' } as const, values: valuesOf((row) => row % 3 === 0) },
    {
      name: 'd',
      type: ns,
      values: Array.from({ length: rows }, (_, row) => BigInt(row) * 86_400_000_000_007n),
    },
  ];
  const fault = { code: 'INVALID_UTF8', column: null, reason: 'not read' } as const;
  const faults = new Map([0, 63, 64, 127].filter((row) => row < rows - 1).map((row) => [row, fault]));
  const schema = schemaOf('\n  a: int64\n  b: float64\n  c: bool\n  d: timestamp');
  // encode() compares values from memory with values made one by one.
  const encoded = encode(schema, inputs, { faults });
  expect(encoded.rows.length).toBe(rows - faults.size);
  for (const { row, fields } of encoded.rows) {
    expect(fields.a ?? null).toBe(row % 7 === 3 ? null : String(row * 1_000_003));
    expect(fields.b ?? null).toBe(row % 7 === 3 ? null : String(row / 8));
  }
});
