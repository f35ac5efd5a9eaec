/** Replies as positions in their bytes, however the bytes are cut. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createReplyReader } from '../../src/redis/reply-spans.ts';

type Reply = { array: (string | null)[] } | { integer: number } | { error: string } | { status: true };

function bytesOf(reply: Reply): string {
  if ('array' in reply) {
    const items = reply.array.map((item) => (item === null ? '$-1\r\n' : `$${item.length}\r\n${item}\r\n`));
    return `*${reply.array.length}\r\n${items.join('')}`;
  }
  if ('integer' in reply) return `:${reply.integer}\r\n`;
  return 'error' in reply ? `-${reply.error}\r\n` : '+PONG\r\n';
}

function readAll(chunks: readonly Buffer[]): Reply[] {
  const seen: Reply[] = [];
  const take = createReplyReader({
    array: (bytes, spans, count) => {
      const at = (i: number): number => spans[i] ?? Number.NaN;
      const item = (i: number) => (at(i * 2) < 0 ? null : bytes.latin1Slice(at(i * 2), at(i * 2 + 1)));
      seen.push({ array: Array.from({ length: count }, (_, i) => item(i)) });
    },
    integer: (integer) => seen.push({ integer }),
    error: (error) => seen.push({ error }),
    status: () => seen.push({ status: true }),
  });
  for (const chunk of chunks) take(chunk);
  return seen;
}

const text = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({ array: fc.array(fc.option(text), { maxLength: 12 }) }),
  fc.record({ integer: fc.integer() }),
  fc.record({ error: fc.string({ unit: fc.constantFrom('a', ' ', 'Z', "'") }) }),
  fc.constant({ status: true } as const),
);

it('the same replies at every size of chunk', () => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 8 }), fc.integer({ min: 1, max: 40 }), (replies, size) => {
      const bytes = Buffer.from(replies.map(bytesOf).join(''), 'latin1');
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        Buffer.from(bytes.subarray(i * size, (i + 1) * size)),
      );
      expect(readAll(chunks)).toEqual(replies);
    }),
    { numRuns: 500 },
  );
});

it('more strings than it expects, and longer than any chunk', () => {
  const array = Array.from({ length: 3000 }, (_, i) => 'x'.repeat(i % 100));
  array.push('y'.repeat(300_000));
  const bytes = Buffer.from(bytesOf({ array }) + bytesOf({ array: ['z'] }), 'latin1');
  const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, i) =>
    bytes.subarray(i * 65_536, (i + 1) * 65_536),
  );
  expect(readAll(chunks)).toEqual([{ array }, { array: ['z'] }]);
});

it.each(['$3\r\nabc\r\n', '*1\r\n:1\r\n', '*x\r\n', 'HTTP/1.1 400'])('no reply to reading: %j', (bytes) => {
  expect(() => readAll([Buffer.from(bytes)])).toThrow(/^expected a /);
});
