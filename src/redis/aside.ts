/**
 * Rows that a node of a Cluster sent elsewhere, and rows of keys that were taken for new and exist, while the rest
 * of the window is still answered. A key of theirs holds back later rows of the same key in the window, whatever became of those, so that they are sent again
 * behind it: the last row of a key wins. Bound: what one lane's window holds.
 */
import type { ByteString } from '../core/types.ts';
import { type Chunk, type ChunkPool, rowsOfUnit } from './chunk.ts';
import type { Outcomes } from './framer.ts';
import { type Adopter, createPacker, type Packer } from './packer.ts';
import type { Redirect } from './redirect.ts';
import { judge } from './server-errors.ts';
import { KEY_MARKS, keyMark, unitKeys } from './unit-keys.ts';

export interface AskedChunk {
  readonly node: string;
  readonly chunk: Chunk;
}

export interface SetAside {
  /** To be sent with ASKING, before all others. */
  readonly asked: readonly AskedChunk[];
  /** Of slots that have moved, of keys that exist, and what is held back by them. */
  readonly others: readonly Chunk[];
  /** What MOVED said: slot → node. */
  readonly movedTo: ReadonlyMap<number, string>;
}

export interface Aside {
  isEmpty(): boolean;
  /** The chunk's current unit has a key that is held back. */
  holds(chunk: Chunk): boolean;
  /** Takes the chunk's current unit out of it. `held`: by an earlier row. */
  add(chunk: Chunk, why: Redirect | 'exists' | 'held'): void;
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

export function createAside(pool: ChunkPool, adopter: () => Adopter): Aside {
  /** Key → node to ask, or null. */
  const held = new Map<ByteString, string | null>();
  /** By the marks of the keys in `held`: nearly all other rows of the window are told by it. */
  const marked = new Uint8Array(KEY_MARKS);
  let asked: { node: string; packer: Packer }[] = [];
  const others = createPacker(pool, adopter);
  let movedTo = new Map<number, string>();

  function packerOf(node: string | null): Packer {
    if (node === null) return others;
    const last = asked[asked.length - 1];
    if (last?.node === node) return last.packer;
    const packer = createPacker(pool, adopter);
    asked.push({ node, packer });
    return packer;
  }

  return {
    isEmpty: () => held.size === 0,
    holds: (chunk) => {
      const mark = keyMark(chunk, chunk.unit);
      if (mark >= 0 && marked[mark] === 0) return false;
      return unitKeys(chunk, chunk.unit).some((key) => held.has(key));
    },
    add: (chunk, why) => {
      const keys = unitKeys(chunk, chunk.unit);
      const redirect = typeof why === 'string' ? null : why;
      if (redirect?.kind === 'moved') movedTo.set(redirect.slot, redirect.node);
      const earlier = keys.find((key) => held.has(key));
      const own = redirect?.kind === 'ask' ? redirect.node : null;
      const node = earlier === undefined ? own : (held.get(earlier) ?? null);
      const mark = keyMark(chunk, chunk.unit);
      if (mark >= 0) marked[mark] = 1;
      else marked.fill(1);
      for (const key of keys) held.set(key, node);
      packerOf(node).add(chunk, chunk.unit, chunk.doubt || why === 'held');
      chunk.told = (chunk.unitRow[chunk.unit] as number) + rowsOfUnit(chunk, chunk.unit);
    },
    take: () => {
      const all = {
        asked: asked.flatMap(({ node, packer }) => packer.take().map((chunk) => ({ node, chunk }))),
        others: others.take(),
        movedTo,
      };
      held.clear();
      marked.fill(0);
      asked = [];
      movedTo = new Map();
      return all;
    },
  };
}
