/** Every fate of a row, of whatever stage, goes through here: into the ledger, and failures on to the sink. */
import type { Ledger, RowFailure, Stage } from './ledger.ts';
import type { LowWater } from './low-water.ts';
import type { RowFault, RowOrigin, WriteListener } from './types.ts';

/** Where failures go besides the ledger; `flush` gives back-pressure and throws OUTPUT (disk full). */
export interface FailureSink {
  write(origin: RowOrigin, row: number, failure: RowFailure): void;
  flush(): Promise<void>;
}

export interface Accounts extends WriteListener {
  /** Rows of this batch come next. All rows of the batch before it have been taken. */
  begin(origin: RowOrigin): void;
  take(origin: RowOrigin, rows: number): void;
  failure(origin: RowOrigin, row: number, stage: Stage, fault: RowFault): void;
  /** So much is unsettled that the writer must drain before more is read. */
  mustSettle(): boolean;
  flush(): Promise<void>;
  /** The end of the run: nothing is told after it. Throws as `flush` does. */
  close(): Promise<void>;
}

/** `lowWater` null: nothing is kept of batches. */
export function createAccounts(
  ledger: Ledger,
  sink: FailureSink,
  retrying: (message: string) => void,
  lowWater: LowWater | null = null,
): Accounts {
  const skipped = (origin: RowOrigin, code: Parameters<Ledger['skipped']>[0], rows: number): void => {
    // As after a send of unknown outcome: the row answers "unchanged" because an earlier run wrote it.
    if (code === 'unchanged' && lowWater?.isInDoubt(origin)) return written(origin, rows);
    ledger.skipped(code, rows);
    lowWater?.tally(origin).skipped(code, rows);
  };
  const written = (origin: RowOrigin, rows: number): void => {
    ledger.written(rows);
    lowWater?.tally(origin).written(rows);
  };
  const failure: Accounts['failure'] = (origin, row, stage, fault) => {
    const failed: RowFailure = { ...place(origin, row), stage, ...fault };
    ledger.failure(failed);
    if (lowWater) lowWater.failure(origin, row, failed);
    else sink.write(origin, row, failed);
  };
  return {
    begin: (origin) => lowWater?.begin(origin),
    take: (origin, rows) => {
      ledger.take(rows);
      lowWater?.tally(origin).take(rows);
    },
    written,
    skipped,
    failure,
    failed: (origin, row, fault) => failure(origin, row, 'write', fault),
    retrying,
    mustSettle: () => lowWater?.isWide() ?? false,
    flush: () => {
      lowWater?.advance(sink.write);
      return sink.flush();
    },
    close: async () => {
      lowWater?.end(sink.write);
      await sink.flush();
      lowWater?.release(sink.write);
      await sink.flush();
    },
  };
}

function place({ source, batch }: RowOrigin, row: number): Pick<RowFailure, 'source' | 'row' | 'line'> {
  return { source: source.info.name, row: batch.firstRow + row, line: batch.line(row) };
}
