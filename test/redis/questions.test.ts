/** What is asked of a server before the first row: together where no question waits for another's answer. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask } from '../../src/redis/ask.ts';
import type { WriterOptions } from '../../src/redis/index.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { startProxy } from '../support/resp-proxy.ts';
import { createTally, openWriter } from '../support/writing.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

it.each<[WriterOptions['mode'], WriterOptions['path'], number]>([
  // PING, HELLO, what it is and may be asked, RESTORE.
  ['replace', 'auto', 4],
  // And whether the script runs.
  ['merge', 'auto', 5],
  ['newer', 'auto', 5],
  ['merge', 'script', 5],
  ['merge', 'pipeline', 4],
])('mode %s by path %s waits for answers %i times', async (mode, path, waits) => {
  const proxy = await startProxy(redis.port);
  const fields = { fields: ['x'], eventTimeField: mode === 'newer' ? 0 : null };
  const writer = await openWriter({ url: proxy.url }, { mode, path, ...fields }, createTally());
  expect(proxy.turns()).toBe(waits);
  await writer.close();
  await proxy.close();
});

it('time that other questions have used up is not told as less than none', async () => {
  const client = new Redis(redis.url);
  await expect(ask(client, -5, 'BLPOP', 'nothing', 0)).rejects.toThrow('no answer to BLPOP in 1 ms');
  client.disconnect();
});
