/** Words copied from anywhere to anywhere: the bytes meant, and at most the slack behind them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createViewer, putSpan, putWords, WORD_SLACK, wordsOf } from '../../src/redis/words.ts';

const viewOf = createViewer();

/** What stands where, of `length` bytes put at `at` into zeros by `put`. */
function expectPut(bytes: Uint8Array, at: number, put: (target: DataView) => number): void {
  const target = Buffer.alloc(at + bytes.length + WORD_SLACK);
  expect(put(viewOf(target))).toBe(at + bytes.length);
  expect([...target.subarray(0, at)]).toEqual(new Array(at).fill(0));
  expect([...target.subarray(at, at + bytes.length)]).toEqual([...bytes]);
}

const bytes = fc.uint8Array({ maxLength: 40 });

it('fixed bytes', () => {
  fc.assert(
    fc.property(bytes, fc.nat(9), (fixed, at) => {
      expectPut(fixed, at, (target) => putWords(target, at, wordsOf(fixed)));
    }),
  );
});

it('a span, also at the end of its source', () => {
  fc.assert(
    fc.property(bytes, bytes, fc.nat(5), fc.nat(9), (before, span, behind, at) => {
      const whole = Buffer.concat([before, span, Buffer.alloc(behind, 0xee)]);
      const source = createViewer()(whole);
      const end = before.length + span.length;
      expectPut(span, at, (target) => putSpan(target, at, source, before.length, end));
    }),
  );
});
