/** Getting to a Redis Cluster: one node or several, TLS, users and their rights, what is no Cluster, and its end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.js';
import { storedReader } from '../../src/core/stored-entity.ts';
import { type ConnectOptions, connect, createWriter, readerOver } from '../../src/redis/index.ts';
import { slotOf } from '../../src/redis/slot.ts';
import { certificates } from '../support/certificates.ts';
import { startCluster, type TestCluster, until } from '../support/redis-cluster.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import {
  commitRows,
  createTally,
  DEFAULTS,
  fieldsOnly,
  type OpenOptions,
  plainRows,
} from '../support/writing.ts';

const dir = mkdtempSync(join(tmpdir(), 'featurectl-tls-'));
const pem = certificates(dir);
let cluster: TestCluster;
const opened: (() => Promise<void>)[] = [];

beforeAll(async () => {
  cluster = await startCluster({ replicas: false, tls: pem.config });
});
afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true });
});
beforeEach(() => cluster.flush());
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function open(to: Partial<ConnectOptions>, options: Partial<OpenOptions> = {}) {
  const tally = createTally();
  const retryForMs = options.retryForMs ?? 5_000;
  const connection = await connect({ url: cluster.url, retryForMs, ...to });
  opened.push(() => connection.close());
  const writer = await createWriter(connection, { ...DEFAULTS, fields: ['x', 'y'], ...options }, tally);
  return { tally, writer };
}

/** Writes 300 rows, reads some of them back. */
async function roundTrip(to: Partial<ConnectOptions>, options: Partial<OpenOptions> = {}) {
  const { tally, writer } = await open(to, options);
  await commitRows(writer, plainRows(300));
  await writer.drain();
  expect(tally.told).toMatchObject({ written: 300, failed: new Map() });
  expect(Object.keys(await cluster.stored())).toHaveLength(300);
  const other = await connect({ url: cluster.url, retryForMs: 5_000, ...to });
  const reader = await readerOver(other, other.client);
  opened.push(() => reader.close());
  const found = await storedReader(reader)(['k:299', 'k:0', 'k:300']);
  expect(found.map((each) => each !== null)).toEqual([true, true, false]);
  return writer.plan;
}

const onEveryNode = async (...command: string[]): Promise<void> => {
  for (const node of cluster.nodes) await node.cli(...command);
};

describe('addresses', () => {
  it('one node, asked for', async () => {
    expect((await roundTrip({ cluster: true })).why).toMatch(
      /Cluster of 3 masters \(asked for by --cluster\)/,
    );
  });

  it('one node, found to be of a Cluster', async () => {
    expect((await roundTrip({})).why).toMatch(/Cluster of 3 masters \(found by asking the server\)/);
  });

  it('several nodes, of which the first is away', async () => {
    const ports = [await freePort(), cluster.nodes[2]?.port, cluster.nodes[1]?.port];
    await roundTrip({ url: `redis://${ports.map((port) => `127.0.0.1:${port}`).join(',')}` });
  });

  it('TLS with a client certificate, on every node', async () => {
    await roundTrip({ url: cluster.tlsUrl, tls: pem.client });
  });

  it.each([true, false])('database 2 (--cluster %s) is refused', async (asked) => {
    const refused = open({ url: `${cluster.url}/2`, cluster: asked });
    await expect(refused).rejects.toMatchObject({ code: asked ? 'USAGE' : 'REDIS_SERVER' });
  });

  it('a single server is refused where a Cluster is asked for, also by several addresses', async () => {
    const redis = await startRedis();
    opened.push(() => redis.stop());
    const refusal = { code: 'REDIS_SERVER', message: expect.stringMatching(/single server/) };
    await expect(open({ url: redis.url, cluster: true })).rejects.toMatchObject(refusal);
    const several = `${redis.url},127.0.0.1:${redis.port}`;
    await expect(open({ url: several })).rejects.toMatchObject(refusal);
  });
});

describe('users', () => {
  const LEAST = [
    '~k:*',
    '+hset',
    '+pexpireat',
    '+time',
    '+evalsha',
    '+script|load',
    '+cluster|slots',
    '+asking',
  ];
  const url = (): string => cluster.url.replace('//', '//loader:s3cret@');

  async function withUser(...rights: string[]): Promise<void> {
    await onEveryNode('ACL', 'SETUSER', 'loader', 'reset', 'on', '>s3cret', ...rights);
  }

  it('least rights are enough, also for a slot on its way', async () => {
    await withUser(...LEAST);
    const { writer, tally } = await open({ url: url() });
    const slot = slotOf('k:3');
    const from = await cluster.masterOf(slot);
    const to = cluster.nodes.find((node) => node !== from) as TestRedis;
    await cluster.beginMigration(slot, to);
    await commitRows(writer, plainRows(300));
    await writer.drain();
    await cluster.migrateRest(slot, to);
    await commitRows(writer, plainRows(300, 'w'), 300);
    await writer.drain();
    expect(tally.told).toMatchObject({ written: 600, failed: new Map() });
    expect(fieldsOnly(await cluster.stored())['k:3']?.x).toBe('w3');
  });

  it.each(['-asking', '-cluster|slots', '-hset'])('%s is found before the first write', async (revoked) => {
    await withUser(...LEAST, revoked);
    await expect(open({ url: url() })).rejects.toMatchObject({ code: 'REDIS_AUTH' });
    expect(await cluster.stored()).toEqual({});
  });

  it('a right revoked on one node in the middle of a load ends the run', async () => {
    await withUser(...LEAST, '+expire', '+pexpire');
    const { writer, tally } = await open({ url: url() }, { path: 'pipeline' });
    await commitRows(writer, plainRows(300));
    await writer.drain();
    await cluster.nodes[1]?.cli('ACL', 'SETUSER', 'loader', '-hset');
    const rest = commitRows(writer, plainRows(300, 'w'), 300).then(() => writer.drain());
    await expect(rest).rejects.toMatchObject({ code: 'REDIS_AUTH' });
    await writer.abandon(0);
    expect(tally.total()).toBe(300 + tally.told.failed.size + (tally.told.written - 300));
  });
});

describe('a master without a successor', () => {
  it('CLUSTERDOWN is waited for, then all rows are written', async () => {
    const { writer, tally } = await open({}, { retryForMs: 15_000 });
    const dead = cluster.nodes[0] as TestRedis;
    await dead.kill();
    await until('the others to notice', async () =>
      String(await cluster.nodes[1]?.cli('CLUSTER', 'INFO')).includes('cluster_state:fail'),
    );
    setTimeout(() => void dead.restart(), 600);
    await commitRows(writer, plainRows(300));
    await writer.drain();
    expect(tally.told).toMatchObject({ written: 300, failed: new Map() });
    expect(tally.told.retries.join()).toMatch(/CLUSTERDOWN/);
    await cluster.settled();
    expect(Object.keys(await cluster.stored())).toHaveLength(300);
  });

  it('back without what it had taken: REDIS_DATA_LOSS', async () => {
    const { writer, tally } = await open({}, { retryForMs: 15_000 });
    await commitRows(writer, plainRows(300));
    await writer.drain();
    await cluster.nodes[0]?.restart();
    const rest = commitRows(writer, plainRows(300, 'w'), 300).then(() => writer.drain());
    await expect(rest).rejects.toMatchObject({ code: 'REDIS_DATA_LOSS' });
    await writer.abandon(0);
    expect(tally.total()).toBe(tally.told.written + (tally.codes().UNSETTLED ?? 0));
    await cluster.settled();
  });

  it('for longer than --retry-for: REDIS_LOST, the rest UNSETTLED', async () => {
    const { writer, tally } = await open({}, { retryForMs: 700 });
    await cluster.nodes[0]?.kill();
    const rest = commitRows(writer, plainRows(300)).then(() => writer.drain());
    await expect(rest).rejects.toMatchObject({ code: 'REDIS_LOST' });
    await writer.abandon(0);
    const unsettled = tally.codes().UNSETTLED ?? 0;
    expect(unsettled).toBeGreaterThan(0);
    expect(tally.total()).toBe(tally.told.written + unsettled);
    await cluster.nodes[0]?.restart();
    await cluster.settled();
  });
});
