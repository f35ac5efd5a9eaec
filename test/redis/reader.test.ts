/** Reading entities back. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FeaturectlError } from '../../src/core/errors.ts';
import { type ReadOutcome, type StoredEntity, storedReader } from '../../src/core/stored-entity.ts';
import { connect, readerOver } from '../../src/redis/index.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';

let server: TestRedis;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

async function read(keys: readonly string[], url = server.url, withinMs?: number) {
  const connection = await connect({ url, retryForMs: 2_000 });
  const reader = await readerOver(connection, connection.client, withinMs);
  return storedReader(reader)(keys).finally(reader.close);
}

function stored(outcome: ReadOutcome | undefined): StoredEntity {
  if (!outcome || outcome instanceof FeaturectlError) throw new Error(`expected an entity, found ${outcome}`);
  return outcome;
}

it('fields and TTL in the order asked, byte by byte; null for no such key', async () => {
  const bytes = Buffer.from([0, 255, 13, 10]);
  await server.cli('HSET', bytes, bytes, bytes, '__proto__', '');
  await server.cli('HSET', 'k:2', 'x', '1');
  await server.cli('EXPIRE', 'k:2', '100');
  const [second, none, first] = await read(['k:2', 'k:none', '\0\xff\r\n']);
  expect(none).toBe(null);
  expect([...stored(first).fields]).toEqual([
    ['\0\xff\r\n', '\0\xff\r\n'],
    ['__proto__', ''],
  ]);
  expect(stored(first).ttlMs).toBe(null);
  expect(stored(second).ttlMs).toBeGreaterThan(90_000);
  expect(await read([])).toEqual([]);
});

it('a key of another type is an outcome of its own', async () => {
  await server.cli('SET', 'k:text', 'v');
  const [good, bad, none] = await read(['k:2', 'k:text', 'k:none']);
  expect(stored(good).fields.get('x')).toBe('1');
  expect(bad).toMatchObject({
    code: 'REDIS_SERVER',
    message: 'k:text: expected a hash, found a key of another type',
  });
  expect(none).toBe(null);
});

it('a user who may read some keys only', async () => {
  await server.cli('ACL', 'SETUSER', 'some', 'on', '>s3cret', '~k:*', '+@all');
  const url = server.url.replace('//', '//some:s3cret@');
  const [good, bad] = await read(['k:2', 'other'], url);
  expect(stored(good).fields.get('x')).toBe('1');
  expect(bad).toMatchObject({ code: 'REDIS_AUTH' });
});

it('a user who may not read', async () => {
  await server.cli('ACL', 'SETUSER', 'reader', 'on', '>s3cret', '~k:*', '+@all', '-hgetall');
  const url = server.url.replace('//', '//reader:s3cret@');
  await expect(read(['k:2'], url)).rejects.toMatchObject({ code: 'REDIS_AUTH' });
});

it('a server that is gone, or silent', async () => {
  const connection = await connect({ url: server.url, retryForMs: 2_000 });
  const reader = await readerOver(connection, connection.client, 200);
  const read = storedReader(reader);
  await server.cli('CLIENT', 'PAUSE', '600', 'ALL');
  const expected = { code: 'REDIS_CONNECT', message: expect.stringMatching(/expected an answer of Redis/) };
  await expect(read(['k:2'])).rejects.toMatchObject(expected);
  await server.restart();
  await expect(read(['k:2'])).rejects.toMatchObject(expected);
  await reader.close();
});
