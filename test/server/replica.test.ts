/** `--read-from replica`: by Sentinel, what is asked is asked of a replica. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';
import { startSentinel, type TestSentinel } from '../support/redis-sentinel.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { serve, until } from './support.ts';

let desk: Desk;
let replica: TestRedis;
let sentinel: TestSentinel;

beforeAll(async () => {
  desk = await openDesk();
  replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(desk.redis.port)] });
  sentinel = await startSentinel(desk.redis.port);
});
afterAll(async () => {
  await sentinel.stop();
  await replica.stop();
  await desk.close();
});

it.each([
  // The question whether it is permitted, and the read.
  ['replica', 2, 0],
  ['master', 0, 2],
])('%s', async (role, ofReplica, ofMaster) => {
  await desk.client.hset('k:1', 'x', 'v');
  await until(async () => (await replica.cli('EXISTS', 'k:1')) === 1);
  for (const server of [replica, desk.redis]) await server.cli('CONFIG', 'RESETSTAT');
  const schema = await desk.file('s.yaml', schemaText({}));
  const flags = ['--sentinel', `127.0.0.1:${sentinel.port}`, '--sentinel-name', 'main', '--read-from', role];
  const server = await serve(desk, ['--schema', schema, ...flags]);
  expect((await server.post('/features', { entity_key: '1' })).json.features).toEqual({ x: 'v' });
  const reads = async (of: TestRedis): Promise<number> =>
    Number(/cmdstat_hgetall:calls=(\d+)/.exec(String(await of.cli('INFO', 'commandstats')))?.[1] ?? 0);
  expect([await reads(replica), await reads(desk.redis)]).toEqual([ofReplica, ofMaster]);
  await server.stop();
});

it('of a server that is alone nothing else can be read, and that is said', async () => {
  const schema = await desk.file('alone.yaml', schemaText({}));
  const server = await serve(desk, ['--schema', schema, '--read-from', 'replica']);
  expect((await server.post('/features', { entity_key: '1' })).json.features).toEqual({ x: 'v' });
  expect((await server.stop()).stderr).toContain(
    '--read-from replica: expected a Redis Cluster or --sentinel, found one server',
  );
});
