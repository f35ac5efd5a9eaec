/** Which node of a Redis Cluster has which slots, by CLUSTER SLOTS of any node that answers. */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import { ask, messageOf } from './ask.ts';
import { cut } from './bulk-channel.ts';
import type { Opener } from './connect.ts';
import { nodeName } from './redirect.ts';
import { isDenied } from './server-errors.ts';

export const SLOTS = 16384;

/** One node is asked for so long; where it does not answer, another may. */
const NODE_MS = 1000;

export interface Topology {
  /** host:port of the master that has the slot; null where none was told. */
  owner(slot: number): string | null;
  masters(): readonly string[];
  /** host:port of the replicas of that master, as far as they are told; those that failed are not. */
  replicas(slot: number): readonly string[];
  /** What MOVED said: newer than what is known. */
  learn(slot: number, node: string): void;
  /**
   * Asks `first` and then the other nodes until one answers; nothing changes where none does. Throws
   * REDIS_AUTH where none answers and it is not permitted. Calls at the same time share one round.
   */
  refresh(withinMs: number, first?: string): Promise<void>;
}

/** By the node that `client` leads to. Throws as the server does (no Cluster), REDIS_AUTH, NoAnswer. */
export async function readTopology(connection: Opener, client: Redis, withinMs: number): Promise<Topology> {
  const owners: (string | undefined)[] = new Array(SLOTS);
  const followers: (readonly string[] | undefined)[] = new Array(SLOTS);
  /** Every node told of, replicas too: one of them may be the master soon. */
  let nodes: string[] = [];
  const clients = new Map<string, Redis>();
  let round: Promise<void> | null = null;
  let start = 0;

  function take(reply: unknown, asked: string): void {
    const ranges = rangesOf(reply, asked);
    if (ranges.length === 0) throw new Error('the Cluster has no slots yet (CLUSTER SLOTS is empty)');
    owners.fill(undefined);
    followers.fill(undefined);
    for (const { from, to, nodes: of } of ranges) {
      owners.fill(of[0], from, to + 1);
      followers.fill(of.slice(1), from, to + 1);
    }
    nodes = [...new Set(ranges.flatMap((range) => range.nodes))];
  }

  async function askNode(node: string): Promise<void> {
    let at = clients.get(node);
    try {
      if (at?.status !== 'ready') at = await connection.openAt(node, NODE_MS);
      clients.set(node, at);
      take(await clusterSlots(at, NODE_MS), node);
    } catch (error) {
      if (at) cut(at);
      clients.delete(node);
      throw error;
    }
  }

  async function askAll(withinMs: number, first?: string): Promise<void> {
    const until = Date.now() + withinMs;
    start += 1;
    const others = nodes.map((_, i) => nodes[(i + start) % nodes.length] as string);
    let refusal: FeaturectlError | null = null;
    for (const node of new Set([...(first ? [first] : []), ...others, ...connection.nodes])) {
      try {
        return await askNode(node);
      } catch (error) {
        // One node may lack the user that the others have.
        if (error instanceof FeaturectlError) refusal = error;
        if (Date.now() > until) break;
      }
    }
    if (refusal !== null) throw refusal;
  }

  take(await clusterSlots(client, withinMs), addressOf(client));
  return {
    owner: (slot) => owners[slot] ?? null,
    masters: () => [...new Set(owners.filter((owner) => owner !== undefined))],
    replicas: (slot) => followers[slot] ?? [],
    learn: (slot, node) => {
      if (owners[slot] !== node) followers[slot] = undefined;
      owners[slot] = node;
      if (!nodes.includes(node)) nodes.push(node);
    },
    refresh: (within, first) => {
      round ??= askAll(within, first).finally(() => {
        round = null;
      });
      return round;
    },
  };
}

function addressOf({ options }: Redis): string {
  return `${options.host ?? '127.0.0.1'}:${options.port}`;
}

/** A Cluster was asked for, and this server is of none. */
export function singleServer(node: string): FeaturectlError {
  return new FeaturectlError(
    'REDIS_SERVER',
    `--cluster: expected a node of a Redis Cluster at ${node}, found a single server; leave out --cluster`,
  );
}

async function clusterSlots(client: Redis, withinMs: number): Promise<unknown> {
  try {
    return await ask(client, withinMs, 'CLUSTER', 'SLOTS');
  } catch (error) {
    if (/cluster support disabled/i.test(messageOf(error))) throw singleServer(addressOf(client));
    if (!isDenied(messageOf(error))) throw error;
    throw new FeaturectlError(
      'REDIS_AUTH',
      `expected a user that may run CLUSTER SLOTS, found: ${messageOf(error)}. Grant it: ACL SETUSER NAME +cluster|slots`,
      { cause: error },
    );
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
  /** The master first. */
  readonly nodes: readonly string[];
}

/** Each range: from, to, then a list for each node that begins with its host and port. */
function rangesOf(reply: unknown, asked: string): Range[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((range: unknown) => {
    const [from, to, ...nodes] = Array.isArray(range) ? range : [];
    const names = nodes.flatMap((node: unknown) =>
      Array.isArray(node) ? [nodeName(node[0], node[1], asked)] : [],
    );
    return names.length === 0 ? [] : [{ from: Number(from), to: Number(to), nodes: names }];
  });
}
