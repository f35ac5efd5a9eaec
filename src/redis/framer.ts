/** What the framers (script, pipeline, restore, new keys) and their readers of replies have in common. */
import type { SkipCode } from '../core/errors.ts';
import type { RowFault, RowOrigin, RowSink, WriteMode } from '../core/types.ts';
import type { Chunk, ChunkPool } from './chunk.ts';

export interface FramerOptions {
  readonly mode: WriteMode;
  readonly fields: readonly string[];
  readonly chunkRows: number;
  readonly chunkBytes: number;
  readonly pool: ChunkPool;
  /** Takes each chunk that is closed. */
  readonly emit: (chunk: Chunk) => void;
}

/** Writes the rows of one lane into chunks. */
export interface Framer extends Omit<RowSink, 'commit'> {
  commit(origin: RowOrigin, row: number): void;
  /** Closes the chunk that is being filled, if it holds rows. */
  flush(): void;
  /** Rows committed that no chunk has yet been emitted for. */
  pending(): number;
  /** Bytes to send from row `chunk.told` on, in place of all of the chunk. */
  resendFrom(chunk: Chunk): Buffer;
  /** Whether `next` may be sent while `before`, which is of the same lane, is on its way. */
  mayFollow(next: Chunk, before: Chunk): boolean;
  /** Makes every unit of a chunk hold one row, and every later chunk too. False: they do already. */
  split(chunk: Chunk): boolean;
  /** Appends a unit of another chunk of this path to `to`, which has room for it. */
  adopt(to: Chunk, from: Chunk, unit: number): void;
  /** Bytes that `adopt` writes at most. */
  adoptedBytes(from: Chunk, unit: number): number;
}

export type Reply = number | string | Buffer | Error | null | readonly unknown[];

/** Told of the rows of a unit in order, each row once, until `trouble` or `refused` ends the unit. */
export interface Outcomes {
  written(rows: number): void;
  skipped(code: SkipCode): void;
  failed(fault: RowFault): void;
  /** The next row was not taken, for a reason that may pass (or that ends the run). */
  trouble(text: string): void;
  /** The unit as a whole was refused with this error, which is not one that passes. */
  refused(text: string): void;
}

export interface ReplyReader {
  /** Takes one reply of the chunk's current unit; true when the unit's replies are complete. */
  take(reply: Reply, chunk: Chunk, outcomes: Outcomes): boolean;
  /** Takes OK as the only reply of each of the next `units` units at once; false or absent: it is not for this path. */
  takeOks?(units: number, chunk: Chunk, outcomes: Outcomes): boolean;
  /** Forgets the replies of a unit that will be sent again. */
  reset(): void;
}
