import type { FeaturectlError } from '../core/errors.ts';
import type { ByteString, ColumnBatch } from '../core/types.ts';

/** Text of one batch; with long cells a batch has fewer rows than asked for. */
export const BATCH_BYTES = 1024 * 1024;

export interface CsvHeader {
  readonly cells: readonly ByteString[];
  /** Physical line that it starts on. */
  readonly line: number;
}

/** What is read below a header. */
export interface CsvLayout {
  /** All columns of the header, as text. */
  readonly names: readonly string[];
  /** Indexes of the columns that a batch gives, in its order. */
  readonly selected: readonly number[];
  /** Rows of a batch at most. */
  readonly batchRows: number;
}

/**
 * The next batch; an error that ends the reading, after all rows before it; or null: more bytes are
 * needed, or there are none. `flush`: give the rows that are there although the batch could grow.
 */
export type PullBatch = (flush: boolean) => ColumnBatch | FeaturectlError | null;

/**
 * A synchronous reader of one CSV text: bytes in by `push`, however they are cut, then the header and the
 * batches out. It holds what was pushed and not given out, so pull until null before the next push.
 */
export interface CsvReader {
  /** UTF-8 without a byte order mark; null: the text ends here. Null may come again. */
  push(bytes: Buffer | null): void;
  /** Null: more bytes are needed, or the text ended without a record. To be called until it gives one. */
  header(): CsvHeader | FeaturectlError | null;
  /** Starts the rows. To be called once, after the header. */
  rows(layout: CsvLayout): PullBatch;
}
