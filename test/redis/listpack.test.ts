/** What RESTORE makes of our payloads is what HSET and EXPIRE make: same fields, TTL and encoding. */
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { arenaBytes } from '../../src/redis/crc64.ts';
import {
  type ListpackLimits,
  PAYLOAD_OVERHEAD,
  pairsSize,
  payloadName,
  putPayload,
} from '../../src/redis/listpack.ts';
import { payloadFields } from '../../src/redis/payload-fields.ts';
import { createView } from '../../src/redis/words.ts';
import { useRedis } from '../support/use-redis.ts';

let client: Redis;
useRedis((redis) => {
  client = redis.client;
});

/** Payloads are made in it and out of it. */
const arena = arenaBytes(1 << 20);

const LIMITS: ListpackLimits = { entries: 128, valueBytes: 64 };

function payload(pairs: readonly (readonly [string, string])[]): Buffer {
  const names = pairs.map(([name]) => payloadName(name, LIMITS));
  const values = pairs.map(([, value]) => latin1(value));
  const hash = {
    count: pairs.length,
    features: pairs.map((_, i) => i),
    sources: values,
    views: values.map(createView),
    starts: values.map(() => 0),
    ends: values.map(({ length }) => length),
  };
  const namesLength = pairs.reduce((sum, [name]) => sum + name.length, 0);
  const size = PAYLOAD_OVERHEAD + namesLength + pairsSize(pairs.length, Buffer.concat(values).length);
  const [plain, fast] = [Buffer.alloc(size), arena.subarray(0, size)].map((buffer) => {
    const end = putPayload(buffer, 0, hash, names, LIMITS);
    expect(end).toBeLessThanOrEqual(size);
    return Buffer.from(buffer.subarray(0, end));
  });
  expect(fast).toEqual(plain);
  return fast as Buffer;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

async function facts(key: string): Promise<unknown> {
  const flat = (await client.callBuffer('HGETALL', key)) as Buffer[] | Map<Buffer, Buffer>;
  const list = flat instanceof Map ? [...flat].flat() : flat;
  const pairs = Array.from({ length: list.length / 2 }, (_, i) =>
    [list[2 * i], list[2 * i + 1]].map((bytes) => bytes?.toString('latin1')).join('='),
  );
  return { pairs: pairs.sort(), encoding: await client.object('ENCODING', key) };
}

async function expectSame(pairs: readonly (readonly [string, string])[]): Promise<void> {
  expect(payloadFields(payload(pairs))).toEqual(pairs.flat());
  await client.del('a', 'b');
  await client.call('RESTORE', 'a', '60000', payload(pairs), 'REPLACE');
  await client.hset('b', ...pairs.flat().map(latin1));
  await client.expire('b', 60);
  expect(await facts('a')).toEqual(await facts('b'));
  const [restored, set] = [await client.pttl('a'), await client.pttl('b')];
  expect(Math.abs(restored - set)).toBeLessThan(2000);
}

describe('a payload', () => {
  it.each([
    [
      'integers of every width',
      [
        '0',
        '127',
        '128',
        '-1',
        '-4096',
        '4095',
        '4096',
        '-32768',
        '32767',
        '8388607',
        '-8388609',
        '2147483647',
        '-2147483649',
        '9007199254740993',
        '9223372036854775807',
        '-9223372036854775808',
        '9223372036854775808',
        '-0',
        '007',
        '+5',
        '1.5',
        ' 1',
        '',
        '-',
      ],
    ],
    [
      'lengths around the borders of the forms',
      [
        'x',
        'x'.repeat(63),
        'x'.repeat(64),
        'x'.repeat(65),
        'x'.repeat(126),
        'x'.repeat(4095),
        'x'.repeat(4096),
        'x'.repeat(20_000),
      ],
    ],
    ['bytes of every value', [Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')]],
  ])('%s', async (_name, values) => {
    for (const value of values) await expectSame([['f', value]]);
    await expectSame(values.map((value, i) => [`f${i}`, value]));
  });

  it.each([1, 127, 128, 129, 512, 513, 5000])('%i fields', async (count) => {
    await expectSame(Array.from({ length: count }, (_, i) => [`field-${i}`, `value-${i}`]));
  });

  it('any fields', async () => {
    const text = fc.oneof(
      fc.string({ maxLength: 80 }).map((value) => Buffer.from(value, 'utf8').toString('latin1')),
      fc.uint8Array({ maxLength: 80 }).map((value) => Buffer.from(value).toString('latin1')),
      fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
      fc.integer({ min: -40_000, max: 40_000 }).map(String),
    );
    const pairs = fc.uniqueArray(fc.tuple(text, text), {
      minLength: 1,
      maxLength: 140,
      selector: ([name]) => name,
    });
    await fc.assert(fc.asyncProperty(pairs, expectSame), { numRuns: 200 });
  });
});
