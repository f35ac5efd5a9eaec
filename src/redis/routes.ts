/**
 * Which lane a row takes: by the slot of its key, so that a key always takes the same lane. On a Cluster a slot
 * belongs to the lanes of its master. All rows of a slot that are not settled are in the lane that it belongs
 * to, and a slot changes its lane only together with them: so rows of a key stay in file order.
 */
import type { Redis } from 'ioredis';
import type { Chunk, ChunkPool } from './chunk.ts';
import type { Framer } from './framer.ts';
import type { Lane } from './lane-options.ts';
import { createPacker, type Packer } from './packer.ts';
import { keySlot } from './slot.ts';
import { SLOTS, type Topology } from './topology.ts';
import { unitSlot } from './unit-keys.ts';

export interface RoutesOptions {
  /** Null: a single server. */
  readonly topology: Topology | null;
  /** Lanes to each node. */
  readonly connections: number;
  readonly pool: ChunkPool;
  /** The framer of the lane at this index. */
  readonly createFramer: (index: number) => Framer;
  readonly createLane: (node: string | null, index: number, client: Redis | null) => Lane;
}

export interface Routes {
  /** They grow when a node gets its first slot. */
  readonly lanes: readonly Lane[];
  readonly framers: readonly Framer[];
  /** One lane more, to this node; null is the single server. Without a client it connects by itself. */
  add(node: string | null, client: Redis | null): void;
  /** Gives every slot its lane; once, after the first lanes were added. */
  begin(): void;
  framerOf(key: Uint8Array, keyLength: number): Framer;
  /** As LaneCluster.reroute, of the lane at this index. */
  reroute(index: number, movedTo: ReadonlyMap<number, string>): void;
}

export function createRoutes(options: RoutesOptions): Routes {
  const { topology, connections, pool } = options;
  const lanes: Lane[] = [];
  const framers: Framer[] = [];
  const nodes: (string | null)[] = [];
  const byNode = new Map<string | null, number[]>();
  /** Index of the lane of each slot. */
  const laneOf = new Int32Array(SLOTS);

  function add(node: string | null, client: Redis | null): void {
    const index = lanes.length;
    nodes.push(node);
    byNode.set(node, [...(byNode.get(node) ?? []), index]);
    lanes.push(options.createLane(node, index, client));
    framers.push(options.createFramer(index));
  }

  function laneTo(node: string | null, slot: number): number {
    if (!byNode.has(node)) for (let i = 0; i < connections; i++) add(node, null);
    return (byNode.get(node) as readonly number[])[slot % connections] as number;
  }

  /** Slots of a lane that another node has now, with it. */
  function lostSlots(index: number): Map<number, string> {
    const lost = new Map<number, string>();
    for (let slot = 0; slot < SLOTS; slot++) {
      if (laneOf[slot] !== index) continue;
      const owner = topology?.owner(slot) ?? null;
      if (owner !== null && owner !== nodes[index]) lost.set(slot, owner);
    }
    return lost;
  }

  function reroute(index: number, movedTo: ReadonlyMap<number, string>): void {
    for (const [slot, node] of movedTo) {
      const owner = topology?.owner(slot) ?? null;
      // A node that does not know yet was asked.
      if (owner === null || owner === nodes[index]) topology?.learn(slot, node);
    }
    const lost = lostSlots(index);
    if (lost.size === 0) return;
    (framers[index] as Framer).flush();
    const chunks = (lanes[index] as Lane).release();
    for (const [slot, node] of lost) laneOf[slot] = laneTo(node, slot);
    deal(chunks, framers[index] as Framer);
  }

  /** Every unit to the lane of its slot, in order. */
  function deal(chunks: readonly Chunk[], framer: Framer): void {
    const packers = new Map<number, Packer>();
    for (const chunk of chunks) {
      for (let unit = chunk.unit; unit < chunk.units; unit++) {
        const index = laneOf[unitSlot(chunk, unit)] as number;
        const packer = packers.get(index) ?? createPacker(pool, () => framer);
        packers.set(index, packer);
        packer.add(chunk, unit, chunk.doubt);
      }
      pool.give(chunk);
    }
    for (const [index, packer] of packers) {
      for (const chunk of packer.take()) (lanes[index] as Lane).enqueue(chunk);
    }
  }

  return {
    lanes,
    framers,
    add,
    begin: () => {
      for (let slot = 0; slot < SLOTS; slot++)
        laneOf[slot] = laneTo(topology?.owner(slot) ?? nodes[0] ?? null, slot);
    },
    framerOf: (key, keyLength) => framers[laneOf[keySlot(key, keyLength)]!]!,
    reroute,
  };
}
