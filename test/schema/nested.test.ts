/** json and vector, tables as in values.test.ts. */
import { describe } from 'vitest';
import { utf8 } from './support.ts';
import {
  BINARY,
  DECIMAL,
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
  UTF8,
} from './tables.ts';

describe('json', () => {
  texts([
    [
      'json',
      ' { "a" : [ 1.50 , 9223372036854775807 , 1E+2 ], "a": null } ',
      '{"a":[1.50,9223372036854775807,1E+2],"a":null}',
    ],
    ['json', '"a b\\u00e9 é"', utf8('"a b\\u00e9 é"')],
    ['json', '[]', '[]'],
    ...['{', '[1,]', '{a:1}', '01', '+1', '1.', '.5', "'a'", 'NaN', '[1] 2', '"a\nb"', '"\\x"', '"a'].map(
      (cell): TextRow => ['json', cell, 'JSON'],
    ),
    ['json', '['.repeat(5000) + ']'.repeat(5000), 'JSON'],
    ['{ type: json, max_bytes: 3 }', '[ 1 ]', '[1]'],
    ['{ type: json, max_bytes: 3 }', '[12]', 'TOO_LONG'],
  ]);
  const nested = struct({ n: INT64, 'é"': UTF8, d: DECIMAL, t: time('us'), b: BINARY });
  typed([
    ['json', list(FLOAT32), [Math.fround(0.1), null, 2], '[0.1,null,2]'],
    ['json', list(INT64), [9223372036854775807n], '[9223372036854775807]'],
    [
      'json',
      nested,
      [1n, utf8('a"é\n'), 115n, 1n, '\xff'],
      utf8('{"n":1,"é\\"":"a\\"é\\n","d":1.15,"t":"1970-01-01T00:00:00.000001Z","b":"/w=="}'),
    ],
    ['json', { kind: 'map', key: UTF8, value: INT32 }, [['a', 1]], '{"a":1}'],
    ['json', { kind: 'map', key: INT32, value: UTF8 }, [[1, 'a']], '[[1,"a"]]'],
    ['json', list(FLOAT64), [Number.NaN], 'FLOAT_RANGE'],
    ['{ type: json, allow_nonfinite: true }', list(FLOAT64), [Number.NaN, -Infinity], '["nan","-inf"]'],
    ['{ type: json, timezone: "+02:00" }', list(time('s', false)), [7200n], '["1970-01-01T00:00:00Z"]'],
    ['json', UTF8, '[1, 2]', '[1,2]'],
    ['json', UTF8, 'plain', 'JSON'],
    ['json', { kind: 'bool' }, true, 'true'],
  ]);
});

describe('vector', () => {
  const packed = (...values: number[]): string =>
    Buffer.from(Float32Array.from(values).buffer).toString('latin1');
  const json32 = '{ type: "vector<float32>[2]", encoding: json }';
  const json64 = '{ type: "vector<float64>[2]", encoding: json }';
  const open32 = '{ type: "vector<float32>[2]", allow_nonfinite: true, encoding: json }';
  texts([
    ['vector<float32>[2]', '[1, -0]', packed(1, -0)],
    ['vector<float64>[1]', '[0.1]', Buffer.from(Float64Array.of(0.1).buffer).toString('latin1')],
    [json32, '[0.1,2e0]', '[0.1,2]'],
    [json64, '[0.10000000149011612,-0]', '[0.10000000149011612,-0]'],
    ['vector<float32>[2]', '[1]', 'VECTOR_LENGTH'],
    ['vector<float32>[2]', '[1,2,3]', 'VECTOR_LENGTH'],
    ['vector<float32>[2]', '[1,1e39]', 'FLOAT_RANGE'],
    ...['[1,null]', '[1,"2"]', '[1,[2]]', '1,2', '{"a":1}', '[1,2', 'x', '[1,NaN]'].map(
      (cell): TextRow => ['vector<float32>[2]', cell, 'VECTOR'],
    ),
    [open32, '[NaN, -Infinity]', '["nan","-inf"]'],
    [open32, '["nan","-inf"]', '["nan","-inf"]'],
    [open32, '[1,banana]', 'VECTOR'],
    [open32, '[1,"2"]', 'VECTOR'],
  ]);
  typed([
    ['vector<float32>[2]', list(FLOAT64), [0.5, -2], packed(0.5, -2)],
    [json32, list(FLOAT32), [Math.fround(0.1), 1e-7], '[0.1,1e-7]'],
    ['vector<float32>[2]', list(FLOAT64), [0.5, 1e39], 'FLOAT_RANGE'],
    ['vector<float32>[2]', list(FLOAT64), [0.5, Number.NaN], 'FLOAT_RANGE'],
    ['vector<float32>[2]', list(FLOAT64), [0.5, null], 'VECTOR'],
    ['vector<float32>[2]', list(FLOAT64), [0.5], 'VECTOR_LENGTH'],
    [json64, list(INT64), [1n, 9007199254740992n], '[1,9007199254740992]'],
    [json64, list(INT64), [1n, 9007199254740993n], 'FLOAT_RANGE'],
    ['vector<float32>[2]', list(INT32), [1, 16777217], 'FLOAT_RANGE'],
    ['vector<float32>[2]', UTF8, '[1,2]', packed(1, 2)],
  ]);
});
