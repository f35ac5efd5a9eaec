/**
 * Rows that a node of a Cluster sent elsewhere, while the rest of the window is still answered. A key of theirs
 * holds back later rows of the same key in the window, whatever became of those, so that they are sent again
 * behind it: the last row of a key wins. Bound: what one lane's window holds.
 */
import type { ByteString } from '../core/types.ts';
import { type Chunk, type ChunkPool, rowsOfUnit } from './chunk.ts';
import type { Framer, Outcomes } from './framer.ts';
import { createPacker, type Packer } from './packer.ts';
import type { Redirect } from './redirect.ts';
import { judge } from './server-errors.ts';
import { unitKeys } from './unit-keys.ts';

export interface AskedChunk {
  readonly node: string;
  readonly chunk: Chunk;
}

export interface SetAside {
  /** To be sent with ASKING, before all others. */
  readonly asked: readonly AskedChunk[];
  readonly moved: readonly Chunk[];
  /** What MOVED said: slot → node. */
  readonly movedTo: ReadonlyMap<number, string>;
}

export interface Aside {
  isEmpty(): boolean;
  /** The chunk's current unit has a key that is held back. */
  holds(chunk: Chunk): boolean;
  /** Takes the chunk's current unit out of it. `redirect` null: held back by an earlier row. */
  add(chunk: Chunk, redirect: Redirect | null): void;
  /** All of it, in the order in which it must be sent; it is empty then. */
  take(): SetAside;
}

/** Of a row that is held back nothing counts but an error that ends the run: it is sent again. */
export function unheard(trouble: Outcomes['trouble']): Outcomes {
  const nothing = (): void => {};
  const fatal = (text: string): void => {
    if (judge(text) === 'fatal') trouble(text);
  };
  return { written: nothing, skipped: nothing, failed: nothing, refused: nothing, trouble: fatal };
}

export function createAside(pool: ChunkPool, adopt: Framer['adopt']): Aside {
  /** Key → node to ask, or null where its slot has moved. */
  const held = new Map<ByteString, string | null>();
  let asked: { node: string; packer: Packer }[] = [];
  const moved = createPacker(pool, adopt);
  let movedTo = new Map<number, string>();

  function packerOf(node: string | null): Packer {
    if (node === null) return moved;
    const last = asked[asked.length - 1];
    if (last?.node === node) return last.packer;
    const packer = createPacker(pool, adopt);
    asked.push({ node, packer });
    return packer;
  }

  return {
    isEmpty: () => held.size === 0,
    holds: (chunk) => unitKeys(chunk, chunk.unit).some((key) => held.has(key)),
    add: (chunk, redirect) => {
      const keys = unitKeys(chunk, chunk.unit);
      if (redirect?.kind === 'moved') movedTo.set(redirect.slot, redirect.node);
      const earlier = keys.find((key) => held.has(key));
      const own = redirect?.kind === 'ask' ? redirect.node : null;
      const node = earlier === undefined ? own : (held.get(earlier) ?? null);
      for (const key of keys) held.set(key, node);
      packerOf(node).add(chunk, chunk.unit, chunk.doubt || redirect === null);
      chunk.told = (chunk.unitRow[chunk.unit] as number) + rowsOfUnit(chunk, chunk.unit);
    },
    take: () => {
      const all = {
        asked: asked.flatMap(({ node, packer }) => packer.take().map((chunk) => ({ node, chunk }))),
        moved: moved.take(),
        movedTo,
      };
      held.clear();
      asked = [];
      movedTo = new Map();
      return all;
    },
  };
}
