/** Entities for a server from a real Redis Cluster, through slots that move and masters that change. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FeatureReader } from '../../src/core/feature-reader.ts';
import { createOpener, openReader } from '../../src/redis/index.ts';
import { slotOf } from '../../src/redis/slot.ts';
import { startCluster, type TestCluster, until } from '../support/redis-cluster.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { plainRows, writeAll } from '../support/writing.ts';

let cluster: TestCluster;
const opened: FeatureReader[] = [];

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  await cluster.flush();
  await writeAll(cluster.url, { fields: ['x', 'y'] }, plainRows(200));
});
afterEach(async () => {
  for (const reader of opened.splice(0)) await reader.close();
});

async function open(options: { url?: string; cluster?: boolean; withinMs?: number } = {}) {
  const { withinMs = 3_000, ...more } = options;
  const reader = openReader(createOpener({ url: cluster.url, retryForMs: 0, ...more }), {
    withinMs,
    tell: () => {},
  });
  opened.push(reader);
  await until('the reader to be ready', async () => reader.isReady());
  return reader;
}

/** What the taker heard: an entry a key with its index, then how it ended. */
function read(reader: FeatureReader, keys: string[], fields: string[] | null = null): Promise<unknown[]> {
  const heard: unknown[] = [];
  return new Promise((resolve) => {
    reader.read(keys, fields, {
      entity: (index, bytes, spans, count) => {
        const texts = Array.from({ length: count }, (_, i) =>
          (spans[i * 2] as number) < 0 ? null : bytes.latin1Slice(spans[i * 2], spans[i * 2 + 1]),
        );
        heard.push([index, ...texts]);
      },
      refused: (index, why) => heard.push([index, why]),
      done: () => resolve([...heard, 'done']),
      failed: (why) => resolve([...heard, why]),
    });
  });
}

const KEYS = ['k:150', 'k:3', 'none', 'k:77', 'k:3'];
const FOUND = [[0, 'v150'], [1, 'v3'], [2], [3, 'v77'], [4, 'v3'], 'done'];

describe.each([{ cluster: true }, { cluster: false }])('asked for: $cluster', (options) => {
  it('keys of all masters in the order asked, all fields or some', async () => {
    const reader = await open(options);
    expect(await read(reader, KEYS, ['x'])).toEqual(FOUND);
    expect(await read(reader, ['k:9', 'k:8'])).toEqual([
      [0, 'x', 'v9', 'y', '9'],
      [1, 'x', 'v8', 'y', '8'],
      'done',
    ]);
    expect(await read(reader, ['k:9', 'none'], ['nope', 'y'])).toEqual([[0, null, '9'], [1], 'done']);
    expect(await read(reader, [])).toEqual(['done']);
  });

  it('a key of another type is that key alone', async () => {
    await (await cluster.masterOf(slotOf('k:3'))).cli('SET', 'k:3', 'foreign');
    const found = await read(await open(options), ['k:1', 'k:3', 'k:2'], ['x']);
    expect(found).toEqual([[0, 'v1'], [1, 'type'], [2, 'v2'], 'done']);
  });
});

it('a single server is none', async () => {
  const redis = await startRedis();
  await redis.cli('HSET', 'k:1', 'x', 'v1');
  const reader = await open({ url: redis.url });
  expect(await read(reader, ['k:1'])).toEqual([[0, 'x', 'v1'], 'done']);
  await redis.stop();
});

it('a slot on its way, and a graceful failover', async () => {
  const reader = await open();
  const slot = slotOf('k:77');
  const old = await cluster.masterOf(slot);
  const to = (await cluster.masters()).find((node) => node !== old) as TestRedis;
  await cluster.beginMigration(slot, to);
  await cluster.moveKeys(slot, to);
  expect(await read(reader, KEYS, ['x'])).toEqual(FOUND);
  await cluster.endMigration(slot, to);
  expect(await read(reader, KEYS, ['x'])).toEqual(FOUND);
  await cluster.settled();
  await cluster.failover(await cluster.replicaOf(await cluster.masterOf(slotOf('k:150'))));
  expect(await read(reader, KEYS, ['x'])).toEqual(FOUND);
  await cluster.settled();
});

it('a master that dies: away within the bound, then its replica answers', async () => {
  const reader = await open({ withinMs: 300 });
  const master = await cluster.masterOf(slotOf('k:150'));
  await master.kill();
  expect((await read(reader, KEYS, ['x'])).at(-1)).toBe('away');
  await until('its replica to answer', async () => (await read(reader, KEYS, ['x'])).at(-1) === 'done');
  expect(await read(reader, KEYS, ['x'])).toEqual(FOUND);
  await master.restart();
  await cluster.settled();
});
