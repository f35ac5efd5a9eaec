/** Entities as positions in the replies' bytes, from a real server. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { KeyList } from '../../src/core/feature-reader.ts';
import { createOpener, createPairReader } from '../../src/redis/index.ts';
import { type Desk, openDesk } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());
beforeEach(() => desk.client.flushall());

function opener() {
  const { signal } = new AbortController();
  return createOpener({ url: desk.redis.url, retryForMs: 0, cluster: false, signal });
}

function keysOf(keys: readonly string[]): KeyList {
  const starts = keys.map((_, i) => keys.slice(0, i).join('').length);
  return {
    count: keys.length,
    bytes: Buffer.from(keys.join(''), 'latin1'),
    keyStart: (i) => starts[i] ?? 0,
    keyEnd: (i) => (starts[i] ?? 0) + (keys[i] ?? '').length,
  };
}

async function read(keys: readonly string[], pairs = createPairReader(opener())): Promise<unknown[]> {
  const told: unknown[] = [];
  await pairs.read(keysOf(keys), {
    entity: (i, ttlMs, bytes, spans, count) => {
      const strings = Array.from({ length: count }, (_, at) =>
        bytes.latin1Slice(spans[2 * at], spans[2 * at + 1]),
      );
      told.push([i, Math.sign(ttlMs), ...strings]);
    },
    refused: (i) => void told.push([i, 'refused']),
  });
  return told;
}

it('hashes of any bytes, with and without TTL; absent and foreign keys in their places', async () => {
  const { client } = desk;
  await client.hset('a', Buffer.from([0xff, 0]), Buffer.from([0xfe, 0x0d, 0x0a]));
  await client.expire('a', 100);
  await client.hset(Buffer.from('\xe9', 'latin1'), 'x', '', 'y', '1');
  await client.set('text', '1');
  const pairs = createPairReader(opener());
  expect(await read(['a', 'none', '\xe9', 'text', 'a'], pairs)).toEqual([
    [0, 1, '\xff\0', '\xfe\r\n'],
    [1, -1],
    [2, -1, 'x', '', 'y', '1'],
    [3, 'refused'],
    [4, 1, '\xff\0', '\xfe\r\n'],
  ]);
  expect(await read([], pairs)).toEqual([]);
  pairs.close();
});

it('many keys in several reads at once, values larger than a socket gives at a time', async () => {
  const big = 'v'.repeat(300_000);
  const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);
  for (const key of keys) await desk.client.hset(key, 'f', `${big}${key}`);
  const pairs = createPairReader(opener());
  const reads = await Promise.all([read(keys, pairs), read(keys, pairs), read(keys.slice(3), pairs)]);
  expect(reads.map((told) => told.length)).toEqual([40, 40, 37]);
  expect(reads[1]).toEqual(keys.map((key, i) => [i, -1, 'f', `${big}${key}`]));
  pairs.close();
});

it('a user who may not ask for TTLs is refused, not mistaken', async () => {
  await desk.client.call('ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '+@all', '-pttl');
  await desk.client.hset('a', 'x', '1');
  const { port } = new URL(desk.redis.url);
  const { signal } = new AbortController();
  const url = `redis://few:pw@127.0.0.1:${port}`;
  const pairs = createPairReader(createOpener({ url, retryForMs: 0, cluster: false, signal }));
  expect(await read(['a', 'b'], pairs)).toEqual([
    [0, 'refused'],
    [1, 'refused'],
  ]);
  pairs.close();
});

it.each<[string, () => Promise<unknown>]>([
  [
    'a connection that is closed',
    () => desk.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
  ],
  ['a server that does not answer', async () => {}],
])('%s: REDIS_CONNECT, for all that is on the way and after', async (_, trouble) => {
  const pairs = createPairReader(opener(), 300);
  await read(['a'], pairs);
  await desk.client.call('CLIENT', 'PAUSE', '1000', 'ALL');
  const reads = [read(['a'], pairs), read(['b'], pairs)];
  // CLIENT KILL is not paused for the client that paused.
  await Promise.race([trouble(), new Promise((resolve) => setTimeout(resolve, 50))]);
  for (const one of reads) await expect(one).rejects.toMatchObject({ code: 'REDIS_CONNECT' });
  await expect(read(['a'], pairs)).rejects.toMatchObject({ code: 'REDIS_CONNECT' });
  await desk.client.call('CLIENT', 'UNPAUSE');
  pairs.close();
});
