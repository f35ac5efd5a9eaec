/** Features over HTTP from a Cluster: whatever node has a key, the order is that of the request. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';
import { startCluster, type TestCluster } from '../support/redis-cluster.ts';
import type { TestRedis } from '../support/redis-server.ts';
import { serve, until } from './support.ts';

let desk: Desk;
let cluster: TestCluster;

beforeAll(async () => {
  desk = await openDesk();
  cluster = await startCluster();
});
afterAll(async () => {
  await cluster.stop();
  await desk.close();
});

it('single reads and batches, also after a slot has moved', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => `u${i},v${i}`);
  const source = await desk.file('users.csv', ['id,x', ...rows, ''].join('\n'));
  const schema = await desk.file('s.yaml', schemaText({}));
  const at = ['--schema', schema, '--redis', cluster.url];
  expect((await desk.run(['ingest', source, ...at])).code).toBe(0);
  const server = await serve(desk, at);
  const asked = Array.from({ length: 120 }, (_, i) => `u${(i * 37) % 110}`);
  const expectAll = async (): Promise<void> => {
    const { status, json } = await server.post('/features/batch', { entity_keys: asked });
    expect(status).toBe(200);
    expect(json.results.map(({ features }: { features: unknown }) => features)).toEqual(
      asked.map((id) => (Number(id.slice(1)) < 100 ? { x: `v${id.slice(1)}` } : {})),
    );
    const single = await server.post('/features', { entity_key: 'u7' });
    expect(single.json).toMatchObject({ entity_key: 'u7', features: { x: 'v7' }, found: true });
  };
  await expectAll();
  const slot = Number(await cluster.nodes[0]?.cli('CLUSTER', 'KEYSLOT', 'k:u7'));
  const from = await cluster.masterOf(slot);
  const to = (await cluster.masters()).find((node) => node !== from);
  await cluster.migrate(slot, to as NonNullable<typeof to>);
  await expectAll();
  await server.stop();
});

it('--read-from replica', async () => {
  const source = await desk.file('users.csv', ['id,x', 'r1,v1', 'r2,v2', ''].join('\n'));
  const schema = await desk.file('s.yaml', schemaText({}));
  const at = ['--schema', schema, '--redis', cluster.url];
  expect((await desk.run(['ingest', source, ...at])).code).toBe(0);
  const server = await serve(desk, [...at, '--read-from', 'replica']);
  const hmgets = async (nodes: readonly TestRedis[]): Promise<number> => {
    const stats = await Promise.all(nodes.map((node) => node.cli('INFO', 'commandstats')));
    return stats.reduce(
      (sum: number, each) => sum + Number(/cmdstat_hmget:calls=(\d+)/.exec(String(each))?.[1] ?? 0),
      0,
    );
  };
  const masters = await cluster.masters();
  const replicas = cluster.nodes.filter((node) => !masters.includes(node));
  await until(async () => {
    const before = await hmgets(masters);
    const body = { entity_keys: ['r2', 'r1'], features: ['x'] };
    const { json } = await server.post('/features/batch', body);
    expect(json).toMatchObject({ results: [{ features: { x: 'v2' } }, { features: { x: 'v1' } }] });
    return (await hmgets(masters)) === before;
  });
  expect(await hmgets(replicas)).toBeGreaterThan(0);
  await server.stop();
});
