/** Reading entities back. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, createReader } from '../../src/redis/index.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';

let server: TestRedis;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

async function read(keys: readonly string[], url = server.url, withinMs?: number) {
  const connection = await connect({ url, retryForMs: 2_000 });
  try {
    return await createReader(connection, withinMs).read(keys);
  } finally {
    await connection.close();
  }
}

it('fields and TTL in the order asked, byte by byte; null for no such key', async () => {
  const bytes = Buffer.from([0, 255, 13, 10]);
  await server.cli('HSET', bytes, bytes, bytes, '__proto__', '');
  await server.cli('HSET', 'k:2', 'x', '1');
  await server.cli('EXPIRE', 'k:2', '100');
  const [second, none, first] = await read(['k:2', 'k:none', '\0\xff\r\n']);
  expect(none).toBe(null);
  expect([...(first?.fields ?? [])]).toEqual([
    ['\0\xff\r\n', '\0\xff\r\n'],
    ['__proto__', ''],
  ]);
  expect(first?.ttlMs).toBe(null);
  expect(second?.ttlMs).toBeGreaterThan(90_000);
  expect(await read([])).toEqual([]);
});

it('a key of another type', async () => {
  await server.cli('SET', 'k:text', 'v');
  await expect(read(['k:2', 'k:text'])).rejects.toMatchObject({
    code: 'REDIS_SERVER',
    message: expect.stringMatching(/k:text: expected a hash/),
  });
});

it('a user who may not read', async () => {
  await server.cli('ACL', 'SETUSER', 'reader', 'on', '>s3cret', '~k:*', '+@all', '-hgetall');
  const url = server.url.replace('//', '//reader:s3cret@');
  await expect(read(['k:2'], url)).rejects.toMatchObject({ code: 'REDIS_AUTH' });
});

it('a server that is gone, or silent', async () => {
  const connection = await connect({ url: server.url, retryForMs: 2_000 });
  const reader = createReader(connection, 200);
  await server.cli('CLIENT', 'PAUSE', '600', 'ALL');
  const expected = { code: 'REDIS_CONNECT', message: expect.stringMatching(/expected an answer of Redis/) };
  await expect(reader.read(['k:2'])).rejects.toMatchObject(expected);
  await server.restart();
  await expect(reader.read(['k:2'])).rejects.toMatchObject(expected);
  await connection.close();
});
