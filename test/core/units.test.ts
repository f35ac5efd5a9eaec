import { expect, it } from 'vitest';
import { parseBytes, parseCount, parseDuration, parseRate } from '../../src/core/units.ts';

it.each([
  ['500ms', 500],
  ['60s', 60_000],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
  ['1w', 604_800_000],
  ['0s', 0],
  ['1.5h', null],
  ['-5s', null],
  ['60', null],
  ['', null],
  ['5 s', null],
])('duration %s is %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each([
  ['4096', 4096],
  ['256KiB', 262_144],
  ['256kib', 262_144],
  ['1MB', 1_000_000],
  ['2 GiB', 2_147_483_648],
  ['1TB', null],
  ['-1', null],
  ['', null],
])('size %s is %s bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

it.each([
  ['50000', 50_000],
  ['50000/s', 50_000],
  ['50k/s', 50_000],
  ['0', null],
  ['5/m', null],
])('rate %s is %s rows a second', (text, rate) => {
  expect(parseRate(text)).toBe(rate);
});

it.each([
  ['1', 1],
  ['16', 16],
  ['0', null],
  ['17', null],
  ['1e1', null],
  ['2.0', null],
])('count %s within 1 to 16 is %s', (text, count) => {
  expect(parseCount(text, 1, 16)).toBe(count);
});
