/** Entities for a server: what is read, and what becomes of reads when the connection does not hold. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { FeatureReader } from '../../src/core/feature-reader.ts';
import { createOpener, createServerReader } from '../../src/redis/index.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { startProxy } from '../support/resp-proxy.ts';

let server: TestRedis;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.cli('FLUSHALL');
  await server.cli('HSET', 'k:1', 'a', '1', 'b', '2');
  await server.cli('HSET', 'k:2', 'a', 'x\r\ny');
  await server.cli('SET', 'text', 'v');
});

interface Opened {
  readonly reader: FeatureReader;
  readonly told: string[];
}

async function open(url = server.url, withinMs = 500): Promise<Opened> {
  const told: string[] = [];
  const opener = createOpener({ url, retryForMs: 0 });
  const reader = createServerReader(opener, { withinMs, tell: (message) => told.push(message) });
  await untilReady(reader);
  return { reader, told };
}

async function untilReady(reader: FeatureReader): Promise<void> {
  for (let i = 0; i < 400 && !reader.isReady(); i += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(reader.isReady()).toBe(true);
}

/** What the taker heard: an entry a key, then how it ended. */
function read(reader: FeatureReader, keys: string[], fields: string[] | null = null): Promise<unknown[]> {
  const heard: unknown[] = [];
  return new Promise((resolve) => {
    reader.read(keys, fields, {
      entity: (_index, bytes, spans, count) =>
        heard.push(
          Array.from({ length: count }, (_, i) =>
            (spans[i * 2] as number) < 0 ? null : bytes.latin1Slice(spans[i * 2], spans[i * 2 + 1]),
          ),
        ),
      refused: (_index, why) => heard.push(why),
      done: () => resolve([...heard, 'done']),
      failed: (why) => resolve([...heard, why]),
    });
  });
}

it('reads of one turn, each in its own order', async () => {
  const { reader } = await open();
  const answers = await Promise.all([
    read(reader, ['k:2', 'none', 'text', 'k:1']),
    read(reader, ['k:1', 'none', 'k:2'], ['b', 'a']),
    read(reader, []),
    read(reader, ['text', 'k:1'], ['a']),
  ]);
  expect(answers).toEqual([
    [['a', 'x\r\ny'], [], 'type', ['a', '1', 'b', '2'], 'done'],
    [['2', '1'], [], [null, 'x\r\ny'], 'done'],
    ['done'],
    ['type', ['1'], 'done'],
  ]);
  await reader.close();
  expect(await read(reader, ['k:1'])).toEqual(['away']);
});

it('a hash without the fields that were asked for is there', async () => {
  const { reader } = await open();
  expect(await read(reader, ['k:1', 'k:3'], ['nope'])).toEqual([[null], [], 'done']);
  await reader.close();
});

it('a taker that throws ends its own read only', async () => {
  const { reader, told } = await open();
  const broken = new Promise((resolve) => {
    reader.read(['k:1', 'k:2'], null, {
      entity: () => {
        throw new Error('planted');
      },
      refused: () => {},
      done: () => resolve('done'),
      failed: resolve,
    });
  });
  const other = read(reader, ['k:2']);
  expect(await broken).toBe('away');
  expect(await other).toEqual([['a', 'x\r\ny'], 'done']);
  expect(told.join()).toMatch(/bug.*planted/);
  await reader.close();
});

it('more than it holds is busy, at once', async () => {
  const { reader } = await open(server.url, 20_000);
  const many = Array.from({ length: 60_000 }, () => 'none');
  const [first, second] = await Promise.all([read(reader, many), read(reader, many)]);
  expect(first.at(-1)).toBe('done');
  expect(second).toEqual(['busy']);
  await reader.close();
});

it('a server that goes away and comes back', async () => {
  const { reader, told } = await open();
  await server.kill();
  const answer = await read(reader, ['k:1']);
  expect(answer).toEqual(['away']);
  expect(reader.isReady()).toBe(false);
  await server.restart();
  await untilReady(reader);
  expect(await read(reader, ['k:1'])).toEqual([[], 'done']);
  expect(told.join('\n')).toMatch(/went away[\s\S]*connected to Redis/);
  await reader.close();
});

it('a server that hangs: reads fail in time, and it is found without a read too', async () => {
  const { reader } = await open(server.url, 300);
  await server.cli('CLIENT', 'PAUSE', '1500', 'ALL');
  const startedAt = performance.now();
  expect(await read(reader, ['k:1'])).toEqual(['away']);
  // The deadline and one look at it; no more than that holds on a busy machine.
  expect(performance.now() - startedAt).toBeLessThan(1500);
  expect(reader.isReady()).toBe(false);
  await untilReady(reader);
  expect(await read(reader, ['k:2'])).toEqual([['a', 'x\r\ny'], 'done']);
  await reader.close();
});

it('a user who may not read: refused by key, or denied where it is the command', async () => {
  await server.cli('ACL', 'SETUSER', 'keys', 'on', '>pw', '~k:1', '+@all');
  await server.cli('ACL', 'SETUSER', 'none', 'on', '>pw', '~*', '+@all', '-hgetall', '-hmget', '-ping');
  const some = await open(server.url.replace('//', '//keys:pw@'));
  expect(await read(some.reader, ['k:1', 'k:2', 'k:1'])).toEqual([
    ['a', '1', 'b', '2'],
    'rights',
    ['a', '1', 'b', '2'],
    'done',
  ]);
  expect(await read(some.reader, ['k:2', 'k:1'], ['a'])).toEqual(['rights', ['1'], 'done']);
  const told: string[] = [];
  const opener = createOpener({ url: server.url.replace('//', '//none:pw@'), retryForMs: 0 });
  const none = createServerReader(opener, { withinMs: 500, tell: (message) => told.push(message) });
  for (let i = 0; i < 400 && none.refusal() === null; i += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(none.isReady()).toBe(false);
  expect(none.refusal()).toMatch(/HGETALL and HMGET/);
  expect(await read(none, ['k:1'])).toEqual(['denied']);
  expect(await read(none, ['k:1', 'k:2'], ['a'])).toEqual(['denied']);
  expect(told.join()).toMatch(/\+hgetall \+hmget/);
  await some.reader.close();
  await none.close();
});

it('a reply that is cut at any byte fails its read, and the next connection answers', async () => {
  const proxy = await startProxy(server.port);
  const { reader } = await open(proxy.url);
  for (let bytes = 1; bytes < 30; bytes += 4) {
    await untilReady(reader);
    proxy.arm([{ direction: 'reply', at: bytes }]);
    expect((await read(reader, ['k:1'])).at(-1)).toBe('away');
  }
  await untilReady(reader);
  expect(await read(reader, ['k:1'])).toEqual([['a', '1', 'b', '2'], 'done']);
  await reader.close();
  await proxy.close();
});
