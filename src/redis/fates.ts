/** What replies say of the rows of a chunk → the listener, each row once and in order. */
import type { WriteListener } from '../core/types.ts';
import { type Chunk, forOrigins, originOf, rowsOfUnit } from './chunk.ts';
import type { Outcomes } from './framer.ts';
import { rowFault } from './script-replies.ts';

export interface FateHooks {
  /** Rows were settled: there is progress. */
  settled(): void;
  /** The row of the chunk is written, as are some before it. */
  written(chunk: Chunk, row: number): void;
  /** The next row of the chunk was not taken. */
  trouble(text: string, chunk: Chunk): void;
  /** One of several rows of a unit was refused, nobody knows which. */
  split(text: string): void;
}

/** One object for all chunks: what it gives is of the chunk that was asked for last. */
export function createFates(listener: WriteListener, hooks: FateHooks): (chunk: Chunk) => Outcomes {
  let current: Chunk;

  function settle(rows: number): void {
    current.told += rows;
    hooks.settled();
  }

  const outcomes: Outcomes = {
    written: (rows) => {
      forOrigins(current, rows, listener.written);
      settle(rows);
      hooks.written(current, current.told - 1);
    },
    skipped: (code) => {
      const origin = originOf(current, current.told);
      settle(1);
      // A row that an earlier send may have written answers "unchanged": by itself. One that a later row of the
      // same key has passed meanwhile answers "stale", and is counted so: nobody can tell which it was.
      if (code === 'unchanged' && current.doubt) listener.written(origin, 1);
      else listener.skipped(origin, code, 1);
    },
    failed: (fault) => {
      const row = current.told;
      settle(1);
      listener.failed(originOf(current, row), current.rowAt[row] as number, fault);
    },
    trouble: (text) => hooks.trouble(text, current),
    refused: (text) => {
      if (rowsOfUnit(current, current.unit) > 1) return hooks.split(text);
      outcomes.failed(rowFault(text));
    },
  };

  return (chunk) => {
    current = chunk;
    return outcomes;
  };
}
