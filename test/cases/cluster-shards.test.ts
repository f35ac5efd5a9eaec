/** A Cluster of three masters: shards side by side, and a killed load that is resumed, give what one run gives. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startCluster, type TestCluster } from '../support/redis-cluster.ts';
import { start } from '../support/spawn.ts';

const ROWS = 12_000;

let cluster: TestCluster;
let dir: string;
let argv: string[];
beforeAll(async () => {
  cluster = await startCluster({ replicas: false });
  dir = await mkdtemp(join(tmpdir(), 'featurectl-cluster-shards-'));
  const lines = Array.from({ length: ROWS }, (_, i) => `${i},${i % 500 === 7 ? 'none' : i},"a\n${i}"\n`);
  await writeFile(path('in.csv'), `id,x,t\n${lines.join('')}`);
  await writeFile(path('s.yaml'), 'name: t\nkey: "k:{id}"\nttl: 1h\nfeatures: { x: int32, t: string }\n');
  argv = ['ingest', '--schema', path('s.yaml'), '--max-errors', 'all', '--quiet', '--cluster'];
}, 60_000);
afterAll(async () => {
  await cluster.stop();
  await rm(dir, { recursive: true });
});
beforeEach(() => cluster.flush());

const path = (name: string): string => join(dir, name);
const countsOf = async (report: string): Promise<Record<string, number>> =>
  JSON.parse(await readFile(path(report), 'utf8')).counts;

function run(more: readonly string[]) {
  return start([...argv, ...more], { REDIS_URL: cluster.url });
}

/** Fields by key; TTLs are looked at on the way. */
async function fields(): Promise<Record<string, unknown>> {
  const stored = Object.entries(await cluster.stored());
  for (const [, { ttlMs }] of stored) expect(ttlMs).toBeGreaterThan(0);
  return Object.fromEntries(stored.map(([key, hash]) => [key, hash.fields]));
}

async function oneRun() {
  const { code, stderr } = await run([path('in.csv'), '--report', path('one.json')]).done;
  expect(code, stderr).toBe(1);
  const one = { counts: await countsOf('one.json'), fields: await fields() };
  await cluster.flush();
  return one;
}

it('4 processes over 4 shards', { timeout: 60_000 }, async () => {
  const one = await oneRun();
  const shards = [1, 2, 3, 4].map((n) =>
    run([path('in.csv'), '--shard', `${n}/4`, '--report', path(`${n}.json`)]),
  );
  for (const shard of shards) {
    const { code, stderr } = await shard.done;
    expect(code, stderr).toBe(1);
  }
  const counts: Record<string, number> = {};
  for (const n of [1, 2, 3, 4]) {
    for (const [name, rows] of Object.entries(await countsOf(`${n}.json`)))
      counts[name] = (counts[name] ?? 0) + rows;
  }
  expect(counts).toEqual(one.counts);
  expect(await fields()).toEqual(one.fields);
});

it('kill -9 and resume', { timeout: 60_000 }, async () => {
  const one = await oneRun();
  const load = [path('in.csv'), '--checkpoint', path('cp.json'), '--report', path('run.json')];
  const saved = async () => (await readFile(path('cp.json'), 'utf8').catch(() => '')).includes('"position"');
  for (const rate of ['3k/s', '4k/s']) {
    const killed = run([...load, '--rate', rate, '--chunk-rows', '50']);
    while (!(await saved())) await new Promise((resolve) => setTimeout(resolve, 20));
    setTimeout(() => killed.child.kill('SIGKILL'), 300);
    expect((await killed.done).signal).toBe('SIGKILL');
  }
  expect(JSON.parse(await readFile(path('cp.json'), 'utf8')).place.position.row).toBeGreaterThan(0);
  const { code, stderr } = await run(load).done;
  expect(code, stderr).toBe(1);
  expect(await countsOf('run.json')).toEqual(one.counts);
  expect(await fields()).toEqual(one.fields);
});
