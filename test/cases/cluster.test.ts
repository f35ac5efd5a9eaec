/** A Redis Cluster as a user meets it: ingest and get on the command line, and what is refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { slotOf } from '../../src/redis/slot.ts';
import { startCluster, type TestCluster } from '../support/redis-cluster.ts';
import { startRedis } from '../support/redis-server.ts';
import { featurectl } from '../support/run.ts';
import { fieldsOnly } from '../support/writing.ts';

const LOAD = ['--key', 'user_id', '--prefix', 'features:user:', '--ttl', '1h'];

let cluster: TestCluster;
let dir: string;
let csv: string;

beforeAll(async () => {
  cluster = await startCluster({ replicas: false });
  dir = await mkdtemp(join(tmpdir(), 'featurectl-test-'));
  csv = join(dir, 'users.csv');
  const rows = Array.from({ length: 500 }, (_, i) => `u${i},${i},name ${i}`);
  await writeFile(csv, ['user_id,purchases,name', ...rows, ''].join('\n'));
});
afterAll(async () => {
  await cluster.stop();
  await rm(dir, { recursive: true });
});
beforeEach(() => cluster.flush());

const run = (argv: readonly string[]) => featurectl(argv, { env: { REDIS_URL: cluster.url } });

describe.each([[[]], [['--cluster']]])('%j', (flags) => {
  it.each(['merge', 'replace'])('ingest --mode %s, then get in the order asked', async (mode) => {
    const done = await run(['ingest', csv, ...LOAD, '--mode', mode, '--report', '-', ...flags]);
    expect(done).toMatchObject({ code: 0 });
    const report = JSON.parse(done.stdout);
    expect(report.counts).toMatchObject({ read: 500, written: 500 });
    expect(done.stdout).toMatch(/Redis Cluster of 3 masters/);
    const stored = await cluster.stored();
    expect(Object.keys(stored)).toHaveLength(500);
    expect(Object.values(stored).filter(({ ttlMs }) => ttlMs <= 0)).toEqual([]);
    const asked = ['u400', 'u7', 'nobody', 'u123'];
    const got = await run(['get', ...asked, '--prefix', 'features:user:', '--json', ...flags]);
    expect(got.code).toBe(1);
    const lines = got.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => [line.entity, line.found, line.features.name])).toEqual([
      ['u400', true, 'name 400'],
      ['u7', true, 'name 7'],
      ['nobody', false, undefined],
      ['u123', true, 'name 123'],
    ]);
  });
});

it('keys under a hash tag stand in the slot that Redis computes', async () => {
  const schema = join(dir, 'tagged.yaml');
  await writeFile(schema, 'name: t\nkey: "f:{{{user_id}}}:v1"\nttl: 1h\nfeatures:\n  name: string\n');
  expect(await run(['ingest', csv, '--schema', schema])).toMatchObject({ code: 0 });
  const [first] = cluster.nodes;
  const stored = fieldsOnly(await cluster.stored());
  expect({ ...stored['f:{u9}:v1'] }).toEqual({ name: 'name 9' });
  const slotOf = (key: string) => first?.cli('CLUSTER', 'KEYSLOT', key);
  expect(await slotOf('f:{u9}:v1')).toBe(await slotOf('u9'));
});

it('verify and check see every master', async () => {
  const schema = join(dir, 'users.yaml');
  await writeFile(
    schema,
    'name: users\nkey: "features:user:{user_id}"\nttl: 1h\nfeatures:\n  purchases: int64\n  name: string\n',
  );
  expect(await run(['ingest', csv, '--schema', schema])).toMatchObject({ code: 0 });
  expect(await run(['verify', csv, '--schema', schema])).toMatchObject({ code: 0 });
  expect(await run(['check', '--schema', schema, '--min-count', '500'])).toMatchObject({ code: 0 });
  expect(await run(['check', '--schema', schema, '--min-count', '501'])).toMatchObject({ code: 1 });
  const at = await cluster.masterOf(slotOf('features:user:u77'));
  await at.cli('HSET', 'features:user:u77', 'name', 'another');
  expect(await run(['verify', csv, '--schema', schema])).toMatchObject({ code: 1 });
});

describe('refused', () => {
  it('--cluster for a single server: exit 4, with what to do', async () => {
    const redis = await startRedis();
    try {
      const { code, stderr } = await run(['ingest', csv, ...LOAD, '--cluster', '--redis', redis.url]);
      expect({ code, stderr }).toMatchObject({
        code: 4,
        stderr: expect.stringMatching(/leave out --cluster.*REDIS_SERVER/s),
      });
      expect(await redis.cli('DBSIZE')).toBe(0);
      const got = await run(['get', 'u1', '--cluster', '--redis', redis.url]);
      expect(got).toMatchObject({ code: 4, stderr: expect.stringMatching(/leave out --cluster/) });
    } finally {
      await redis.stop();
    }
  });

  it.each([
    ['a database', ['--cluster', '--redis', 'redis://127.0.0.1:1/2'], /database 0/],
    ['Sentinels', ['--cluster', '--sentinel', 'h:1', '--sentinel-name', 'main'], /cannot go with --sentinel/],
    [
      'several hosts with Sentinels',
      ['--redis', 'redis://a,b', '--sentinel', 'h:1', '--sentinel-name', 'main'],
      /nodes of a Cluster/,
    ],
  ])('%s: exit 2', async (_what, flags, text) => {
    const { code, stderr } = await run(['ingest', csv, ...LOAD, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toMatch(text);
  });
});
