import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { startRedis, type TestRedis } from './redis-server.ts';

/** A server of its own and a client of it, for all tests of the file. */
export function useRedis(take: (redis: { server: TestRedis; client: Redis }) => void): void {
  let server: TestRedis;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.url);
    take({ server, client });
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });
}
