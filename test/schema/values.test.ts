/** Codecs, a table a type: cell or typed value → stored bytes, null, or the code it is refused with. */
import { describe, expect, it } from 'vitest';
import type { LogicalType } from '../../src/core/types.ts';
import { schemaOf, storeTyped, thrown, utf8 } from './support.ts';
import {
  BINARY,
  DECIMAL,
  FLOAT16,
  FLOAT32,
  FLOAT64,
  INT32,
  INT64,
  list,
  struct,
  type TextRow,
  texts,
  time,
  typed,
  UINT64,
  UTF8,
} from './tables.ts';

describe('string', () => {
  texts([
    ['string', '007', '007'],
    ['string', ' a ', ' a '],
    ['string', 'é😀\u0000', utf8('é😀\u0000')],
    ['{ type: string, max_bytes: 2 }', 'é', utf8('é')],
    ['{ type: string, max_bytes: 2 }', 'éa', 'TOO_LONG'],
  ]);
  typed([
    ['string', UTF8, '', ''],
    ['string', UTF8, utf8('\ufeffa'), utf8('\ufeffa')],
    ['string', INT64, 9007199254740993n, '9007199254740993'],
    ['string', FLOAT32, Math.fround(0.1), '0.1'],
    ['string', { kind: 'bool' }, false, 'false'],
    ['string', DECIMAL, -57n, '-0.57'],
    ['string', { kind: 'date' }, -1, '1969-12-31'],
    ['string', { kind: 'time', unit: 'us' }, 3_600_000_001n, '01:00:00.000001'],
    ['string', { kind: 'time', unit: 'ms' }, 86_399_500n, '23:59:59.5'],
    ['string', time('ms'), -1n, '1969-12-31T23:59:59.999Z'],
    ['string', BINARY, 'abc', 'abc'],
    ['string', BINARY, '\xff\xfe', 'INVALID_UTF8'],
  ]);
});

describe('integers', () => {
  texts([
    ['int64', '9007199254740993', '9007199254740993'],
    ['int64', '9223372036854775807', '9223372036854775807'],
    ['int64', '9223372036854775808', 'INT_RANGE'],
    ['int64', '-9223372036854775808', '-9223372036854775808'],
    ['int64', '-9223372036854775809', 'INT_RANGE'],
    ['int64', '000000000000000000000007', '7'],
    ['int64', `-${'0'.repeat(30)}`, '0'],
    ['int64', '007', '7'],
    ['int64', '+5', '5'],
    ['int64', '-0', '0'],
    ['uint8', '-0', '0'],
    ['uint8', '256', 'INT_RANGE'],
    ['uint64', '18446744073709551615', '18446744073709551615'],
    ['uint64', '18446744073709551616', 'INT_RANGE'],
    ['int8', '-128', '-128'],
    ['int8', '-129', 'INT_RANGE'],
    ...['1.0', '1e3', '0x10', '1_000', ' 1', '1 ', '+', '-', '--1', '1-', '١', 'NaN', '1\n'].map(
      (cell): TextRow => ['int64', cell, 'INT'],
    ),
  ]);
  typed([
    ['int64', INT64, 9223372036854775807n, '9223372036854775807'],
    ['int64', UINT64, 9223372036854775808n, 'INT_RANGE'],
    ['uint64', UINT64, 18446744073709551615n, '18446744073709551615'],
    ['uint8', INT32, -1, 'INT_RANGE'],
    ['int64', { kind: 'decimal', precision: 38, scale: 0 }, 12n, '12'],
    ['int64', { kind: 'duration', unit: 's' }, 5n, '5'],
    ['int64', UTF8, '7', '7'],
    ['int64', UTF8, '', 'INT'],
  ]);
});

describe('floats', () => {
  texts([
    ['float64', '0.1', '0.1'],
    ['float64', '-0', '-0'],
    ['float64', '-0.0', '-0'],
    ['float64', '1.50', '1.5'],
    ['float64', '0.000001', '0.000001'],
    ['float64', '0.0000001', '1e-7'],
    ['float64', '00.5', '0.5'],
    ['decimal', '5.', '5'],
    ['decimal', '-0.', '0'],
    ['float64', '-0.5', '-0.5'],
    ['float64', '-00', '-0'],
    ['float64', '5.', '5'],
    ['float64', '0.0', '0'],
    ['float64', '1..5', 'FLOAT'],
    ['float64', '-', 'FLOAT'],
    ['float32', '123.456', '123.456'],
    ['float64', '+1', '1'],
    ['float64', '.5', '0.5'],
    ['float64', '1E3', '1000'],
    ['float64', '1e400', 'FLOAT_RANGE'],
    ['float64', '-1e400', 'FLOAT_RANGE'],
    ['float64', 'nan', 'FLOAT_RANGE'],
    ['float64', '-Infinity', 'FLOAT_RANGE'],
    ['{ type: float64, allow_nonfinite: true }', 'NaN', 'nan'],
    ['{ type: float64, allow_nonfinite: true }', '+inf', 'inf'],
    ['{ type: float64, allow_nonfinite: true }', '-Infinity', '-inf'],
    ['{ type: float64, allow_nonfinite: true }', '1e400', 'FLOAT_RANGE'],
    ['float32', '0.1', '0.1'],
    ['float32', '16777217', '16777216'],
    ['float32', '3.4028235e38', '3.4028235e+38'],
    ['float32', '3.5e38', 'FLOAT_RANGE'],
    ['float32', '1e-45', '1e-45'],
    ...['.', 'e5', '1e', '0x10', '1_000', ' 1', '1,5', '1d', 'infinit'].map(
      (cell): TextRow => ['float64', cell, 'FLOAT'],
    ),
    ['{ type: float64, max: 1 }', '1', '1'],
    ['{ type: float64, max: 1 }', '1.0000000000000002', 'BOUNDS'],
    ['{ type: float64, max: 1, allow_nonfinite: true }', 'inf', 'BOUNDS'],
    ['{ type: float64, max: 1, allow_nonfinite: true }', '-inf', '-inf'],
    ['{ type: float64, min: 1e-3 }', '0.001', '0.001'],
  ]);
  typed([
    ['float32', FLOAT64, 0.1, '0.1'],
    ['float32', FLOAT64, 1e39, 'FLOAT_RANGE'],
    ['float64', FLOAT32, Math.fround(0.1), '0.10000000149011612'],
    ['float32', FLOAT16, 0.5, '0.5'],
    ['float64', FLOAT64, Number.NaN, 'FLOAT_RANGE'],
    ['float64', INT64, 9007199254740992n, '9007199254740992'],
    ['float64', INT64, 9007199254740993n, 'FLOAT_RANGE'],
    ['float32', INT32, 16777217, 'FLOAT_RANGE'],
    ['float64', DECIMAL, 115n, '1.15'],
  ]);
});

describe('bool', () => {
  texts([
    ['bool', 'TrUe', '1'],
    ['bool', '1', '1'],
    ['bool', 'FALSE', '0'],
    ['bool', '0', '0'],
    ['bool', 'yes', 'BOOL'],
    ['bool', '2', 'BOOL'],
    ['{ type: bool, bool: words }', '1', 'true'],
    ['{ type: bool, true: [yes, Y], false: [no] }', 'Y', '1'],
    ['{ type: bool, true: [TRUE], false: [FALSE] }', 'TRUE', '1'],
    ['{ type: bool, true: [1.0], false: [0.0] }', '0.0', '0'],
    ['{ type: bool, true: [ja], false: [nein] }', 'Ja', 'BOOL'],
  ]);
  typed([
    ['bool', { kind: 'bool' }, true, '1'],
    ['bool', INT64, 0n, '0'],
    ['bool', INT32, 2, 'BOOL'],
    ['{ type: bool, bool: words }', UTF8, 'true', 'true'],
  ]);
});

describe('date', () => {
  texts([
    ['date', '2024-02-29', '2024-02-29'],
    ['date', '0000-01-01', '0000-01-01'],
    ...['2023-02-29', '1900-02-29', '2024-13-01', '2024-1-1', '20240101', '2024-01-01T00:00:00Z'].map(
      (cell): TextRow => ['date', cell, 'DATE'],
    ),
  ]);
  typed([
    ['date', { kind: 'date' }, 0, '1970-01-01'],
    ['date', { kind: 'date' }, -719528, '0000-01-01'],
    ['date', { kind: 'date' }, 2932897, 'DATE'],
  ]);
});

describe('decimal', () => {
  texts([
    ['decimal', '007.50', '7.50'],
    ['decimal', '.5', '0.5'],
    ['decimal', '-0.00', '0.00'],
    ['decimal', '+5', '5'],
    ['decimal', '12345678901234567890123456789012345678.1234', '12345678901234567890123456789012345678.1234'],
    ...['1e3', '.', '1,5', 'NaN', '--1'].map((cell): TextRow => ['decimal', cell, 'DECIMAL']),
    ['{ type: decimal, max: 0.12345678901234567890 }', '0.12345678901234567890', '0.12345678901234567890'],
    ['{ type: decimal, max: 0.12345678901234567890 }', '0.12345678901234567891', 'BOUNDS'],
    ['{ type: decimal, min: -1.5 }', '-1.50', '-1.50'],
  ]);
  typed([
    ['decimal', DECIMAL, 57n, '0.57'],
    ['decimal', DECIMAL, 115n, '1.15'],
    ['decimal', DECIMAL, -57n, '-0.57'],
    ['decimal', DECIMAL, 0n, '0.00'],
    ['decimal', { kind: 'decimal', precision: 9, scale: -2 }, 57n, '5700'],
    ['decimal', { kind: 'decimal', precision: 38, scale: 4 }, 10n ** 37n + 1n, `1${'0'.repeat(33)}.0001`],
    ['decimal', INT64, -5n, '-5'],
  ]);
});

describe('bytes', () => {
  texts([
    ['bytes', 'é', utf8('é')],
    ['{ type: bytes, decode: base64 }', '//4=', '\xff\xfe'],
    ['{ type: bytes, decode: base64 }', '//4', 'BYTES'],
    ['{ type: bytes, decode: base64 }', '_-4=', 'BYTES'],
    ['{ type: bytes, decode: hex }', 'fFfE', '\xff\xfe'],
    ['{ type: bytes, decode: hex }', 'fff', 'BYTES'],
    ['{ type: bytes, decode: hex, max_bytes: 1 }', 'ffff', 'TOO_LONG'],
  ]);
  typed([
    ['bytes', BINARY, '\xff\xfe', '\xff\xfe'],
    ['{ type: bytes, decode: hex }', UTF8, '00', '\x00'],
  ]);
});

describe('a column of a type that its feature cannot take is refused before any row', () => {
  it.each([
    ['float64', struct({ a: INT64 })],
    ['string', list(UTF8)],
    ['int64', FLOAT64],
    ['int32', { kind: 'decimal', precision: 9, scale: 2 }],
    ['decimal', FLOAT64],
    ['timestamp', INT64],
    ['timestamp', time('us', false)],
    ['timestamp', { kind: 'date' }],
    ['date', time('us')],
    ['json', list(time('us', false))],
    ['vector<float32>[2]', list(UTF8)],
    ['vector<float32>[2]', FLOAT32],
    ['bytes', INT32],
    ['bool', FLOAT32],
  ] as const)('%s from %j', (type, column) => {
    const error = thrown(() => storeTyped(schemaOf(type), column as LogicalType, null));
    expect(error.code).toBe('TYPE');
    expect(error.message).toMatch(/column "x" .*feature x/);
  });

  it('but a column that is null throughout suits all', () => {
    for (const type of ['int8', 'json', 'vector<float32>[2]', 'timestamp', 'string']) {
      expect(storeTyped(schemaOf(type), { kind: 'null' }, null)).toBeNull();
    }
  });
});
