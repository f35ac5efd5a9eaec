import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finishCodes, hybridCodes, readCodes, takeRun } from '../../src/sources/parquet/hybrid.ts';

interface Run {
  readonly isPacked: boolean;
  readonly values: readonly number[];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

/** As the format's text says it, without a thought of speed; `cut`: the last run without the bytes of its padding. */
function encode(runs: readonly Run[], width: number, cut: boolean): Uint8Array {
  const bytes: number[] = [];
  for (const [index, { isPacked, values }] of runs.entries()) {
    if (!isPacked) {
      bytes.push(...varint(values.length << 1));
      for (let at = 0; at < width; at += 8) bytes.push((values[0]! >>> at) & 0xff);
      continue;
    }
    const groups = Math.ceil(values.length / 8);
    bytes.push(...varint((groups << 1) | 1));
    let bits = 0n;
    for (const [at, value] of values.entries()) bits |= BigInt(value) << BigInt(at * width);
    const isCut = cut && index === runs.length - 1;
    const length = isCut ? Math.ceil((values.length * width) / 8) : groups * width;
    for (let at = 0; at < length; at++) bytes.push(Number((bits >> BigInt(at * 8)) & 0xffn));
  }
  return Uint8Array.from(bytes);
}

/** Packed runs but the last have a multiple of eight values, since nothing says how many are padding. */
const cases = fc.integer({ min: 1, max: 32 }).chain((width) => {
  const value = fc.integer({ min: 0, max: 2 ** width - 1 });
  const repeated = fc
    .tuple(value, fc.integer({ min: 1, max: 300 }))
    .map(([one, count]) => ({ isPacked: false, values: Array.from({ length: count }, () => one) }));
  const packed = fc
    .array(value, { minLength: 1, maxLength: 90 })
    .map((values) => ({ isPacked: true, values }));
  return fc.record({
    width: fc.constant(width),
    runs: fc.array(fc.oneof(repeated, packed), { minLength: 1, maxLength: 8 }).map((runs) =>
      runs.map((run, index) => {
        const isWhole = !run.isPacked || index === runs.length - 1;
        return isWhole ? run : { ...run, values: run.values.flatMap((one) => Array<number>(8).fill(one)) };
      }),
    ),
    steps: fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 6 }),
    cut: fc.boolean(),
    before: fc.integer({ min: 0, max: 5 }),
    after: fc.integer({ min: 0, max: 5 }),
  });
});

describe('runs and packed values', () => {
  test('of any width, read in any steps from the middle of bytes, are those that were written', () => {
    fc.assert(
      fc.property(cases, ({ width, runs, steps, cut, before, after }) => {
        const encoded = encode(runs, width, cut);
        const bytes = new Uint8Array(before + encoded.length + after).fill(0xa5);
        bytes.set(encoded, before);
        const wanted = runs.flatMap((run) => run.values);
        const codes = hybridCodes(bytes, before, before + encoded.length, width);
        const found: number[] = [];
        for (let turn = 0; found.length < wanted.length; turn++) {
          const count = Math.min(steps[turn % steps.length]!, wanted.length - found.length);
          const run = width < 32 && turn % 3 === 0 ? takeRun(codes, count) : -1;
          const out = new Int32Array(count).fill(run);
          if (run < 0) readCodes(codes, out, count);
          found.push(...Array.from(out, (value) => value >>> 0));
        }
        expect(found).toEqual(wanted);
        finishCodes(codes);
      }),
      { numRuns: 500 },
    );
  });

  test('are values of their width or an error in words, whatever the bytes', () => {
    const bytesOf = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(bytesOf, fc.integer({ min: 1, max: 32 }), fc.nat(400), (bytes, width, count) => {
        const out = new Int32Array(count);
        try {
          readCodes(hybridCodes(bytes, 0, bytes.length, width), out, count);
        } catch (error) {
          expect(String(error)).toMatch(
            /^Error: (its levels or codes end too early|a level or code of more)/,
          );
          return;
        }
        expect(out.every((value) => value >>> 0 < 2 ** width)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
