/** A chunk: rows as the bytes that Redis gets, and where each came from, without an object a row. */
import type { RowOrigin } from '../core/types.ts';
import { arenaBytes } from './crc64.ts';

/**
 * Rows `told` and later are not settled yet. A unit is what is answered as a whole: a script call of several
 * rows, or the commands of one row. Unit u holds rows unitRow[u] up to unitRow[u + 1] and starts at byte
 * unitStart[u].
 */
export interface Chunk {
  buffer: Buffer;
  length: number;
  rows: number;
  units: number;
  readonly unitStart: Int32Array;
  readonly unitRow: Int32Array;
  /** Replies that each unit brings. */
  readonly unitReplies: Uint8Array;
  /** What the path's reply reader has to know of each unit. */
  readonly unitFlags: Uint8Array;
  /** Index of each row in its batch. */
  readonly rowAt: Int32Array;
  /** Rows from `from` on have this origin; ascending. */
  origins: { from: number; origin: RowOrigin }[];
  told: number;
  /** The unit whose replies come next. */
  unit: number;
  /** An earlier send of these rows has an unknown outcome: they may be in Redis already. */
  doubt: boolean;
  /** Unix time in milliseconds that the deadlines in it count from; 0: they are not set yet. */
  datedAt: number;
}

export interface ChunkPool {
  /** A chunk of at least `bytes`; reused when it is of the usual size. */
  take(bytes: number): Chunk;
  /** Only when every row is settled, so that the socket holds none of its bytes any more. */
  give(chunk: Chunk): void;
}

/** Holds at most `spare` buffers of `chunkBytes`; larger ones are left to the garbage collector. */
export function createChunkPool(chunkRows: number, chunkBytes: number, spare: number): ChunkPool {
  const free: Chunk[] = [];
  // Twice what is on the way: rows that are set aside and lanes that a Cluster adds later take some too.
  const foreseen = 2 * spare * chunkBytes;
  return {
    take(bytes) {
      if (bytes > chunkBytes) return newChunk(chunkRows, Buffer.allocUnsafeSlow(bytes));
      return free.pop() ?? newChunk(chunkRows, arenaBytes(chunkBytes, foreseen));
    },
    give(chunk) {
      if (chunk.buffer.length !== chunkBytes || free.length >= spare) return;
      chunk.origins = [];
      Object.assign(chunk, { length: 0, rows: 0, units: 0, told: 0, unit: 0, doubt: false, datedAt: 0 });
      free.push(chunk);
    },
  };
}

function newChunk(chunkRows: number, buffer: Buffer): Chunk {
  return {
    buffer,
    length: 0,
    rows: 0,
    units: 0,
    unitStart: new Int32Array(chunkRows + 1),
    unitRow: new Int32Array(chunkRows + 1),
    unitReplies: new Uint8Array(chunkRows + 1),
    unitFlags: new Uint8Array(chunkRows + 1),
    rowAt: new Int32Array(chunkRows),
    origins: [],
    told: 0,
    unit: 0,
    doubt: false,
    datedAt: 0,
  };
}

export function addRow(chunk: Chunk, origin: RowOrigin, row: number): void {
  const last = chunk.origins[chunk.origins.length - 1];
  if (last === undefined || last.origin !== origin) chunk.origins.push({ from: chunk.rows, origin });
  chunk.rowAt[chunk.rows++] = row;
}

/** Ends the unit that began at byte `start` with row `firstRow`; its bytes reach up to `chunk.length`. */
export function addUnit(chunk: Chunk, start: number, firstRow: number, replies: number, flags: number): void {
  chunk.unitStart[chunk.units] = start;
  chunk.unitRow[chunk.units] = firstRow;
  chunk.unitReplies[chunk.units] = replies;
  chunk.unitFlags[chunk.units] = flags;
  chunk.units++;
}

/**
 * Appends a unit of another chunk, bytes and rows as they are, to one that has room for it. Rows of it that are
 * settled stay so, which only the first unit of a chunk can have.
 */
export function copyUnit(to: Chunk, from: Chunk, unit: number): void {
  const start = to.length;
  const firstRow = to.rows;
  to.length += from.buffer.copy(to.buffer, start, from.unitStart[unit], endOfUnit(from, unit));
  const row = from.unitRow[unit]!;
  const rows = rowsOfUnit(from, unit);
  for (let i = row; i < row + rows; i++) addRow(to, originOf(from, i), from.rowAt[i]!);
  addUnit(to, start, firstRow, from.unitReplies[unit]!, from.unitFlags[unit]!);
  if (firstRow === 0) to.told = Math.max(0, from.told - row);
}

/** The unit that holds the row. */
export function unitOfRow(chunk: Chunk, row: number): number {
  let unit = Math.min(row, chunk.units - 1);
  while (chunk.unitRow[unit]! > row) unit--;
  return unit;
}

export function rowsOfUnit(chunk: Chunk, unit: number): number {
  const next = unit + 1 < chunk.units ? chunk.unitRow[unit + 1]! : chunk.rows;
  return next - chunk.unitRow[unit]!;
}

export function endOfUnit(chunk: Chunk, unit: number): number {
  return unit + 1 < chunk.units ? chunk.unitStart[unit + 1]! : chunk.length;
}

export function unitBytes(chunk: Chunk, unit: number): number {
  return endOfUnit(chunk, unit) - chunk.unitStart[unit]!;
}

export function repliesFrom(chunk: Chunk, unit: number): number {
  let replies = 0;
  for (let u = unit; u < chunk.units; u++) replies += chunk.unitReplies[u]!;
  return replies;
}

export function originOf(chunk: Chunk, row: number): RowOrigin {
  let at = chunk.origins.length - 1;
  while (at > 0 && chunk.origins[at]!.from > row) at--;
  return chunk.origins[at]!.origin;
}

/** Tells which batches the next `rows` rows that are not settled came from, and how many of each. */
export function forOrigins(
  chunk: Chunk,
  rows: number,
  tell: (origin: RowOrigin, rows: number) => void,
): void {
  const { origins, told } = chunk;
  let to = told + rows;
  for (let at = origins.length - 1; to > told; at--) {
    const { from, origin } = origins[at]!;
    if (from >= to) continue;
    const first = Math.max(from, told);
    tell(origin, to - first);
    to = first;
  }
}
