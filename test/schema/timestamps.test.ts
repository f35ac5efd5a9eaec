/** Times: text and typed, zones, epochs; the same under every TZ of the process. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogicalType } from '../../src/core/types.ts';
import { encode, STARTED_AT, schemaOf, storeText, storeTyped } from './support.ts';

const time = (unit: 's' | 'ms' | 'us' | 'ns', zoned = true): LogicalType => ({
  kind: 'timestamp',
  unit,
  zoned,
});
const INT64: LogicalType = { kind: 'int', bits: 64, signed: true };
const BERLIN = '{ type: timestamp, timezone: Europe/Berlin }';
const NEW_YORK = '{ type: timestamp, timezone: America/New_York }';

describe.each(['UTC', 'America/New_York', 'Pacific/Chatham'])('process in TZ=%s', (zone) => {
  let before: string | undefined;
  beforeEach(() => {
    before = process.env.TZ;
    process.env.TZ = zone;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });

  it.each([
    ['timestamp', '2024-01-15T10:00:00+02:00', '2024-01-15T08:00:00Z'],
    ['timestamp', '2024-01-15T10:00:00+0200', '2024-01-15T08:00:00Z'],
    ['timestamp', '2024-01-15t08:00:00z', '2024-01-15T08:00:00Z'],
    ['timestamp', '2024-01-15 08:00:00Z', '2024-01-15T08:00:00Z'],
    ['timestamp', '2024-12-31T23:30:00-01:00', '2025-01-01T00:30:00Z'],
    ['timestamp', '2024-01-15T08:00:00.123456789Z', '2024-01-15T08:00:00.123456789Z'],
    ['timestamp', '2024-01-15T08:00:00.500Z', '2024-01-15T08:00:00.500Z'],
    ['timestamp', '2024-01-15T08:00:00.000Z', '2024-01-15T08:00:00Z'],
    ['timestamp', '0000-01-01T00:00:00Z', '0000-01-01T00:00:00Z'],
    ['timestamp', '9999-12-31T23:59:59-01:00', 'TIMESTAMP_RANGE'],
    ['timestamp', '0000-01-01T00:00:00+01:00', 'TIMESTAMP_RANGE'],
    ['timestamp', '2024-02-30T00:00:00Z', 'TIMESTAMP'],
    ['timestamp', '2024-01-15T24:00:00Z', 'TIMESTAMP'],
    ['timestamp', '2016-12-31T23:59:60Z', 'TIMESTAMP'],
    ['timestamp', '2024-01-15T08:00:00.1234567890Z', 'TIMESTAMP'],
    ['timestamp', '2024-01-15T08:00:00.Z', 'TIMESTAMP'],
    ['timestamp', '2024-01-15T08:00Z', 'TIMESTAMP'],
    ['timestamp', '2024-01-15', 'TIMESTAMP'],
    ['timestamp', '2024-01-15T08:00:00+24:00', 'TIMESTAMP'],
    ['timestamp', '2024-01-15  08:00:00Z', 'TIMESTAMP'],
    ['timestamp', ' 2024-01-15T08:00:00Z', 'TIMESTAMP'],
    ['timestamp', '1700000000', 'TIMESTAMP'],
    ['timestamp', '2024-01-15T10:00:00', 'TIMESTAMP_ZONE'],
    ['{ type: timestamp, timezone: "+02:00" }', '2024-01-15T10:00:00', '2024-01-15T08:00:00Z'],
    [BERLIN, '2024-01-15T10:00:00', '2024-01-15T09:00:00Z'],
    [BERLIN, '2024-07-15T10:00:00.25', '2024-07-15T08:00:00.25Z'],
    [BERLIN, '2024-07-15T10:00:00Z', '2024-07-15T10:00:00Z'],
    [BERLIN, '2024-03-31T01:59:59', '2024-03-31T00:59:59Z'],
    [BERLIN, '2024-03-31T02:30:00', 'TIMESTAMP'],
    [BERLIN, '2024-03-31T03:00:00', '2024-03-31T01:00:00Z'],
    [BERLIN, '2024-10-27T02:30:00', '2024-10-27T00:30:00Z'],
    [BERLIN, '2024-10-27T03:00:00', '2024-10-27T02:00:00Z'],
    [NEW_YORK, '2024-11-03T01:30:00', '2024-11-03T05:30:00Z'],
    [NEW_YORK, '2024-03-10T02:30:00', 'TIMESTAMP'],
    [NEW_YORK, '1850-01-01T00:00:00', '1850-01-01T04:56:02Z'],
    ['{ type: timestamp, timezone: Australia/Lord_Howe }', '2024-04-07T01:45:00', '2024-04-06T14:45:00Z'],
  ])('%s: cell %j → %j', (type, cell, stored) => {
    expect(storeText(schemaOf(type), cell)).toBe(stored);
  });

  it.each([
    ['timestamp', time('us'), -1n, '1969-12-31T23:59:59.999999Z'],
    ['timestamp', time('ns'), -1n, '1969-12-31T23:59:59.999999999Z'],
    ['timestamp', time('ns'), 1_700_000_000_120_000_000n, '2023-11-14T22:13:20.12Z'],
    ['timestamp', time('s'), 253_402_300_799n, '9999-12-31T23:59:59Z'],
    ['timestamp', time('s'), 253_402_300_800n, 'TIMESTAMP_RANGE'],
    ['timestamp', time('s'), -62_167_219_201n, 'TIMESTAMP_RANGE'],
    ['timestamp', time('ms'), -12_000_000_000_000n, '1589-09-26T02:40:00Z'],
    [BERLIN, time('us', false), 1_705_312_800_000_001n, '2024-01-15T09:00:00.000001Z'],
    [BERLIN, time('s', false), 9_000_000_000_000_000_000n, 'TIMESTAMP_RANGE'],
    [BERLIN, time('us', false), 1_711_852_200_000_000n, 'TIMESTAMP'],
  ] as const)('%s: column %o, value %s → %j', (type, column, value, stored) => {
    expect(storeTyped(schemaOf(type), column, value)).toBe(stored);
  });
});

describe('epochs', () => {
  it.each([
    ['s', '1700000000', '2023-11-14T22:13:20Z'],
    ['s', '-1', '1969-12-31T23:59:59Z'],
    ['ms', '1700000000123', '2023-11-14T22:13:20.123Z'],
    ['us', '1700000000000001', '2023-11-14T22:13:20.000001Z'],
    ['ns', '1700000000000000001', '2023-11-14T22:13:20.000000001Z'],
    ['s', '1700000000000', 'TIMESTAMP_RANGE'],
    ['ns', '-9223372036854775808', '1677-09-21T00:12:43.145224192Z'],
    ['ns', '9223372036854775807', '2262-04-11T23:47:16.854775807Z'],
    ['s', '9223372037', 'TIMESTAMP_RANGE'],
    ['s', '-9223372037', 'TIMESTAMP_RANGE'],
    ['ms', '-9223372037000', 'TIMESTAMP_RANGE'],
    ['s', '1e9', 'TIMESTAMP'],
    ['s', '1700000000.5', 'TIMESTAMP'],
    ['s', '9'.repeat(500), 'TIMESTAMP_RANGE'],
  ])('unit %s: %s → %s', (unit, number, stored) => {
    const schema = schemaOf(`{ type: timestamp, unit: ${unit} }`);
    expect(storeText(schema, number)).toBe(stored);
    if (/^-?\d{1,19}$/.test(number)) expect(storeTyped(schema, INT64, BigInt(number))).toBe(stored);
  });

  it.each([
    ['epoch_s', '2024-01-15T08:00:00.000Z', '1705305600'],
    ['epoch_s', '2024-01-15T08:00:00.5Z', 'TIMESTAMP'],
    ['epoch_ms', '2024-01-15T08:00:00.5Z', '1705305600500'],
    ['epoch_ms', '1969-12-31T23:59:59.999Z', '-1'],
    ['epoch_us', '2024-01-15T08:00:00.1234567Z', 'TIMESTAMP'],
    ['epoch_ns', '2024-01-15T08:00:00.123456789Z', '1705305600123456789'],
  ])('store %s: %s → %s', (store, cell, stored) => {
    expect(storeText(schemaOf(`{ type: timestamp, store: ${store} }`), cell)).toBe(stored);
  });
});

it.each([
  ['s', 2n ** 53n - 1n, '9007199254740991000000000'],
  ['s', 2n ** 63n - 1n, 'TIMESTAMP_RANGE'],
  ['ms', 2n ** 63n - 1n, 'TIMESTAMP_RANGE'],
  ['ms', -(2n ** 63n), 'TIMESTAMP_RANGE'],
  ['us', 2n ** 63n - 1n, '9223372036854775807000'],
] as const)('store epoch_ns, %s: %d is exact or refused', (unit, value, stored) => {
  expect(storeTyped(schemaOf('{ type: timestamp, store: epoch_ns }'), time(unit), value)).toBe(stored);
});

it.each([
  ['rfc3339', '2024-01-15T08:00:00.25Z'],
  ['epoch_s', '1705305600'],
  ['epoch_ns', '1705305600250000000'],
])('ingest_time is the start of the run, stored as %s', (store, stored) => {
  const schema = schemaOf(`\n  x: string\n  at: { type: timestamp, value: ingest_time, store: ${store} }`);
  const { rows } = encode(schema, [
    { name: 'id', cells: ['1'] },
    { name: 'x', cells: ['a'] },
  ]);
  expect(STARTED_AT % 1000).toBe(250);
  expect(rows[0]?.fields.at).toBe(stored);
});

it('a top-level timezone holds for features and key columns that name none', () => {
  const schema = schemaOf('timestamp', 'timezone: Europe/Berlin');
  expect(storeText(schema, '2024-01-15T10:00:00')).toBe('2024-01-15T09:00:00Z');
  const { rows } = encode(schema, [
    { name: 'id', type: time('s', false), values: [0n] },
    { name: 'x', cells: ['2024-01-15T10:00:00'] },
  ]);
  expect(rows[0]?.key).toBe('k:1969-12-31T23:00:00Z');
});
