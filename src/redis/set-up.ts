/** What comes before the first row: who the server is, what it can do, and a connection for each lane. */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteString, TakenRow, WriteMode } from '../core/types.ts';
import { messageOf, together } from './ask.ts';
import { cut } from './bulk-channel.ts';
import { assertKept } from './cluster-witness.ts';
import type { Connection } from './connect.ts';
import { introduce } from './fence.ts';
import { type Patience, persist } from './persist.ts';
import { isClusterNode, type Probe, probeServer, reloadScript, type WritePathChoice } from './probe.ts';
import { createServerClock, type ServerClock } from './server-clock.ts';
import { slotOf } from './slot.ts';
import { readTopology, singleServer, type Topology } from './topology.ts';
import { runIdOf, stillHas } from './witness.ts';

export interface WriterOptions {
  readonly fields: readonly ByteString[];
  readonly mode: WriteMode;
  readonly path: WritePathChoice;
  /** Index of the event time in `fields`, for mode newer. */
  readonly eventTimeField: number | null;
  readonly chunkRows: number;
  readonly chunkBytes: number;
  /** Chunks on the way at once, each connection. */
  readonly inFlight: number;
  readonly connections: number;
  /** Rows a second; null: as fast as it goes. */
  readonly rate: number | null;
  readonly retryForMs: number;
  /** A key of the kind that will be written, to ask for permissions with; it is never written. */
  readonly probeKey: ByteString;
  /** What the run that this one goes on after wrote last, of each node; empty where there was none. */
  readonly earlier: readonly TakenRow[];
  /** Some TTL may be no whole number of seconds, so a user of --write pipeline must be permitted PEXPIRE. */
  readonly millis: boolean;
}

export interface SetUp extends Found {
  /** `connections` to the server; on a Cluster so many to each master. Node null: a single server. */
  readonly lanes: readonly FirstLane[];
}

interface FirstLane {
  readonly node: string | null;
  readonly client: Redis;
  /** Of its server; null: it does not tell. */
  readonly runId: string | null;
}

/** Throws REDIS_AUTH, REDIS_SERVER, REDIS_DATA_LOSS, REDIS_LOST after `retryForMs`, the signal's reason. */
export async function setUp(
  connection: Connection,
  options: WriterOptions,
  retrying: (message: string) => void,
): Promise<SetUp> {
  const patience: Patience = {
    retryForMs: options.retryForMs,
    signal: connection.signal,
    retrying: (message) => retrying(`${message}; trying again`),
    gaveUp: (error) => notReady(connection.shown, options.retryForMs, error),
  };
  const { client, ...found } = await persist(patience, firstLane(connection, options));
  const lanes: FirstLane[] = [{ node: found.node, client, runId: found.probe.runId }];
  for (const node of found.topology === null ? [null] : found.topology.masters()) {
    const open = (withinMs: number) => openLane(connection, node, found.probe, withinMs);
    for (let i = node === found.node ? 1 : 0; i < options.connections; i += 1) {
      lanes.push(await persist(patience, open));
    }
  }
  return { ...found, lanes };
}

function notReady(shown: string, retryForMs: number, error: unknown): FeaturectlError {
  const within = `within ${retryForMs / 1000}s (--retry-for)`;
  const text = `Redis at ${shown} did not get ready ${within}: ${messageOf(error)}`;
  return new FeaturectlError('REDIS_LOST', text, { cause: error });
}

interface Found {
  readonly probe: Probe;
  /** Null: a single server. */
  readonly topology: Topology | null;
  /** The node that was probed: on a Cluster a master, where the probe's key belongs. */
  readonly node: string | null;
  /** Null on a Cluster, whose nodes have a clock each. */
  readonly clock: ServerClock | null;
}

/** Each try but the first is on a new connection: nothing is half done on it. */
function firstLane(connection: Connection, options: WriterOptions) {
  let ready: Redis | null = connection.client;
  return async (askMs: number): Promise<Found & { client: Redis }> => {
    let client = ready ?? (await connection.open(askMs));
    ready = null;
    try {
      const topology = await findTopology(connection, client, askMs);
      const node = topology?.owner(slotOf(options.probeKey)) ?? topology?.masters()[0] ?? null;
      if (node !== null) {
        cut(client);
        client = await connection.openAt(node, askMs);
      }
      const asked = { ...options, fields: options.fields.length, askMs, cluster: topology !== null };
      const clock = topology === null ? createServerClock() : null;
      const [probe] = await together(
        probeServer(client, asked),
        introduce(client, askMs),
        clock?.read(client, askMs) ?? Promise.resolve(),
      );
      for (const taken of options.earlier) {
        if (topology === null) await stillHas(client, taken, askMs, connection.shown);
        else await assertKept({ connection, topology }, taken, askMs);
      }
      return { client, probe, topology, node, clock };
    } catch (error) {
      cut(client);
      throw error;
    }
  };
}

/** Null for a single server. Throws REDIS_SERVER where a Cluster was asked for and there is none. */
async function findTopology(connection: Connection, client: Redis, askMs: number): Promise<Topology | null> {
  if (await isClusterNode(client, askMs)) return readTopology(connection, client, askMs);
  if (!connection.cluster) return null;
  throw singleServer(connection.shown);
}

async function openLane(
  connection: Connection,
  node: string | null,
  { script, runId }: Probe,
  withinMs: number,
): Promise<FirstLane> {
  const client = await (node === null ? connection.open(withinMs) : connection.openAt(node, withinMs));
  if (node === null) {
    await introduce(client, withinMs);
    return { node, client, runId };
  }
  const [, , own] = await together(
    introduce(client, withinMs),
    reloadScript(client, script, withinMs),
    runIdOf(client, withinMs),
  );
  return { node, client, runId: own };
}
