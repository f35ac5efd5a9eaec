/** What goes wrong on a real Redis Cluster while rows are written: slots that move, masters that change or die. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Writer } from '../../src/core/types.ts';
import { slotOf } from '../../src/redis/slot.ts';
import { startCluster, type TestCluster, until } from '../support/redis-cluster.ts';
import type { TestRedis } from '../support/redis-server.ts';
import {
  commitRows,
  createTally,
  fieldsOnly,
  type OpenOptions,
  openWriter,
  PLANS,
  plainRows,
  type Tally,
  type TestRow,
} from '../support/writing.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let cluster: TestCluster;
const opened: Writer[] = [];

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());
beforeEach(() => cluster.flush());
afterEach(async () => {
  for (const writer of opened.splice(0)) await writer.close();
});

async function open(options: Partial<OpenOptions>, tally: Tally): Promise<Writer> {
  const eventTimeField = options.mode === 'newer' ? 1 : null;
  // Any node may be dead, or no master any more.
  const hosts = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`);
  const writer = await openWriter(
    `redis://${hosts.join(',')}`,
    { fields: ['x', 'y'], eventTimeField, retryForMs: 15_000, ...options },
    tally,
  );
  opened.push(writer);
  return writer;
}

/** `k:0`… over and over: `keys` of them, each row newer than the one before. */
function rowsOver(keys: number, count: number, keyOf = (i: number): string => `k:${i}`): TestRow[] {
  return Array.from({ length: count }, (_, i) => ({
    key: keyOf(i % keys),
    values: [`v${i}`, String(i)],
    eventTime: String(i),
  }));
}

/** What one connection to one healthy server would leave: the last row of each key. */
function lastOf(rows: readonly TestRow[]): Record<string, Record<string, string>> {
  const last: Record<string, Record<string, string>> = {};
  for (const { key, values } of rows) last[key] = { x: String(values[0]), y: String(values[1]) };
  return last;
}

async function expectStored(rows: readonly TestRow[]): Promise<void> {
  const stored = await cluster.stored();
  const plain = Object.fromEntries(Object.entries(fieldsOnly(stored)).map(([key, f]) => [key, { ...f }]));
  expect(plain).toEqual(lastOf(rows));
  expect(Object.values(stored).filter(({ ttlMs }) => ttlMs <= 0)).toEqual([]);
}

/** A master that does not serve the slot. */
async function otherMaster(slot: number): Promise<TestRedis> {
  const from = await cluster.masterOf(slot);
  const other = (await cluster.masters()).find((node) => node !== from);
  if (!other) throw new Error('one master only');
  return other;
}

/** Keys of one slot, which is that of the tag. */
const tagged = (i: number): string => `{tag}:${i}`;
const TAG_SLOT = slotOf('{tag}:0');

describe.each(PLANS)('%s %s', (path, mode) => {
  const plan = { path, mode } as const;

  it('slots that move under load, over and over', async () => {
    const tally = createTally();
    const writer = await open({ ...plan, connections: 2, chunkRows: 30, rate: 12_000 }, tally);
    const rows = rowsOver(700, 6000);
    let isDone = false;
    const moving = (async () => {
      for (let i = 0; !isDone; i++) {
        const slot = slotOf(`k:${i % 40}`);
        await cluster.migrate(slot, await otherMaster(slot));
      }
    })();
    await commitRows(writer, rows);
    await writer.drain();
    isDone = true;
    await moving;
    expect(tally.told).toMatchObject({ written: 6000, failed: new Map() });
    await expectStored(rows);
  });

  it('a slot half on its way: ASK for keys that have gone and for new ones', async () => {
    const tally = createTally();
    const old = rowsOver(40, 40, tagged);
    const writer = await open({ ...plan, chunkRows: 25 }, tally);
    await commitRows(writer, old);
    await writer.drain();
    const to = await otherMaster(TAG_SLOT);
    await cluster.beginMigration(TAG_SLOT, to);
    expect(await cluster.moveKeys(TAG_SLOT, to, 20)).toBe(20);
    const rows = rowsOver(60, 300, tagged).map((row, i) => ({ ...row, eventTime: String(100 + i) }));
    const fresh = rows.map((row) => ({ ...row, values: [row.values[0], row.eventTime] }));
    await commitRows(writer, fresh, 40);
    await writer.drain();
    expect(tally.told).toMatchObject({ written: 340, failed: new Map() });
    // No key is at both nodes: the rest of the way goes as if nobody had written.
    while ((await cluster.moveKeys(TAG_SLOT, to)) > 0);
    await cluster.endMigration(TAG_SLOT, to);
    await commitRows(
      writer,
      fresh.slice(0, 10).map((row) => ({ ...row, values: ['last', '900'], eventTime: '900' })),
      340,
    );
    await writer.drain();
    const stored = fieldsOnly(await cluster.stored());
    expect(Object.keys(stored)).toHaveLength(60);
    for (let i = 0; i < 60; i++) {
      expect({ ...stored[tagged(i)] }).toEqual(
        i < 10 ? { x: 'last', y: '900' } : { x: `v${240 + i}`, y: String(340 + i) },
      );
    }
  });

  it('CLUSTER FAILOVER under load: nothing is lost', async () => {
    const tally = createTally();
    const writer = await open({ ...plan, connections: 2, chunkRows: 30, rate: 12_000 }, tally);
    const rows = rowsOver(800, 6000);
    const failing = (async () => {
      for (const master of (await cluster.masters()).slice(0, 2)) {
        await pause(60);
        await cluster.failover(await cluster.replicaOf(master));
      }
    })();
    await commitRows(writer, rows);
    await writer.drain();
    await failing;
    expect(tally.told).toMatchObject({ written: 6000, failed: new Map() });
    await cluster.settled();
    await expectStored(rows);
  });
});

it('one slot of many has moved: only its rows are sent again', async () => {
  const tally = createTally();
  const writer = await open({ path: 'pipeline', chunkRows: 1000, chunkBytes: 1 << 20 }, tally);
  await commitRows(writer, plainRows(100));
  await writer.drain();
  const slot = slotOf('k:50');
  await cluster.migrate(slot, await otherMaster(slot));
  await cluster.flush();
  await commitRows(writer, plainRows(100, 'w'), 100);
  await writer.drain();
  expect(tally.told).toMatchObject({ written: 200, failed: new Map() });
  // A command that was refused with MOVED is no call.
  expect(await cluster.calls('hset')).toBe(100);
  const sent = writer.stats().chunksSent;
  await commitRows(writer, plainRows(100, 'x'), 200);
  await writer.drain();
  // Each lane one chunk: the map is known, nothing is refused any more.
  expect(writer.stats().chunksSent - sent).toBeLessThanOrEqual(3);
  await expectStored(plainRows(100, 'x'));
});

it('a key of another type, and foreign keys, are left alone', async () => {
  const at = await cluster.masterOf(slotOf('k:7'));
  await at.cli('SET', 'k:7', 'foreign', 'EX', 50);
  const tally = createTally();
  const writer = await open({ path: 'script' }, tally);
  await commitRows(writer, plainRows(50));
  await writer.drain();
  expect(tally.codes()).toEqual({ WRONGTYPE: 1 });
  expect([...tally.told.failed.keys()]).toEqual([7]);
  expect(await at.cli('GET', 'k:7')).toBe('foreign');
  expect(await at.cli('TTL', 'k:7')).toBeLessThanOrEqual(50);
  await at.cli('DEL', 'k:7');
});

it('SCRIPT FLUSH on every node in the middle of a load', async () => {
  const tally = createTally();
  const writer = await open({ path: 'script', chunkRows: 10 }, tally);
  for (let i = 0; i < 5; i++) {
    await commitRows(writer, plainRows(200, 'v', i * 200), i * 200);
    for (const node of cluster.nodes) await node.cli('SCRIPT', 'FLUSH');
  }
  await writer.drain();
  expect(tally.told).toMatchObject({ written: 1000, failed: new Map() });
});

it('MISCONF-like trouble on one master holds back its rows only until it passes', async () => {
  const tally = createTally();
  const writer = await open({ path: 'script', chunkRows: 10 }, tally);
  const [master] = await cluster.masters();
  await master?.cli('CONFIG', 'SET', 'maxmemory', '1');
  setTimeout(() => void master?.cli('CONFIG', 'SET', 'maxmemory', '0'), 200);
  await commitRows(writer, plainRows(600));
  await writer.drain();
  expect(tally.told).toMatchObject({ written: 600, failed: new Map() });
  await expectStored(plainRows(600));
});

it('a master killed: its replica takes over, and rows not settled go there', async () => {
  const tally = createTally();
  const writer = await open({ path: 'script', connections: 2, chunkRows: 20 }, tally);
  await commitRows(writer, plainRows(500));
  await writer.drain();
  const [master] = await cluster.masters();
  const replica = await cluster.replicaOf(master as TestRedis);
  await master?.cli('WAIT', 1, 1000);
  await master?.kill();
  await commitRows(writer, plainRows(500, 'w', 250), 500);
  await writer.drain();
  expect(tally.told).toMatchObject({ written: 1000, failed: new Map() });
  expect(tally.told.retries.length).toBeGreaterThan(0);
  expect(await cluster.masters()).toContain(replica);
  await backAsReplica(master as TestRedis);
  await expectStored([...plainRows(250), ...plainRows(500, 'w', 250)]);
});

async function backAsReplica(dead: TestRedis): Promise<void> {
  await dead.restart();
  await until('the old master to be a replica', async () =>
    /role:slave/.test(String(await dead.cli('INFO', 'replication'))),
  );
  await cluster.settled();
}

/** What the master takes from now on stays with it. */
async function cutOff(master: TestRedis): Promise<void> {
  await master.cli('ACL', 'SETUSER', 'default', '-psync', '-sync');
  await master.cli('CLIENT', 'KILL', 'TYPE', 'replica');
}

describe('a replica takes over that has not what the master took', () => {
  const rows = plainRows(500, 'w', 250);

  async function loseLast(options: Partial<OpenOptions>) {
    const tally = createTally();
    const writer = await open({ connections: 2, chunkRows: 20, ...options }, tally);
    await commitRows(writer, plainRows(250));
    await writer.drain();
    const [master] = (await cluster.masters()) as [TestRedis];
    const replica = await cluster.replicaOf(master);
    await master.cli('WAIT', 1, 1000);
    await cutOff(master);
    await commitRows(writer, rows, 250);
    await writer.drain();
    const taken = writer.lastTaken();
    await master.kill();
    await replica.cli('CLUSTER', 'FAILOVER', 'TAKEOVER');
    return { tally, writer, master, taken };
  }

  it.each(PLANS)('in the middle of a load: REDIS_DATA_LOSS (%s %s)', async (path, mode) => {
    const { tally, writer, master } = await loseLast({ path, mode });
    const rest = commitRows(writer, plainRows(500, 'x', 900), 750).then(() => writer.drain());
    await expect(rest).rejects.toMatchObject({ code: 'REDIS_DATA_LOSS' });
    await writer.abandon(0);
    expect(tally.total()).toBe(tally.told.written + (tally.codes().UNSETTLED ?? 0));
    await backAsReplica(master);
  });

  it('between a load and the one that goes on after it', async () => {
    const { writer, master, taken } = await loseLast({});
    await writer.close();
    expect(taken).toHaveLength(3);
    await expect(open({ earlier: taken }, createTally())).rejects.toMatchObject({ code: 'REDIS_DATA_LOSS' });
    await backAsReplica(master);
  });
});

it('what went on between two loads is no loss where rows are kept', async () => {
  const first = await open({ connections: 2 }, createTally());
  await commitRows(first, plainRows(300));
  await first.drain();
  const earlier = first.lastTaken();
  const [master] = (await cluster.masters()) as [TestRedis];
  await cluster.failover(await cluster.replicaOf(master));
  await cluster.settled();
  for (const { key } of earlier) await cluster.migrate(slotOf(key), await otherMaster(slotOf(key)));
  const tally = createTally();
  const next = await open({ earlier }, tally);
  await commitRows(next, plainRows(300, 'w'));
  await next.drain();
  expect(tally.told).toMatchObject({ written: 300, failed: new Map() });
});
