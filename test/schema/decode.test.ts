/** Stored bytes → JSON values by the schema. */
import { describe, expect, it } from 'vitest';
import { schemaOf, utf8 } from './support.ts';

describe('decode gives typed values', () => {
  it.each([
    ['int64', '42', 42],
    ['int64', '9007199254740993', '9007199254740993'],
    ['float64', '0.1', 0.1],
    ['float64', 'nan', 'nan'],
    ['bool', '0', false],
    ['{ type: bool, bool: words }', 'true', true],
    ['string', utf8('é'), 'é'],
    ['decimal', '1.50', '1.50'],
    ['{ type: timestamp, store: epoch_ms }', '-1', -1],
    ['timestamp', '2024-01-15T08:00:00Z', '2024-01-15T08:00:00Z'],
    ['bytes', '\xff\xfe', '//4='],
    ['json', utf8('{"é":[0.30000000000000004,1e-20]}'), { é: [0.30000000000000004, 1e-20] }],
    ['json', '{"a":9007199254740993}', '{"a":9007199254740993}'],
    ['json', '[-12345678901234567]', '[-12345678901234567]'],
    ['vector<float32>[2]', '\0\0\x80\x3f\xcd\xcc\xcc\x3d', [1, 0.1]],
    ['{ type: "vector<float64>[1]", encoding: json }', '[0.30000000000000004]', [0.30000000000000004]],
    ['vector<float32>[1]', '\0\0\x80\x3f\0\0\x80\x3f', '\\x00\\x00\\x80?\\x00\\x00\\x80?'],
    ['vector<float64>[2]', '12345678', '12345678'],
    ['{ type: "vector<float32>[2]", encoding: json }', '[1,2,3]', '[1,2,3]'],
    ['int64', 'foreign', 'foreign'],
    ['json', '{', '{'],
  ] as const)('%s %j → %j', (type, stored, value) => {
    expect(schemaOf(type).features[0]?.decode(stored)).toEqual(value);
  });
});
