/** Edges found by attack: each a kind, not a case. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float32Text, float64Text } from '../../src/schema/codecs/float.ts';
import { timeZone } from '../../src/schema/codecs/time-zone.ts';
import { parseSchema } from '../../src/schema/index.ts';
import { schemaOf, storeText, thrown } from './support.ts';

describe('zones', () => {
  /** Wall seconds of an instant, by Intl alone. */
  function wallOf(zone: string, utc: number): number {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const part = Object.fromEntries(
      format.formatToParts(utc * 1000).map(({ type, value }) => [type, Number(value)]),
    );
    return (
      Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second) / 1000
    );
  }

  const zones = [
    'America/New_York',
    'Europe/Berlin',
    'Asia/Kathmandu',
    'Africa/Monrovia',
    'Pacific/Apia',
    'Europe/Dublin',
  ];

  it('the UTC time of a wall time has that wall time, and no earlier one has, since 1850', () => {
    const instant = fc.integer({ min: -3_786_825_600, max: 4_102_444_800 });
    fc.assert(
      fc.property(fc.constantFrom(...zones), instant, (zone, utc) => {
        const wall = wallOf(zone, utc);
        const found = timeZone(zone)?.(wall) ?? Number.NaN;
        expect(wallOf(zone, found)).toBe(wall);
        expect(found).toBeLessThanOrEqual(utc);
      }),
      { numRuns: 1500 },
    );
  });
});

describe('cells of a million characters are refused or stored like any other', () => {
  const long = 1_000_000;
  it.each([
    ['float64', `${'1'.repeat(long)}x`, 'FLOAT'],
    ['int64', '9'.repeat(long), 'INT_RANGE'],
    ['{ type: timestamp, unit: s }', '9'.repeat(long), 'TIMESTAMP_RANGE'],
    ['{ type: bytes, decode: base64 }', `${'A'.repeat(long)}?`, 'BYTES'],
    ['json', `"${'a'.repeat(long)}`, 'JSON'],
  ])('%s', (type, cell, code) => {
    expect(storeText(schemaOf(type), cell)).toBe(code);
  });
});

it('float32 text is the shortest at every power of two', () => {
  for (let power = -149; power < 128; power += 1) {
    const value = 2 ** power;
    const text = float32Text(value);
    expect(Math.fround(Number(text))).toBe(value);
    const digits = text
      .replace(/e.*/, '')
      .replace(/\D/g, '')
      .replace(/^0+|0+$/g, '').length;
    for (let fewer = 1; fewer < digits; fewer += 1) {
      expect(Math.fround(Number(value.toPrecision(fewer))), `${text} in ${fewer} digits`).not.toBe(value);
    }
  }
});

it.each([
  ['[1e400, 1]', 'FLOAT_RANGE'],
  ['[-1e999, 1]', 'FLOAT_RANGE'],
  ['["nan,1]', 'VECTOR'],
  ['[nan",1]', 'VECTOR'],
  ['[NaN, 1]', '["nan",1]'],
])('a vector with allow_nonfinite: %s', (cell, stored) => {
  const type = '{ type: "vector<float64>[2]", encoding: json, allow_nonfinite: true }';
  expect(storeText(schemaOf(type), cell)).toBe(stored);
});

describe('what get shows', () => {
  const decode = (type: string, stored: string): unknown => schemaOf(type).features[0]?.decode(stored);

  it.each([
    ['json', 'null', null],
    ['json', '{"a":1e400}', '{"a":1e400}'],
    ['json', '{"a":9007199254740993}', '{"a":9007199254740993}'],
    ['json', '{"a":1.00000000000000000001}', '{"a":1.00000000000000000001}'],
    ['json', '{"card":"1234567890123456"}', { card: '1234567890123456' }],
    ['json', '[0.1,1e5]', [0.1, 1e5]],
    ['float64', '0x10', '0x10'],
    ['float64', '1e-7', 1e-7],
    ['vector<float32>[1]', '\0\0\xc0\x7f', ['nan']],
    ['vector<float32>[1]', '\0\0\x80\xff', ['-inf']],
  ])('%s %j as %j', (type, stored, shown) => {
    expect(decode(type, stored)).toEqual(shown);
  });

  it.each([
    ['timestamp', '2024-01-15T08:00:00.5Z'],
    ['{ type: timestamp, store: epoch_s }', '1705305600'],
    ['{ type: timestamp, store: epoch_ms }', '1705305600500'],
    ['{ type: timestamp, store: epoch_ns }', '1705305600500000000'],
  ])('the time of %s %s', (type, stored) => {
    const ms = schemaOf(type).features[0]?.epochMs(stored) ?? 0;
    expect(Math.abs(ms - 1_705_305_600_250)).toBeLessThanOrEqual(250);
  });
});

describe('schema files', () => {
  const file = (more: string): string => `name: t\nkey: "k:{id}"\nttl: 1h\n${more}\n`;

  it('an event time that a feature reads by from is that feature, not a second field', () => {
    const schema = parseSchema(
      file('event_time: ts\nfeatures:\n  x: string\n  at: { type: timestamp, from: ts }'),
      's',
    );
    expect(schema.fields).toEqual(['x', 'at']);
    expect(schema.eventTimeField).toBe(1);
  });

  it.each([
    ['features:\n  x: null', /features\.x: expected a map of options, found null/],
    ['ttl_jitter: 0.1\nfeatures:\n  x: string', /ttl_jitter: expected a share such as 10%, found 0.1/],
    ['features:\n  x: { type: string, null: { policy: never } }', /features\.x\.null.*skip/],
  ])('%j says what is expected', (more, message) => {
    expect(thrown(() => parseSchema(file(more), 's')).message).toMatch(message);
  });
});

it('float64 text is that of JavaScript, which is the shortest, but for minus zero', () => {
  const decimal = fc
    .tuple(fc.integer({ min: 0, max: 6 }), fc.maxSafeInteger())
    .map(([places, digits]) => digits / 10 ** places);
  const short = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer()).map(([p, digits]) => digits / 10 ** p);
  fc.assert(
    fc.property(fc.oneof(decimal, short, fc.double()), (value) => {
      expect(float64Text(value)).toBe(Object.is(value, -0) ? '-0' : String(value));
    }),
    { numRuns: 3000 },
  );
  for (const value of [1e-4, 1e-5, 1e-6, 1e-7, 0.1 + 0.2, 1e10, 9_999_999_999.9999, 1e21, 5e-324]) {
    expect(float64Text(value)).toBe(String(value));
  }
});
