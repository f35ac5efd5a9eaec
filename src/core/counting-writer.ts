/** The writer of --dry-run: takes every row, counts it as written, and talks to nobody. */
import type { RowOrigin, WriteListener, WriteMode, Writer } from './types.ts';

/** Rows between two words to the listener. */
const TELL_EVERY = 1000;

export function createCountingWriter(mode: WriteMode, listener: WriteListener): Writer {
  let untold = 0;
  let last: RowOrigin | null = null;
  const tell = (): void => {
    if (last !== null && untold > 0) listener.written(last, untold);
    untold = 0;
  };
  return {
    plan: { mode, path: 'none', why: '--dry-run writes nothing', server: null, warnings: [] },
    begin: () => {},
    value: () => {},
    cell: () => {},
    commit: (origin) => {
      if (origin !== last) tell();
      last = origin;
      untold += 1;
      return untold >= TELL_EVERY;
    },
    abort: () => {},
    room: async () => tell(),
    drain: async () => tell(),
    abandon: async () => tell(),
    stats: () => ({ bytesSent: 0, chunksSent: 0, retries: 0 }),
    lastTaken: () => [],
    close: async () => {},
  };
}
