/** Keys and TTLs: what a key is made of, that entities cannot meet in one, and how TTLs are spread. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogicalType, Value } from '../../src/core/types.ts';
import { keyMatcher, keyOf, keyParts, keyPattern } from '../../src/schema/index.ts';
import { encode, schemaOf, thrown, utf8 } from './support.ts';

const keyed = (key: string) => schemaOf('string', `key: ${JSON.stringify(key)}`);

function rowKey(key: string, parts: Readonly<Record<string, string>>): string | undefined {
  const columns = Object.entries(parts).map(([name, cell]) => ({ name, cells: [{ quoted: cell }] }));
  return encode(keyed(key), [...columns, { name: 'x', cells: ['v'] }], { firstRow: 7 }).rows[0]?.key;
}

describe('templates', () => {
  it.each([
    ['k:{id}', { id: 'a b' }, 'k:a b'],
    ['k:{id}', { id: 'a:b%3A' }, 'k:a:b%3A'],
    ['k:{id}', { id: 'é' }, utf8('k:é')],
    ['k:{id}', { id: ' a ' }, 'k: a '],
    ['{id}', { id: 'x'.repeat(10_000) }, 'x'.repeat(10_000)],
    ['f:{{{id}}}:v', { id: 'u1' }, 'f:{u1}:v'],
    ['f:{a}:{b}', { a: 'x:y', b: 'z%' }, 'f:x%3Ay:z%25'],
    ['f:{a}:{b}', { a: 'é', b: '1' }, utf8('f:é:1')],
    ['{a}é{b}', { a: 'èé', b: '1' }, utf8('è%C3%A9é1')],
    ['k:{id}:{_row}', { id: 'a' }, 'k:a:7'],
    ['k:{_source}:{_row}', {}, 'k:in.csv:7'],
  ])('%s with %o', (template, parts, key) => {
    expect(rowKey(template, parts)).toBe(key);
  });

  it.each([
    ['k', /at least one/],
    ['', /key/],
    ['k:{}', /\{column\}/],
    ['k:{id', /\{column\}/],
    ['k:id}', /\{column\}/],
    ['{a}{b}', /text between/],
  ])('%j is a problem', (template, words) => {
    const error = thrown(() => keyed(template));
    expect(error.code).toBe('SCHEMA');
    expect(error.message).toMatch(words);
  });

  it('keyOf makes the key that a row of that entity gets', () => {
    const schema = keyed('f:{country}:{user_id}');
    expect(keyParts(schema)).toEqual(['country', 'user_id']);
    expect(keyOf(schema, ['d:e', 'é%'])).toBe(
      rowKey('f:{country}:{user_id}', { country: 'd:e', user_id: 'é%' }),
    );
    expect(keyPattern(keyed('f*[?]\\:{a}:{b}'))).toBe('f\\*\\[\\?\\]\\\\:*:*');
  });

  it('a separator that begins with % is refused: escapes begin with it', () => {
    expect(thrown(() => keyed('{a}%{b}')).message).toMatch(/key: expected text that does not begin with %/);
    expect(() => keyed('%{a}:{b}%')).not.toThrow();
  });

  it.each([
    ['k:{id}', ['k:1', 'k:a:b\n', utf8('k:é')], ['k:', 'x:1', 'ak:1']],
    ['k:{id}:v1', ['k:1:v1'], ['k:1:v2', 'k:1', 'k::v1']],
    ['f:{a}:{b}', ['f:1:2', 'f:x%3Ay:%25'], ['f:1', 'f:1:2:3', 'f::2', 'f:1:%zz', 'f:1:100%']],
    ['k:{id}:{_row}', ['k:a:7'], ['k:a:b', 'k:a:0']],
    ['f:{{{id}}}:v', ['f:{1}:v'], ['f:1:v']],
  ])('the keys of %s are told from others', (template, own, others) => {
    const matches = keyMatcher(keyed(template));
    expect(own.filter((key) => !matches(key))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });

  it('every key that a template makes is one of its own', () => {
    const part = fc.string({
      minLength: 1,
      maxLength: 6,
      unit: fc.constantFrom('a', ':', '%', 'é', '{', '*', '\n', '\x00', '2'),
    });
    const template = fc.constantFrom('k:{a}', '{a}:{b}', 'x{a}é{b}é', '*{a}[:{b}');
    fc.assert(
      fc.property(template, part, part, (text, a, b) => {
        const schema = keyed(text);
        const key = keyOf(schema, keyParts(schema).length === 1 ? [a] : [a, b]);
        expect(keyMatcher(schema)(key)).toBe(true);
      }),
    );
  });

  it('two entities never meet in one key', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', ':', '%', '2', '3', '5', 'A', 'é', '|', '-'),
      minLength: 1,
    });
    const template = fc.constantFrom('{a}:{b}', 'p:{a}:|{b}', '{a}é{b}', '{a}2{b}', '{a}A{b}:');
    fc.assert(
      fc.property(template, part, part, part, part, (text, a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        const schema = keyed(text);
        expect(keyOf(schema, [a, b])).not.toBe(keyOf(schema, [c, d]));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('entities', () => {
  it.each([
    [null, 'KEY_NULL'],
    [{ quoted: '' }, 'KEY_EMPTY'],
    [' \t', 'KEY_BLANK'],
    ['\v', 'KEY_BLANK'],
    ['\u00a0\u3000', 'KEY_BLANK'],
    ['\u2003', 'KEY_BLANK'],
  ] as const)('%j is refused with %s, naming the column', (cell, code) => {
    const { rows, faults } = encode(keyed('k:{id}'), [
      { name: 'id', cells: [cell, 'good'] },
      { name: 'x', cells: ['v', 'v'] },
    ]);
    expect(faults).toMatchObject([{ code, column: 'id', row: 0, stage: 'map' }]);
    expect(rows.map((row) => row.key)).toEqual(['k:good']);
  });

  it('a null token is a null entity where it is not quoted', () => {
    const schema = schemaOf('string', 'null: { tokens: ["", NULL] }');
    const { rows, faults } = encode(schema, [
      { name: 'id', cells: ['NULL', { quoted: 'NULL' }] },
      { name: 'x', cells: ['v', 'v'] },
    ]);
    expect(faults.map((fault) => fault.code)).toEqual(['KEY_NULL']);
    expect(rows.map((row) => row.key)).toEqual(['k:NULL']);
  });

  it.each([
    [{ kind: 'utf8' }, 'a', 'a'],
    [{ kind: 'int', bits: 64, signed: true }, 9007199254740993n, '9007199254740993'],
    [{ kind: 'bool' }, true, 'true'],
    [{ kind: 'decimal', precision: 9, scale: 2 }, 150n, '1.50'],
    [{ kind: 'date' }, 0, '1970-01-01'],
    [{ kind: 'timestamp', unit: 'ms', zoned: true }, 1n, '1970-01-01T00:00:00.001Z'],
    [{ kind: 'uuid' }, '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001'],
    [{ kind: 'binary', size: 2 }, '\xff\x00', '\xff\x00'],
  ] as const)('of type %o', (type, value, text) => {
    const { rows } = encode(keyed('k:{id}'), [
      { name: 'id', type: type as LogicalType, values: [value as Value] },
      { name: 'x', cells: ['v'] },
    ]);
    expect(rows[0]?.key).toBe(`k:${text}`);
  });

  it.each([
    { kind: 'float', bits: 64 },
    { kind: 'list', item: { kind: 'utf8' }, size: null },
    { kind: 'struct', fields: [] },
  ] as const)('a column %o is refused before any row', (type) => {
    const error = thrown(() =>
      encode(keyed('k:{id}'), [
        { name: 'id', type, values: [null] },
        { name: 'x', cells: ['v'] },
      ]),
    );
    expect(error.code).toBe('TYPE');
    expect(error.message).toMatch(/key column "id"/);
  });
});

describe('TTL', () => {
  const ttls = (head: string, count: number): number[] => {
    const ids = Array.from({ length: count }, (_, i) => `user-${i}`);
    return encode(schemaOf('string', head), [
      { name: 'id', cells: ids },
      { name: 'x', cells: ids },
    ]).rows.map((row) => row.ttlMs);
  };

  it.each([
    ['ttl: none', 0],
    ['ttl: 1ms', 1],
    ['ttl: 90s', 90_000],
    ['ttl: 2w', 1_209_600_000],
    ['ttl: 3650d', 315_360_000_000],
  ])('%s', (head, ms) => {
    expect(ttls(head, 1)).toEqual([ms]);
  });

  it.each(['0s', '-5s', '1.5h', '""', '24', '11w5', '3651d', '5y', '1 h', 'None'])(
    '%s is a problem',
    (ttl) => {
      const error = thrown(() => schemaOf('string', `ttl: ${ttl}`));
      expect(error.code).toBe('SCHEMA');
      expect(error.message).toMatch(/\bttl: expected/);
    },
  );

  it.each(['100%', '-1%', '10', '5 %', '""'])('jitter %s is a problem', (jitter) => {
    expect(thrown(() => schemaOf('string', `ttl_jitter: "${jitter.replaceAll('"', '')}"`)).message).toMatch(
      /ttl_jitter: expected/,
    );
  });

  it('jitter without a TTL is a problem: nothing would expire', () => {
    const none = 'ttl: none\nttl_jitter: ';
    expect(thrown(() => schemaOf('string', `${none}10%`)).message).toMatch(
      /ttl_jitter: expected a TTL to shorten, found none beside "10%"/,
    );
    expect(schemaOf('string', `${none}0%`)).toMatchObject({ ttlMs: 0, ttlJitter: 0 });
  });

  it('jitter spreads evenly over [90, 100] whole seconds, and a rerun gives the same', () => {
    const head = 'ttl: 100s\nttl_jitter: 10%';
    const first = ttls(head, 5500);
    const bySecond = new Map<number, number>();
    for (const ttl of first) bySecond.set(ttl, (bySecond.get(ttl) ?? 0) + 1);
    expect([...bySecond.keys()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 11 }, (_, i) => 90_000 + i * 1000),
    );
    for (const count of bySecond.values()) expect(Math.abs(count - 500)).toBeLessThan(120);
    expect(ttls(head, 5500)).toEqual(first);
  });

  it('every TTL lies in its interval', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_256_000 }),
        fc.constantFrom('ms', 's', 'm'),
        fc.integer({ min: 0, max: 99 }),
        (count, unit, percent) => {
          const all = ttls(`ttl: ${count}${unit}\nttl_jitter: ${percent}%`, 20);
          const ms = count * ({ ms: 1, s: 1000, m: 60_000 }[unit] ?? 0);
          for (const ttl of all) {
            expect(Number.isInteger(ttl)).toBe(true);
            expect(ttl).toBeLessThanOrEqual(ms);
            expect(ttl).toBeGreaterThanOrEqual(Math.max(1, ms * (1 - percent / 100) - 1e-6 * ms));
          }
        },
      ),
    );
  });
});
