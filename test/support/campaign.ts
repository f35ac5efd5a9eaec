/**
 * Loads on the command line with faults at random moments, on a single server, under Sentinel and on a Cluster.
 * Each is compared with the same load where nothing goes wrong. Servers lose nothing that they acknowledged:
 * they write an append-only file with every command, and a master is killed for good only when its replica has all.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { slotOf } from '../../src/redis/slot.ts';
import { startCluster, type TestCluster, until } from './redis-cluster.ts';
import { startSentinel } from './redis-sentinel.ts';
import { startRedis, type TestRedis } from './redis-server.ts';
import { startProxy } from './resp-proxy.ts';
import { featurectl } from './run.ts';
import { type Hash, storedOf } from './writing.ts';

/** What a fault may act on; `pick` chooses among what is there by the fault's own number. */
interface Site {
  readonly flags: readonly string[];
  /** A server that rows are written to now. */
  master(pick: number): Promise<TestRedis>;
  stored(): Promise<Record<string, Hash>>;
  /** Sends a command of this key to whoever has it, as soon as it is taken. */
  send(key: string, ...command: (string | number)[]): Promise<unknown>;
  readonly faults: Readonly<Record<string, (pick: number) => Promise<unknown>>>;
  /** Waits until what the faults did has passed. */
  settled(): Promise<void>;
  /** Empty and without a fault that is still to come: the load may begin. */
  prepare(): Promise<void>;
  stop(): Promise<void>;
}

export type SiteName = 'single' | 'sentinel' | 'cluster';

export interface Load {
  readonly site: SiteName;
  readonly plan: readonly [path: string, mode: 'merge' | 'replace' | 'newer'];
  readonly rows: number;
  readonly keys: number;
  readonly connections: number;
  readonly chunkRows: number;
  readonly inFlight: number;
  readonly faults: readonly { readonly what: number; readonly pick: number; readonly afterMs: number }[];
}

const PLANS = [
  ['script', 'merge'],
  ['script', 'newer'],
  ['script', 'replace'],
  ['pipeline', 'merge'],
  ['pipeline', 'replace'],
  ['restore', 'newer'],
  ['restore', 'replace'],
  ['auto', 'merge'],
] as const;

/** Rows a second: a load lasts for as long as its faults do. */
const RATE = 4000;

export function sampleLoads(runs: number, seed: number): Load[] {
  const load = fc.record({
    site: fc.constantFrom<SiteName>(...SITES),
    plan: fc.constantFrom(...PLANS),
    rows: fc.integer({ min: 2000, max: 5000 }),
    keys: fc.integer({ min: 100, max: 900 }),
    connections: fc.integer({ min: 1, max: 3 }),
    chunkRows: fc.integer({ min: 5, max: 300 }),
    inFlight: fc.integer({ min: 1, max: 16 }),
    faults: fc.array(
      fc.record({ what: fc.nat(1000), pick: fc.nat(1000), afterMs: fc.integer({ min: 0, max: 200 }) }),
      { minLength: 1, maxLength: 5 },
    ),
  });
  return fc.sample(load, { numRuns: runs, seed }).map(lasting);
}

/** A Cluster has up to nine lanes, each of which fills a chunk before the rate holds it: loads must not be over by then. */
function lasting(load: Load): Load {
  const most = load.site === 'cluster' ? Math.floor(load.rows / 40) : Infinity;
  return { ...load, chunkRows: Math.min(load.chunkRows, most) };
}

const SITES: readonly SiteName[] = [
  'single',
  'single',
  'single',
  'cluster',
  'cluster',
  'cluster',
  'sentinel',
];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Faults that every kind of server has. */
function commonFaults(master: Site['master']): Site['faults'] {
  const forAWhile = async (pick: number, name: string, value: string, otherwise: string): Promise<void> => {
    const server = await master(pick);
    await server.cli('CONFIG', 'SET', name, value);
    await pause(20 + (pick % 80));
    await server.cli('CONFIG', 'SET', name, otherwise);
  };
  return {
    cut: async (pick) => (await master(pick)).cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    'script flush': async (pick) => (await master(pick)).cli('SCRIPT', 'FLUSH'),
    'client pause': async (pick) =>
      (await master(pick)).cli('CLIENT', 'PAUSE', 20 + (pick % 150), pick % 2 ? 'WRITE' : 'ALL'),
    'out of memory': (pick) => forAWhile(pick, 'maxmemory', '1', '0'),
    'no replicas': (pick) => forAWhile(pick, 'min-replicas-to-write', '5', '0'),
  };
}

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** Patient: what a fault left behind passes. */
async function sendTo(
  key: string,
  find: (key: string) => Promise<TestRedis>,
  [name = '', ...args]: (string | number)[],
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await (await find(key)).cli(name, key, ...args);
    } catch (error) {
      if (attempt === 200) throw error;
      await pause(50);
    }
  }
}

async function openSingle(): Promise<Site> {
  const redis = await startRedis({ args: DURABLE });
  const proxy = await startProxy(redis.port);
  const master = async (): Promise<TestRedis> => redis;
  return {
    flags: ['--redis', proxy.url],
    master,
    send: (key, ...command) => sendTo(key, master, command),
    stored: () => storedOf(redis.url),
    faults: {
      ...commonFaults(master),
      'cut in a reply': async (pick) => proxy.arm([{ direction: 'reply', at: pick % 300 }]),
      'cut in a request': async (pick) => proxy.arm([{ direction: 'request', at: pick * 17 }]),
      'kill and restart': async (pick) => {
        await redis.kill();
        await pause(pick % 100);
        await redis.restart();
      },
      'read-only': async (pick) => {
        await redis.cli('REPLICAOF', '127.0.0.1', '1');
        await pause(pick % 80);
        await redis.cli('REPLICAOF', 'NO', 'ONE');
      },
    },
    settled: async () => {},
    prepare: async () => {},
    stop: async () => {
      await proxy.close();
      await redis.stop();
    },
  };
}

/** Kills a master whose writes are held back until its replica has them all: nothing acknowledged is lost. */
async function killInStep(master: TestRedis, replica: TestRedis): Promise<void> {
  const offset = async (node: TestRedis, name: string): Promise<string | undefined> =>
    new RegExp(`${name}:(\\d+)`).exec(String(await node.cli('INFO', 'replication')))?.[1];
  await until('the replica to have all', async () => {
    // Again each time: a replica that is still being filled may take longer than one pause.
    await master.cli('CLIENT', 'PAUSE', 3000, 'WRITE');
    const [own, its] = [
      await offset(master, 'master_repl_offset'),
      await offset(replica, 'slave_repl_offset'),
    ];
    return own !== undefined && own === its;
  });
  await master.kill();
}

async function openSentinel(): Promise<Site> {
  const first = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  const second = await startRedis({ args: ['--replicaof', '127.0.0.1', String(first.port)] });
  await until('the replica to be in step', async () =>
    /master_link_status:up/.test(String(await second.cli('INFO', 'replication'))),
  );
  // Longer than elsewhere: on a busy machine a master is silent for half a second by itself.
  const sentinel = await startSentinel(first.port, 2000);
  let current = first;
  const master = async (): Promise<TestRedis> => current;
  return {
    flags: ['--sentinel', `127.0.0.1:${sentinel.port}`, '--sentinel-name', 'main', '--redis', 'redis://'],
    master,
    send: (key, ...command) => sendTo(key, master, command),
    stored: () => storedOf(current.url),
    faults: {
      ...commonFaults(master),
      failover: async () => {
        if (current === second) return;
        await killInStep(first, second);
        current = second;
        await until('the replica to be the master', async () =>
          /role:master/.test(String(await second.cli('INFO', 'replication'))),
        );
      },
    },
    settled: async () => {
      // On a machine that is busy a master can be silent for so long by itself; the load then went on elsewhere.
      if ((await sentinel.masterPort()) !== current.port) throw new Unasked();
    },
    prepare: async () => {},
    stop: async () => {
      await sentinel.stop();
      await first.stop();
      await second.stop();
    },
  };
}

async function openCluster(cluster: TestCluster, keys: number): Promise<Site> {
  const master = async (pick: number): Promise<TestRedis> => {
    const masters = await cluster.masters();
    return masters[pick % masters.length] as TestRedis;
  };
  const wayOf = async (pick: number): Promise<{ slot: number; to: TestRedis }> => {
    const slot = slotOf(`k:${pick % keys}`);
    const from = await cluster.masterOf(slot);
    const others = (await cluster.masters()).filter((node) => node !== from);
    return { slot, to: others[pick % others.length] as TestRedis };
  };
  return {
    flags: ['--redis', cluster.url, ...(keys % 2 ? ['--cluster'] : [])],
    master,
    send: (key, ...command) => sendTo(key, (name) => cluster.masterOf(slotOf(name)), command),
    stored: cluster.stored,
    faults: {
      ...commonFaults(master),
      'slots move': async (pick) => {
        await cluster.settled();
        for (let i = 0; i < 10; i++) {
          const { slot, to } = await wayOf(pick + i * 7);
          await cluster.migrate(slot, to);
        }
      },
      'slot half moved': async (pick) => {
        await cluster.settled();
        const { slot, to } = await wayOf(pick);
        await cluster.beginMigration(slot, to);
        await pause(20);
        await cluster.moveKeys(slot, to, 1);
        await pause(pick % 120);
        await cluster.migrateRest(slot, to);
      },
      failover: async (pick) => {
        await cluster.settled();
        await cluster.failover(await cluster.replicaOf(await master(pick)));
      },
      'kill and restart': async (pick) => {
        await cluster.settled();
        const killed = await master(pick);
        // Whoever is the master after that has all.
        await killInStep(killed, await cluster.replicaOf(killed));
        await killed.restart();
      },
      'kill for good': async (pick) => {
        await cluster.settled();
        const killed = await master(pick);
        const replica = await cluster.replicaOf(killed);
        await killInStep(killed, replica);
        await until('the replica to be the master', async () =>
          /role:master/.test(String(await replica.cli('INFO', 'replication'))),
        );
        await killed.restart();
      },
    },
    settled: cluster.settled,
    prepare: async () => {
      await cluster.settled();
      await cluster.flush();
    },
    stop: async () => {},
  };
}

/** Sentinel made another server the master although no fault asked for it: the load says nothing. */
class Unasked extends Error {
  override readonly message = 'Sentinel made another server the master, and no fault asked for it';
}

export interface Campaign {
  /** Plays one load; throws where it ends otherwise than without faults. Resolves with the faults that happened. */
  play(load: Load): Promise<string[]>;
  stop(): Promise<void>;
}

export async function openCampaign(): Promise<Campaign> {
  const dir = await mkdtemp(join(tmpdir(), 'featurectl-faults-'));
  let cluster: TestCluster | null = null;
  const open = async ({ site, keys }: Load): Promise<Site> => {
    if (site === 'single') return openSingle();
    if (site === 'sentinel') return openSentinel();
    cluster ??= await startCluster({ args: DURABLE });
    return openCluster(cluster, keys);
  };
  const playOnce = async (load: Load): Promise<string[]> => {
    const clean = await startRedis();
    const site = await open(load);
    try {
      return await compare(dir, load, clean, site);
    } finally {
      await site.stop();
      await clean.stop();
    }
  };
  return {
    play: (load) => playAgain(() => playOnce(load)),
    stop: async () => {
      await cluster?.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Three times at most. */
async function playAgain(play: () => Promise<string[]>): Promise<string[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await play();
    } catch (error) {
      if (!(error instanceof Unasked) || tries === 3) throw error;
    }
  }
}

/** Keys that are not ours: one that rows name but that holds another type, and hashes that no row names. */
const FOREIGN = 'k:13';
const STRANGERS = ['other:1', 'k:none', 'kk:1'];

async function plantForeign(send: Site['send'], mode: string): Promise<void> {
  for (const key of STRANGERS) await send(key, 'HSET', 'x', 'not ours');
  if (mode !== 'replace') await send(FOREIGN, 'SET', 'foreign', 'EX', 500);
}

/** Removes them, and throws where one was touched. */
async function takeForeign(send: Site['send'], [path, mode]: Load['plan']): Promise<void> {
  for (const key of STRANGERS) {
    const found = [await send(key, 'HGET', 'x'), await send(key, 'HLEN'), await send(key, 'TTL')];
    if (found.join() !== 'not ours,1,-1') throw new Error(`${key} was touched: ${found}`);
    await send(key, 'DEL');
  }
  if (mode === 'replace') return;
  const [value, ttl] = [await send(FOREIGN, 'GET'), Number(await send(FOREIGN, 'TTL'))];
  // Plain commands re-time it, as they say (docs/modes.md).
  if (value !== 'foreign' || ttl < 1 || (ttl > 500 && path !== 'pipeline')) {
    throw new Error(`${FOREIGN} was touched: ${value}, TTL ${ttl}`);
  }
  await send(FOREIGN, 'DEL');
}

async function compare(dir: string, load: Load, clean: TestRedis, site: Site): Promise<string[]> {
  const name = join(dir, load.site);
  await writeFile(`${name}.csv`, csvOf(load));
  await writeFile(`${name}.yaml`, SCHEMA);
  const send: Site['send'] = (key, ...command) => sendTo(key, async () => clean, command);
  await plantForeign(send, load.plan[1]);
  const expected = await ingest(name, load, ['--redis', clean.url]);
  await takeForeign(send, load.plan);
  await site.prepare();
  await plantForeign(site.send, load.plan[1]);
  const happened: string[] = [];
  let isOver = false;
  const trouble = makeTrouble(site, load, happened, () => isOver).catch((error: unknown) => error);
  const found = await ingest(name, load, [...site.flags, '--rate', `${RATE}/s`, '--retry-for', '20s']);
  isOver = true;
  const failed = await trouble;
  if (failed) throw failed;
  await site.settled();
  await takeForeign(site.send, load.plan);
  const differences = [
    ...differingCounts(found, expected, load.plan[1]),
    ...differingState(await site.stored(), await storedOf(clean.url)),
  ];
  if (differences.length > 0)
    throw new Error(`${happened.join(', ')}: ${differences.slice(0, 5).join('; ')}`);
  return happened;
}

/** One fault after the other, for as long as the load goes on. */
async function makeTrouble(site: Site, load: Load, happened: string[], isOver: () => boolean): Promise<void> {
  const names = Object.keys(site.faults);
  await pause(100);
  for (const { what, pick, afterMs } of load.faults) {
    await pause(afterMs);
    if (isOver()) return;
    const name = names[what % names.length] as string;
    happened.push(name);
    await site.faults[name]?.(pick);
  }
}

interface Outcome {
  readonly code: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly codes: Readonly<Record<string, number>>;
}

async function ingest(name: string, { plan, ...load }: Load, flags: readonly string[]): Promise<Outcome> {
  const [write, mode] = plan;
  const files = ['--schema', `${name}.yaml`, '--report', `${name}.json`, '--rejects', `${name}.bad.csv`];
  const sizes = [
    '--chunk-rows',
    load.chunkRows,
    '--in-flight',
    load.inFlight,
    '--connections',
    load.connections,
  ];
  const how = ['--mode', mode, '--write', write, '--max-errors', 'all', '--quiet', ...sizes.map(String)];
  const { code, stderr } = await featurectl(['ingest', `${name}.csv`, ...files, ...how, ...flags]);
  if (code > 1) throw new Error(`exit ${code}: ${stderr}`);
  const report = JSON.parse(await readFile(`${name}.json`, 'utf8'));
  return { code, counts: report.counts, codes: report.failures_by_code };
}

/** About half of the TTLs are below the hour from which on rows say when they expire. */
const SCHEMA = `name: faults
key: "k:{id}"
ttl: 65m
ttl_jitter: 10%
event_time: at
features:
  x: string
  y: int64
  at: { type: timestamp, unit: s }
`;

/** Rows of a key are later and later. In mode newer each has all fields (docs/modes.md, After a fault). */
function csvOf({ rows, keys, plan: [, mode] }: Load): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const x = i % 11 === 0 && mode !== 'newer' ? '' : `value ${i}`;
    return `${(i * 7) % keys},${x},${i},${1_700_000_000 + i}`;
  });
  return ['id,x,y,at', ...lines, ''].join('\n');
}

/** In mode newer a row that was sent again may count as written or as stale (docs/modes.md). */
function differingCounts(found: Outcome, expected: Outcome, mode: string): string[] {
  const shown = ({ code, counts, codes }: Outcome): string => {
    const { written = 0, skipped = 0, ...others } = counts;
    const settled = mode === 'newer' ? { settled: written + skipped } : { written, skipped };
    return JSON.stringify({ code, ...settled, ...others, codes });
  };
  return shown(found) === shown(expected) ? [] : [`counts ${shown(found)} instead of ${shown(expected)}`];
}

function differingState(found: Record<string, Hash>, expected: Record<string, Hash>): string[] {
  const differences: string[] = [];
  for (const key of new Set([...Object.keys(found), ...Object.keys(expected)])) {
    const [is, was] = [found[key], expected[key]];
    if (fieldsText(is) !== fieldsText(was))
      differences.push(`${key}: ${fieldsText(is)} instead of ${fieldsText(was)}`);
    else if (is && was && Math.abs(is.ttlMs - was.ttlMs) > MAX_TTL_APART_MS) {
      differences.push(`${key}: TTL ${is.ttlMs} instead of ${was.ttlMs}`);
    }
  }
  return differences;
}

/** The same jitter by key, so all that differs is when the row was written. */
const MAX_TTL_APART_MS = 30_000;

/** The order of fields is no part of a hash. */
function fieldsText(hash: Hash | undefined): string {
  return hash === undefined ? 'nothing' : JSON.stringify(Object.entries(hash.fields).sort());
}
