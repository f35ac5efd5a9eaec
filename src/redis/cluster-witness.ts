/**
 * Whether the node of a Cluster that has a slot now has what the one before it took. A replica that takes over has what
 * had reached it, and a slot that was moved brings its keys along.
 */
import type { Redis } from 'ioredis';
import type { ByteString, TakenRow } from '../core/types.ts';
import { cut } from './bulk-channel.ts';
import type { Opener } from './connect.ts';
import { slotOf } from './slot.ts';
import type { Topology } from './topology.ts';
import { assertThere, stillHas } from './witness.ts';

interface Cluster {
  readonly connection: Opener;
  readonly topology: Topology;
}

/** What was written last through `node`, if its slot is another node's by now. Throws REDIS_DATA_LOSS, NoAnswer. */
export async function assertFollowed(
  cluster: Cluster,
  node: string,
  taken: TakenRow,
  withinMs: number,
): Promise<void> {
  const owner = ownerOf(cluster, taken.key);
  if (owner === null || owner === node) return;
  const { shown } = cluster.connection;
  await at(cluster, owner, withinMs, (client) => assertThere(client, taken, withinMs, shown));
}

/** What an earlier run wrote last. Throws REDIS_DATA_LOSS, NoAnswer. */
export async function assertKept(cluster: Cluster, taken: TakenRow, withinMs: number): Promise<void> {
  const owner = ownerOf(cluster, taken.key);
  if (owner === null) throw new Error('no node of the Cluster has the slot of the row that was written last');
  const { shown } = cluster.connection;
  await at(cluster, owner, withinMs, (client) => stillHas(client, taken, withinMs, shown));
}

function ownerOf({ topology }: Cluster, key: ByteString): string | null {
  return topology.owner(slotOf(key));
}

async function at(
  { connection }: Cluster,
  node: string,
  withinMs: number,
  work: (client: Redis) => Promise<unknown>,
): Promise<void> {
  const client = await connection.openAt(node, withinMs);
  try {
    await work(client);
  } finally {
    cut(client);
  }
}
