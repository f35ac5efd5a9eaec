/** Reading from a real Redis Cluster: order kept, redirections followed, masters that change. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FeaturectlError } from '../../src/core/errors.ts';
import { type ReadStored, storedReader } from '../../src/core/stored-entity.ts';
import { type Connection, connect, readerOver, scanKeys } from '../../src/redis/index.ts';
import { slotOf } from '../../src/redis/slot.ts';
import { startCluster, type TestCluster } from '../support/redis-cluster.ts';
import type { TestRedis } from '../support/redis-server.ts';
import { plainRows, writeAll } from '../support/writing.ts';

let cluster: TestCluster;
const opened: Pick<Connection, 'close'>[] = [];

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  for (const connection of opened.splice(0)) await connection.close();
  await cluster.flush();
  await writeAll(cluster.url, { fields: ['x', 'y'] }, plainRows(200));
});

async function reader(options: { url?: string; cluster?: boolean; withinMs?: number } = {}) {
  const { withinMs, ...more } = options;
  const connection = await connect({ url: cluster.url, retryForMs: 2_000, ...more });
  const made = await readerOver(connection, connection.client, withinMs);
  opened.push(made);
  return storedReader(made);
}

/** Field x of each key; null where there is none, the code where it cannot be read. */
async function read(from: ReadStored, keys: readonly string[]) {
  const outcomes = await from(keys);
  return outcomes.map((outcome) =>
    outcome instanceof FeaturectlError ? outcome.code : (outcome?.fields.get('x') ?? null),
  );
}

const KEYS = [150, 3, 999, 77, 3, 12, 199, 0].map((i) => `k:${i}`);
const VALUES = ['v150', 'v3', null, 'v77', 'v3', 'v12', 'v199', 'v0'];

describe.each([{ cluster: true }, { cluster: false }])('asked for: $cluster', (options) => {
  it('keys of all masters, in the order asked, missing ones too', async () => {
    const from = await reader(options);
    expect(await read(from, KEYS)).toEqual(VALUES);
    expect(await read(from, [])).toEqual([]);
    const [entity] = await from(['k:5']);
    expect(entity).toMatchObject({ ttlMs: expect.any(Number) });
  });

  it('by way of a replica', async () => {
    const replica = await cluster.replicaOf((await cluster.masters())[0] as TestRedis);
    expect(await read(await reader({ ...options, url: replica.url }), KEYS)).toEqual(VALUES);
  });

  it('a key of another type is that key alone', async () => {
    const at = await cluster.masterOf(slotOf('k:3'));
    await at.cli('SET', 'k:3', 'foreign');
    const found = await read(await reader(options), ['k:1', 'k:3', 'k:2']);
    expect(found).toEqual(['v1', 'REDIS_SERVER', 'v2']);
  });
});

it.each([{ cluster: true }, { cluster: false }])(
  'SCAN finds the keys of every master: %o',
  async (options) => {
    const replica = await cluster.replicaOf((await cluster.masters())[0] as TestRedis);
    for (const url of [cluster.url, replica.url]) {
      const connection = await connect({ url, retryForMs: 2_000, ...options });
      opened.push(connection);
      const found: string[] = [];
      for await (const page of scanKeys(connection, 'k:1?')) found.push(...page);
      expect(found.sort()).toEqual(Array.from({ length: 10 }, (_, i) => `k:${10 + i}`));
    }
  },
);

it('a slot on its way, before, between and after', async () => {
  const from = await reader();
  const slot = slotOf('k:77');
  await read(from, KEYS);
  const old = await cluster.masterOf(slot);
  const to = (await cluster.masters()).find((node) => node !== old) as TestRedis;
  await cluster.beginMigration(slot, to);
  expect(await read(from, KEYS)).toEqual(VALUES);
  await cluster.moveKeys(slot, to);
  expect(await read(from, KEYS)).toEqual(VALUES);
  await cluster.endMigration(slot, to);
  expect(await read(from, KEYS)).toEqual(VALUES);
});

it('after a failover, and while a dead master has no successor yet', async () => {
  const from = await reader();
  await read(from, KEYS);
  const [first] = await cluster.masters();
  await cluster.failover(await cluster.replicaOf(first as TestRedis));
  await cluster.settled();
  expect(await read(from, KEYS)).toEqual(VALUES);
  const master = await cluster.masterOf(slotOf('k:150'));
  await master.kill();
  expect(await read(from, KEYS)).toEqual(VALUES);
  await master.restart();
  await cluster.settled();
});

it('REDIS_CONNECT where no answer comes in time', async () => {
  const from = await reader({ withinMs: 400 });
  await read(from, KEYS);
  const master = await cluster.masterOf(slotOf('k:150'));
  await master.cli('CLIENT', 'PAUSE', 1500, 'ALL');
  await expect(from(KEYS)).rejects.toMatchObject({ code: 'REDIS_CONNECT' });
});
