/** Copies units out of chunks into new ones, in order. */
import type { Chunk, ChunkPool } from './chunk.ts';
import { rowsOfUnit } from './chunk.ts';
import type { Framer } from './framer.ts';

export interface Packer {
  /** `doubt`: the rows may be in Redis already. */
  add(from: Chunk, unit: number, doubt: boolean): void;
  /** The chunks made since the last call. */
  take(): Chunk[];
}

/** What takes units into another chunk. */
export type Adopter = Pick<Framer, 'adopt' | 'adoptedBytes'>;

export function createPacker(pool: ChunkPool, adopter: () => Adopter): Packer {
  let packed: Chunk[] = [];
  return {
    add: (from, unit, doubt) => {
      const { adopt, adoptedBytes } = adopter();
      const bytes = adoptedBytes(from, unit);
      let to = packed[packed.length - 1];
      if (to === undefined || to.doubt !== doubt || !hasRoom(to, from, unit, bytes)) {
        to = pool.take(bytes);
        to.doubt = doubt;
        packed.push(to);
      }
      adopt(to, from, unit);
    },
    take: () => {
      const taken = packed;
      packed = [];
      return taken;
    },
  };
}

function hasRoom(to: Chunk, from: Chunk, unit: number, bytes: number): boolean {
  const isPartlySettled = from.told > (from.unitRow[unit] as number);
  const fits = to.length + bytes <= to.buffer.length && to.rows + rowsOfUnit(from, unit) <= to.rowAt.length;
  return fits && !isPartlySettled;
}
