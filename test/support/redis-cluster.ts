/**
 * A Redis Cluster for tests: three masters, each with a replica, on ports of their own and quick to notice a
 * dead node. Slots are moved and masters changed as an operator would do it.
 */
import { Redis } from 'ioredis';
import { freePort } from '../../scripts/free-port.js';
import { clusterArgs, startRedis, type TestRedis } from './redis-server.ts';
import { type Hash, storedOf } from './writing.ts';

export interface ClusterOptions {
  /** More arguments for every redis-server. */
  readonly args?: readonly string[];
  /** False: masters only, which starts sooner. */
  readonly replicas?: boolean;
  /** Options of redis-server: each node listens with TLS too, see `tlsUrl`. */
  readonly tls?: Readonly<Record<string, string>>;
}

export interface TestCluster {
  /** Of the first master. */
  readonly url: string;
  /** Of the first master, with TLS. */
  readonly tlsUrl: string;
  /** Masters 0–2 as it starts, then the replica of each. */
  readonly nodes: readonly TestRedis[];
  /** Who serves the slot now. */
  masterOf(slot: number): Promise<TestRedis>;
  masters(): Promise<TestRedis[]>;
  /** The replica of this master that is connected to it. */
  replicaOf(master: TestRedis): Promise<TestRedis>;
  /** Opens the way of a slot: from then on new keys of it are ASKed over. */
  beginMigration(slot: number, to: TestRedis): Promise<void>;
  /** Moves up to `count` keys of a slot that is on its way. Resolves with the number moved. */
  moveKeys(slot: number, to: TestRedis, count?: number): Promise<number>;
  endMigration(slot: number, to: TestRedis): Promise<void>;
  /** What is left of a way that has been opened: keys until there are none, and its end. */
  migrateRest(slot: number, to: TestRedis): Promise<void>;
  /** The whole way. */
  migrate(slot: number, to: TestRedis): Promise<void>;
  /** Makes the replica the master, without losing a write, and waits until it is. */
  failover(replica: TestRedis): Promise<void>;
  /** Waits until every node that lives says that all is well and, where asked, that replicas are in step. */
  settled(): Promise<void>;
  /** All hashes of all masters by key. */
  stored(): Promise<Record<string, Hash>>;
  /** Calls of one command over all masters since the last `flush`. */
  calls(command: string): Promise<number>;
  /** Empties all, and resets the counts of commands. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

const SLOTS = 16384;

export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const size = options.replicas === false ? 3 : 6;
  const free = await ports(2 * size);
  const buses = free.slice(0, size);
  const tls = (i: number): string[] =>
    options.tls ? ['--tls-port', String(free[size + i]), ...TLS, ...configArgs(options.tls)] : [];
  const nodes = await Promise.all(
    buses.map((bus, i) => startRedis({ args: [...nodeArgs(bus), ...tls(i), ...(options.args ?? [])] })),
  );
  const ids = await Promise.all(nodes.map(async (node) => String(await node.cli('CLUSTER', 'MYID'))));
  await form(nodes, buses, ids);
  const idOf = (node: TestRedis): string => ids[nodes.indexOf(node)] ?? '';
  const cluster = control(nodes, idOf);
  await cluster.settled();
  return { ...cluster, tlsUrl: `rediss://localhost:${free[size]}` };
}

/** The nodes tell each other the ports of TLS only then; their certificates are of a host name. */
const TLS = [
  ...['--tls-cluster', 'yes', '--cluster-announce-hostname', 'localhost'],
  ...['--cluster-preferred-endpoint-type', 'hostname'],
];

function configArgs(config: Readonly<Record<string, string>>): string[] {
  return Object.entries(config).flatMap(([name, value]) => [`--${name}`, value]);
}

async function ports(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) found.add(await freePort());
  return [...found];
}

function nodeArgs(bus: number): string[] {
  return [
    ...clusterArgs(bus),
    ...['--cluster-node-timeout', '1500', '--cluster-replica-validity-factor', '0'],
    ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
  ];
}

async function form(nodes: readonly TestRedis[], buses: readonly number[], ids: readonly string[]) {
  await Promise.all(nodes.map((node, i) => node.cli('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)));
  await Promise.all(
    nodes.slice(0, 3).map((node, i) => {
      const from = Math.ceil((SLOTS / 3) * i);
      return node.cli('CLUSTER', 'ADDSLOTSRANGE', from, Math.ceil((SLOTS / 3) * (i + 1)) - 1);
    }),
  );
  const [first, ...others] = nodes;
  for (const [i, node] of others.entries()) {
    await first?.cli('CLUSTER', 'MEET', '127.0.0.1', node.port, buses[i + 1] ?? 0);
  }
  await until('every node to know every other', async () => {
    const lists = await Promise.all(nodes.map(async (node) => String(await node.cli('CLUSTER', 'NODES'))));
    return lists.every((list) => ids.every((id) => list.includes(id)) && !/handshake|:0@0/.test(list));
  });
  await Promise.all(nodes.slice(3).map((node, i) => node.cli('CLUSTER', 'REPLICATE', ids[i] ?? '')));
}

function control(
  nodes: readonly TestRedis[],
  idOf: (node: TestRedis) => string,
): Omit<TestCluster, 'tlsUrl'> {
  const living = async (): Promise<TestRedis[]> => {
    const answers = await Promise.all(nodes.map((node) => isAlive(node)));
    return nodes.filter((_, i) => answers[i]);
  };
  const replication = async (node: TestRedis): Promise<string> =>
    String(await node.cli('INFO', 'replication'));
  const isMaster = async (node: TestRedis): Promise<boolean> => /role:master/.test(await replication(node));
  const masters = async (): Promise<TestRedis[]> => filter(await living(), isMaster);
  const masterOf = async (slot: number): Promise<TestRedis> => {
    for (const node of await masters()) {
      const shards = (await node.cli('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
      const range = shards.find(([from, to]) => slot >= from && slot <= to);
      const owner = nodes.find((each) => idOf(each) === range?.[2][2]);
      if (owner && (await isAlive(owner))) return owner;
    }
    throw new Error(`no node serves slot ${slot}`);
  };
  const beginMigration = async (slot: number, to: TestRedis): Promise<void> => {
    const from = await masterOf(slot);
    await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', idOf(from));
    await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', idOf(to));
  };
  const moveKeys = async (slot: number, to: TestRedis, count = 1000): Promise<number> => {
    const from = await masterOf(slot);
    const keys = (await from.cli('CLUSTER', 'GETKEYSINSLOT', slot, count)) as string[];
    if (keys.length > 0) await from.cli('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys);
    return keys.length;
  };
  const endMigration = async (slot: number, to: TestRedis): Promise<void> => {
    const from = await masterOf(slot);
    await to.cli('CLUSTER', 'SETSLOT', slot, 'NODE', idOf(to));
    await from.cli('CLUSTER', 'SETSLOT', slot, 'NODE', idOf(to));
  };
  const migrateRest = async (slot: number, to: TestRedis): Promise<void> => {
    while ((await moveKeys(slot, to)) > 0);
    await endMigration(slot, to);
  };
  return {
    url: nodes[0]?.url ?? '',
    nodes,
    masterOf,
    masters,
    replicaOf: async (master) => {
      for (const node of await living()) {
        const text = await replication(node);
        if (/role:slave/.test(text) && text.includes(`master_port:${master.port}\r`)) return node;
      }
      throw new Error('no replica of that master');
    },
    beginMigration,
    moveKeys,
    endMigration,
    migrateRest,
    migrate: async (slot, to) => {
      if ((await masterOf(slot)) === to) return;
      await beginMigration(slot, to);
      await migrateRest(slot, to);
    },
    failover: async (replica) => {
      let askedAt = 0;
      await until('the replica to be the master', async () => {
        if (await isMaster(replica)) return true;
        // One that was not done within five seconds is given up by the nodes.
        if (Date.now() - askedAt > 6000) await replica.cli('CLUSTER', 'FAILOVER').catch(() => {});
        if (Date.now() - askedAt > 6000) askedAt = Date.now();
        return false;
      });
    },
    settled: () =>
      until('the cluster to be well', async () => {
        const nodesNow = await living();
        const checks = await Promise.all(
          nodesNow.map(async (node) => {
            const info = String(await node.cli('CLUSTER', 'INFO'));
            return /cluster_state:ok/.test(info) && !/master_link_status:down/.test(await replication(node));
          }),
        );
        const views = await Promise.all(nodesNow.map(ownersSeenBy));
        return checks.every(Boolean) && new Set(views).size === 1;
      }),
    stored: async () => {
      // A master that is just being replaced refuses its own keys.
      for (let tries = 1; ; tries += 1) {
        try {
          const all: Record<string, Hash> = Object.create(null);
          for (const node of await masters()) Object.assign(all, await storedOf(node.url));
          return all;
        } catch (error) {
          if (tries === 100 || !/^MOVED/.test(String((error as Error).message))) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    },
    calls: async (command) => {
      let calls = 0;
      for (const node of await masters()) {
        const stats = String(await node.cli('INFO', 'commandstats'));
        calls += Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
      }
      return calls;
    },
    flush: async () => {
      for (const node of await masters()) await node.cli('FLUSHALL');
      for (const node of await living()) await node.cli('CONFIG', 'RESETSTAT');
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** Which node has which slots, as this one believes. */
async function ownersSeenBy(node: TestRedis): Promise<string> {
  const ranges = (await node.cli('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
  return ranges
    .map(([from, to, [, , id]]) => `${from}-${to} ${id}`)
    .sort()
    .join();
}

/** A killed node has a client that would wait for ever. */
async function isAlive(node: TestRedis): Promise<boolean> {
  const client = new Redis(node.url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

async function filter<T>(items: readonly T[], is: (item: T) => Promise<boolean>): Promise<T[]> {
  const answers = await Promise.all(items.map(is));
  return items.filter((_, i) => answers[i]);
}

export async function until(what: string, isDone: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (await isDone()) return;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  throw new Error(`waited 24 s for ${what}`);
}
