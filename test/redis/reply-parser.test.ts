/** Replies come out the same however their bytes are cut. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Reply } from '../../src/redis/framer.ts';
import { createReplyParser, ReplyError } from '../../src/redis/reply-parser.ts';

function parsed(chunks: readonly Buffer[]): Reply[] {
  const replies: Reply[] = [];
  const parse = createReplyParser((reply, times) => {
    for (let i = 0; i < times; i += 1) replies.push(reply);
  });
  for (const chunk of chunks) parse(chunk);
  return replies;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const REPLIES: readonly (readonly [string, Reply])[] = [
  ['+OK\r\n', 'OK'],
  ['+OKAY\r\n', 'OKAY'],
  ['+\r\n', ''],
  ['+QUEUED\r\n', 'QUEUED'],
  [':0\r\n', 0],
  [':-17\r\n', -17],
  [':1234567890123\r\n', 1234567890123],
  ['-ERR no such \xc3\xa9\r\n', new ReplyError('ERR no such é')],
  ['-WRONGTYPE Operation\r\n', new ReplyError('WRONGTYPE Operation')],
  ['$-1\r\n', null],
  ['$0\r\n\r\n', latin1('')],
  ['$7\r\n\r\n+OK\xff\0\r\n', latin1('\r\n+OK\xff\0')],
  ['*-1\r\n', null],
  ['*0\r\n', []],
  ['*3\r\n:1\r\n+OK\r\n*2\r\n$1\r\na\r\n-ERR x\r\n', [1, 'OK', [latin1('a'), new ReplyError('ERR x')]]],
];

it.each(REPLIES)('%j', (bytes, reply) => {
  const given = latin1(bytes);
  expect(parsed([given])).toEqual([reply]);
  const byByte = Array.from(given, (_, at) => given.subarray(at, at + 1));
  expect(parsed(byByte)).toEqual([reply]);
});

it('any replies in any pieces', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...REPLIES), { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (replies, sizes) => {
        const bytes = latin1(replies.map(([text]) => text).join(''));
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] as number;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(parsed(chunks)).toEqual(replies.map(([, reply]) => reply));
      },
    ),
  );
});

it('other bytes are an error', () => {
  expect(() => parsed([latin1('+OK\r\n%1\r\n')])).toThrow('found byte 37');
});

it('the line end of a reply that another reader took is passed over, before the first reply only', () => {
  expect(parsed([latin1('\n'), latin1(':1\r\n')])).toEqual([1]);
  expect(parsed([latin1('\r'), latin1('\n:1\r\n:2\r\n')])).toEqual([1, 2]);
  expect(() => parsed([latin1(':1\r\n\r\n')])).toThrow('found byte 13');
});
