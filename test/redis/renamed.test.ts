/** Servers that have some commands under other names, or not at all. */
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { WriterOptions } from '../../src/redis/index.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { commitRows, createTally, openWriter, plainRows } from '../support/writing.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function without(...names: string[]): Promise<TestRedis> {
  const redis = await startRedis({ args: names.flatMap((name) => ['--rename-command', name, '']) });
  stops.push(redis.stop);
  return redis;
}

const options = (mode: WriterOptions['mode'], path: WriterOptions['path'] = 'auto') => ({
  fields: ['x', 'y'],
  mode,
  path,
  eventTimeField: mode === 'newer' ? 1 : null,
  retryForMs: 1000,
});

describe('what every row needs is refused before the first write', () => {
  it.each<[WriterOptions['mode'], WriterOptions['path'], string]>([
    ['merge', 'auto', 'HSET'],
    ['merge', 'script', 'PEXPIREAT'],
    ['merge', 'auto', 'TIME'],
    ['newer', 'auto', 'PEXPIREAT'],
    ['newer', 'auto', 'HGET'],
    ['replace', 'script', 'DEL'],
    ['merge', 'pipeline', 'EXPIRE'],
  ])('mode %s by path %s without %s', async (mode, path, name) => {
    const redis = await without(name);
    await expect(openWriter(redis.url, options(mode, path), createTally())).rejects.toMatchObject({
      code: 'REDIS_SERVER',
      message: expect.stringContaining(
        `expected a server that knows ${name}, found: ERR unknown command '${name}'. Take`,
      ),
    });
    expect(await redis.cli('DBSIZE')).toBe(0);
  });

  it('mode replace without scripts, RESTORE and transactions', async () => {
    const redis = await without('EVALSHA', 'RESTORE', 'MULTI');
    await expect(openWriter(redis.url, options('replace'), createTally())).rejects.toMatchObject({
      message: expect.stringContaining('(MULTI, EXEC, DISCARD), found neither'),
    });
  });
});

it.each<[WriterOptions['mode'], string, string]>([
  ['merge', 'script', 'INFO'],
  ['replace', 'script', 'INFO'],
  ['newer', 'script', 'INFO'],
  ['merge', 'restore', 'CONFIG'],
  ['merge', 'script', 'RESTORE'],
  ['merge', 'pipeline', 'SCRIPT'],
  ['replace', 'pipeline', 'EVALSHA'],
])('mode %s goes by %s without %s', async (mode, path, name) => {
  const redis = await without(name, ...(name === 'EVALSHA' ? ['RESTORE'] : []));
  const rows = plainRows(50).map((row) => ({ ...row, eventTime: row.values[1] ?? '' }));
  const tally = createTally();
  const writer = await openWriter(redis.url, options(mode), tally);
  await commitRows(writer, rows);
  await writer.drain();
  await writer.close();
  expect(writer.plan.path).toBe(path);
  expect(tally.told.written).toBe(50);
  // Without INFO ioredis does not take the server for ready.
  const client = new Redis(redis.url, { enableReadyCheck: false });
  expect(await client.dbsize()).toBe(50);
  client.disconnect();
});
