import { expect, test } from 'vitest';
import { startRedis } from '../support/redis-server.ts';

test('a test server answers, is empty after restart, and is gone after stop', async () => {
  const server = await startRedis({ unixsocket: true });
  expect(await server.cli('SET', 'a', 'b')).toBe('OK');
  await server.restart();
  expect(await server.cli('GET', 'a')).toBe(null);
  await server.stop();
});

test('cluster: one node that holds every slot', async () => {
  const server = await startRedis({ cluster: true });
  expect(await server.cli('SET', 'a', 'b')).toBe('OK');
  await server.stop();
});

test('a wrong argument is told with what the server said', async () => {
  await expect(startRedis({ args: ['--no-such-option', '1'] })).rejects.toThrow(/Bad directive|FATAL CONFIG/);
});
