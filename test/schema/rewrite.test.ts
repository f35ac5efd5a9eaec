/** Cells that are stored in another form than they stand in, without a string made of them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TextColumn } from '../../src/core/types.ts';
import { schemaOf, storedOf, storeText } from './support.ts';

/** A column whose cells stand in memory, and whether one was asked for. */
function columnOf(text: string, asked: () => void): TextColumn {
  return {
    kind: 'text',
    cell: () => {
      asked();
      return text;
    },
    quoted: null,
    spans: {
      bytes: Buffer.from(`${text},`),
      ends: Int32Array.of(-1, text.length),
      stride: 1,
      offset: 0,
      escaped: null,
    },
  };
}

function stored(feature: string, head: string, cell: string) {
  return storedOf(schemaOf(feature, head), 'text', (name, asked) =>
    columnOf(name === 'id' ? '1' : cell, asked),
  );
}

const NULLS = 'null: { tokens: ["", NA] }';

it.each<[string, string, string]>([
  ['float64', '3.0', '3'],
  ['float64', '-12.50', '-12.5'],
  ['float64', '+0.5', '0.5'],
  ['float64', '007', '7'],
  ['float64', '0.30000000000000004', '0.30000000000000004'],
  ['float32', '0.123456789', '0.12345679'],
  ['float32', '16.10', '16.1'],
  ['bool', 'True', '1'],
  ['bool', 'FALSE', '0'],
  ['{ type: bool, bool: words }', 'True', 'true'],
  ['timestamp', '2024-01-15 08:00:00+00:00', '2024-01-15T08:00:00Z'],
  ['timestamp', '2024-01-15T08:00:00.000Z', '2024-01-15T08:00:00Z'],
  ['timestamp', '2024-01-15t00:30:00.250+0100', '2024-01-14T23:30:00.250Z'],
  ['{ type: timestamp, timezone: UTC }', '2024-01-15 08:00:00', '2024-01-15T08:00:00Z'],
  ['{ type: timestamp, timezone: Europe/Berlin }', '2024-07-15 08:00:00.5', '2024-07-15T06:00:00.5Z'],
  ['{ type: timestamp, unit: ms }', '1700000000250', '2023-11-14T22:13:20.25Z'],
  ['int32', '-5', '-5'],
  ['{ type: float64, max: 3 }', '3.0', '3'],
])('%s of %s: %s', (feature, cell, text) => {
  expect(stored(feature, NULLS, cell)).toEqual({ text, isAsked: false });
});

it.each<[string, string, string | undefined]>([
  ['float64', '-0.0', '-0'],
  ['float64', '1e5', '100000'],
  ['float64', '.5', '0.5'],
  ['float64', '0.1.', undefined],
  ['float64', '0.1.00', undefined],
  ['float32', '1..0', undefined],
  ['{ type: float64, max: 3 }', '3.50', undefined],
  ['{ type: bool, "true": [yes], "false": [no] }', 'yes', '1'],
  ['{ type: string, default: none }', 'NA', 'none'],
  ['string', 'NB', 'NB'],
])('%s of %s is asked for: %s', (feature, cell, text) => {
  expect(stored(feature, NULLS, cell)).toEqual({ text, isAsked: true });
});

const two = (max: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(2, '0'));
const time = fc
  .tuple(
    fc.constantFrom('0000', '0001', '1969', '2024', '2100', '9999'),
    ...[two(13), two(32)],
    fc.constantFrom('T', 't', ' ', '_', '\0'),
    ...[two(24), two(60), two(60)],
    fc.constantFrom('', '.', '.0', '.000', '.250', '.123456789', '.1234567890'),
    fc.constantFrom('', 'Z', 'z', '+00:00', '-0530', '+23:59', '+24:00', '+1:00', ' UTC'),
  )
  .map(([year, month, day, t, hour, minute, second, fraction, zone]) => {
    return `${year}-${month}-${day}${t}${hour}:${minute}:${second}${fraction}${zone}`;
  });
const epoch = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String);
const number = fc
  .tuple(fc.constantFrom('', '-', '+'), fc.stringMatching(/^0{0,2}\d{0,9}\.?\d{0,9}0{0,3}\.?0{0,2}$/))
  .map(([sign, text]) => sign + text);
const word = fc
  .constantFrom('true', 'false')
  .chain((text) =>
    fc
      .tuple(...[...text].map((letter) => fc.constantFrom(letter, letter.toUpperCase(), '\x54')))
      .map((letters) => letters.join('')),
  );

// storeText holds the ways against each other: cells as strings, and where they stand in memory.
it.each<[string, fc.Arbitrary<string>]>([
  ['timestamp', time],
  ['{ type: timestamp, timezone: America/New_York }', time],
  ['{ type: timestamp, unit: s }', fc.oneof(epoch, time, fc.constant(''))],
  ['{ type: timestamp, unit: ns }', epoch],
  ['float64', number],
  ['float32', number],
  ['bool', word],
])('%s: whichever way it is read', (feature, cells) => {
  const schema = schemaOf(feature, NULLS);
  fc.assert(
    fc.property(cells, fc.boolean(), (cell, quoted) => {
      storeText(schema, quoted ? { quoted: cell } : cell);
    }),
    { numRuns: 2000 },
  );
});
