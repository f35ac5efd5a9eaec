/** `readFrom: 'replica'` on a real Redis Cluster: who is asked, and what becomes of it when nodes and slots change. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { FeatureReader } from '../../src/core/feature-reader.ts';
import { createOpener, openReader } from '../../src/redis/index.ts';
import { slotOf } from '../../src/redis/slot.ts';
import { startCluster, type TestCluster, until } from '../support/redis-cluster.ts';
import type { TestRedis } from '../support/redis-server.ts';
import { plainRows, writeAll } from '../support/writing.ts';

let cluster: TestCluster;
const opened: FeatureReader[] = [];

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  await cluster.settled();
  await cluster.flush();
  await writeAll(cluster.url, { fields: ['x', 'y'] }, plainRows(200));
  await inStep();
});
afterEach(async () => {
  for (const reader of opened.splice(0)) await reader.close();
});

/** Every replica has what its master has. */
async function inStep(): Promise<void> {
  for (const master of await cluster.masters()) {
    const replica = await cluster.replicaOf(master);
    await until(
      'a replica to be in step',
      async () => (await replica.cli('DBSIZE')) === (await master.cli('DBSIZE')),
    );
  }
}

async function open(withinMs = 3_000, url = cluster.url): Promise<FeatureReader> {
  const opener = createOpener({ url, retryForMs: 0, readFrom: 'replica' });
  const reader = openReader(opener, { withinMs, tell: () => {} });
  opened.push(reader);
  await until('the reader to be ready', async () => reader.isReady());
  return reader;
}

/** Field x of each key, null where there is none; how it ended where it was not answered. HMGET, unlike heartbeats. */
function read(reader: FeatureReader, keys: readonly string[]): Promise<unknown> {
  const heard: unknown[] = [];
  return new Promise((resolve) => {
    reader.read(keys, ['x'], {
      entity: (_index, bytes, spans, count) =>
        heard.push(count === 0 ? null : bytes.latin1Slice(spans[0], spans[1])),
      refused: (_index, why) => heard.push(why),
      done: () => resolve(heard),
      failed: resolve,
    });
  });
}

const KEYS = Array.from({ length: 60 }, (_, i) => `k:${(i * 7) % 200}`);
const VALUES = KEYS.map((key) => key.replace('k:', 'v'));

async function hmgets(nodes: readonly TestRedis[]): Promise<number> {
  let calls = 0;
  for (const node of nodes) {
    const stats = String(await node.cli('INFO', 'commandstats'));
    calls += Number(/cmdstat_hmget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }
  return calls;
}

const replicas = async (): Promise<TestRedis[]> =>
  Promise.all((await cluster.masters()).map((master) => cluster.replicaOf(master)));

it('what replicas have is asked of them, what they lack of its master', async () => {
  const reader = await open();
  const asked = async (keys: readonly string[]): Promise<unknown[]> => {
    for (const node of cluster.nodes) await node.cli('CONFIG', 'RESETSTAT');
    const found = await read(reader, keys);
    return [found, await hmgets(await replicas()), await hmgets(await cluster.masters())];
  };
  // The nodes tell of a replica once it is in step.
  await until('all replicas to be known', async () => (await asked(KEYS))[2] === 0);
  expect(await asked(KEYS)).toEqual([VALUES, 60, 0]);
  expect(await asked(['k:3', 'none', 'k:9'])).toEqual([['v3', null, 'v9'], 3, 1]);
});

it('a replica that dies, and one that hangs: its master answers; back again it is asked again', async () => {
  const reader = await open();
  const master = await cluster.masterOf(slotOf('k:77'));
  const replica = await cluster.replicaOf(master);
  await replica.kill();
  expect(await read(reader, KEYS)).toEqual(VALUES);
  expect(await hmgets([master])).toBeGreaterThan(0);
  await replica.restart();
  await cluster.settled();
  await inStep();
  await until('the replica to be asked', async () => {
    expect(await read(reader, KEYS)).toEqual(VALUES);
    return (await hmgets([replica])) > 0;
  });
  await replica.cli('CLIENT', 'PAUSE', 4000, 'ALL');
  expect(await read(reader, KEYS)).toEqual(VALUES);
});

it('a slot on its way and at its end', async () => {
  const reader = await open();
  const slot = slotOf('k:77');
  const old = await cluster.masterOf(slot);
  const to = (await cluster.masters()).find((node) => node !== old) as TestRedis;
  await cluster.beginMigration(slot, to);
  await cluster.moveKeys(slot, to);
  await inStep();
  // The old replica has no such key, and nothing tells it that it went away.
  expect(await read(reader, ['k:77', 'k:3'])).toEqual(['v77', 'v3']);
  await cluster.endMigration(slot, to);
  expect(await read(reader, ['k:77', 'k:3'])).toEqual(['v77', 'v3']);
  const successor = await cluster.replicaOf(to);
  await until('the replica of the new master to be asked', async () => {
    const before = await hmgets([successor]);
    expect(await read(reader, ['k:77'])).toEqual(['v77']);
    return (await hmgets([successor])) > before;
  });
});

it('a graceful failover: what is written afterwards is read', async () => {
  const reader = await open();
  const slot = slotOf('k:150');
  const old = await cluster.masterOf(slot);
  await cluster.failover(await cluster.replicaOf(old));
  expect(await read(reader, KEYS)).toEqual(VALUES);
  await cluster.settled();
  await (await cluster.masterOf(slot)).cli('HSET', 'k:150', 'x', 'new');
  await until('the new value', async () => String(await read(reader, ['k:150'])) === 'new');
  await until('the old master to be asked as a replica', async () => {
    expect(await read(reader, ['k:150'])).toEqual(['new']);
    return (await hmgets([old])) > 0;
  });
});

it('a master that dies: its replica answers, also when it is the master and alone', async () => {
  const reader = await open(500);
  const slot = slotOf('k:150');
  const master = await cluster.masterOf(slot);
  const replica = await cluster.replicaOf(master);
  await master.kill();
  // The nodes have not noticed yet; of what it lacks, the replica's word stands.
  expect(await read(reader, ['k:150'])).toEqual(['v150']);
  await until('the replica to be the master', async () =>
    /role:master/.test(String(await replica.cli('INFO'))),
  );
  await replica.cli('HSET', 'k:150', 'x', 'new').catch(() => {});
  await until('the new value', async () => String(await read(reader, ['k:150'])) === 'new');
  await master.restart();
});

it('a user who may not say READONLY is denied', async () => {
  for (const node of cluster.nodes) {
    await node.cli('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', '-readonly');
  }
  const opener = createOpener({
    url: cluster.url.replace('//', '//app:pw@'),
    retryForMs: 0,
    readFrom: 'replica',
  });
  const reader = openReader(opener, { withinMs: 1000, tell: () => {} });
  opened.push(reader);
  await until('the refusal', async () => reader.refusal() !== null);
  expect(reader.refusal()).toMatch(/READONLY.*\+readonly/);
  expect(await read(reader, KEYS)).toBe('denied');
});
