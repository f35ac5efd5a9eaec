/**
 * The shapes that travel down the line: source → ColumnBatch → RowEncoder → Writer → Ledger.
 * No I/O and no packages here; every folder may import this file.
 */
import type { RowCode, SkipCode } from './errors.ts';
import type { ValueSlots } from './slots.ts';

/**
 * Bytes held in a JavaScript string: every char code is 0–255 and one char is one byte, so `length` is
 * the byte length and `buffer.latin1Write` writes it back exactly. UTF-8 text is held as its bytes.
 */
export type ByteString = string;

export type TimeUnit = 's' | 'ms' | 'us' | 'ns';

/** The type of a typed (Parquet, Arrow) column, free of any library's own classes. */
export type LogicalType =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'utf8' }
  | { readonly kind: 'binary'; readonly size: number | null }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'date' }
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly zoned: boolean }
  | { readonly kind: 'duration'; readonly unit: TimeUnit }
  | { readonly kind: 'list'; readonly item: LogicalType; readonly size: number | null }
  | {
      readonly kind: 'struct';
      readonly fields: readonly { readonly name: string; readonly type: LogicalType }[];
    }
  | { readonly kind: 'map'; readonly key: LogicalType; readonly value: LogicalType };

/**
 * One value of a typed column, by kind: bool → boolean · int of 8–32 bits, float, date (days since
 * 1970-01-01) → number · int of 64 bits, decimal (unscaled), time, timestamp, duration (in their unit) →
 * bigint · utf8, binary → ByteString · uuid → its text · list → array · struct → array in field order ·
 * map → array of [key, value] · null → null.
 */
export type Value = null | boolean | number | bigint | ByteString | readonly Value[];

export type ColumnType = 'text' | LogicalType;

export interface ColumnInfo {
  readonly name: string;
  readonly type: ColumnType;
}

/** A column of CSV-like text. */
export interface TextColumn {
  readonly kind: 'text';
  /** The cell in UTF-8 bytes that have been checked. A row listed in `faults` may give anything. */
  cell(row: number): ByteString;
  /** 1 where the cell stood in quotes; null when no cell of the batch did. Null tokens count unquoted only. */
  readonly quoted: Uint8Array | null;
  /** Where the cells stand in memory, so that they can be copied without a string; null: ask `cell`. */
  readonly spans: CellSpans | null;
}

/**
 * The cell of a row is the bytes from ends[at] + 1 up to, not with, ends[at + 1], where at = row × stride +
 * offset; with its quotes, where it stood in some.
 */
export interface CellSpans {
  readonly bytes: Uint8Array;
  readonly ends: Int32Array;
  readonly stride: number;
  readonly offset: number;
  /** 1 where quotes within the cell stand doubled, so that its bytes are not the cell; null: nowhere. */
  readonly escaped: Uint8Array | null;
}

/** A column of typed values. */
export interface TypedColumn {
  readonly kind: 'typed';
  readonly type: LogicalType;
  at(row: number): Value;
  /** Where the values stand in memory, so that they can be stored without a Value of each; null: ask `at`. */
  readonly slots: ValueSlots | null;
}

export type Column = TextColumn | TypedColumn;

/** What is wrong with one row: `reason` says what was expected and what was found, in plain UTF-16 text. */
export interface RowFault {
  readonly code: RowCode;
  /** The source column, or null where the whole row is at fault. */
  readonly column: string | null;
  readonly reason: string;
}

/** One cell of an original record as the rejects file repeats it; `text` null = a null value. */
export interface RawCell {
  readonly text: ByteString | null;
  readonly quoted: boolean;
}

/** Up to some thousand rows of one source, of the columns that were asked for, in the order asked. */
export interface ColumnBatch {
  readonly rowCount: number;
  /** Number in its file of the batch's first row, from 1. Rows with a fault are numbered too. */
  readonly firstRow: number;
  readonly columns: readonly Column[];
  /** Rows that the reader could not take, by index in the batch; they are never encoded. Null: none. */
  readonly faults: ReadonlyMap<number, RowFault> | null;
  /** Physical line (from 1) that the row's record starts on; for typed sources the row number. */
  line(row: number): number;
  /** The whole original record: all columns of a text source, those asked for of a typed one. */
  record(row: number): readonly RawCell[];
  /** The place before this row of the batch; of `rowCount`: the place after the batch. */
  position(row: number): SourcePosition;
  /** The records as they stand in the source, up to the place after the batch; absent: they do not stand in one piece. */
  readonly text?: RecordText;
}

/** Cells of one-byte delimiters and quotes, lines ended as in the source. */
export interface RecordText {
  readonly bytes: Uint8Array;
  readonly delimiter: number;
}

/** A place between two rows of a source, which its reader can start and stop at. */
export interface SourcePosition {
  /** Rows before it. */
  readonly row: number;
  /** Physical line (from 1) that it is on; of a typed source the number of the next row. */
  readonly line: number;
  /** Bytes before it, of the text as UTF-8 without a byte order mark; 0 in a typed source. */
  readonly byte: number;
}

/** A part of a source: from one place on, up to another one; null: from its first row, up to its end. */
export interface SourceRange {
  readonly from: SourcePosition | null;
  readonly to: SourcePosition | null;
}

export interface SourceInfo {
  /** As a user would write it: path, URL or '-'. */
  readonly name: string;
  readonly format: SourceFormat;
  /** Bytes of the file as stored; null where that is not known before the end. */
  readonly totalBytes: number | null;
  /** What a remote object's server tells its states apart by (ETag, else time of change); null: not said, or a file. */
  readonly version?: string | null;
}

export type SourceFormat = 'csv' | 'tsv' | 'ndjson' | 'parquet' | 'arrow';

/** An opened source: its columns are known, none of its rows has been read. */
export interface Source {
  readonly info: SourceInfo;
  readonly columns: readonly ColumnInfo[];
  /** Rows of each part that reading can start at without decoding what stands before it; absent: not known. */
  readonly blocks?: readonly number[];
  /** Text that is read from any byte on without reading what stands before it; absent: it is not. */
  readonly isSeekable?: boolean;
  /** Names of the columns that `record()` gives, in its order, for this selection. */
  recordColumns(selected: readonly number[]): readonly string[];
  /** Things a user should know that are no error, such as an unnamed column that is not read. */
  readonly warnings: readonly string[];
  /** Bytes read so far of `totalBytes`, for progress. */
  bytesRead(): number;
  /**
   * The rows, of all of the source or of a range whose places came from `position`, reading only the columns at
   * these indexes of `columns`. Once. Throws FeaturectlError where the source breaks, after yielding every row
   * before the break.
   */
  batches(selected: readonly number[], range?: SourceRange): AsyncIterable<ColumnBatch>;
  close(): Promise<void>;
}

/** Where a row came from; kept by the writer until the row is settled. */
export interface RowOrigin {
  readonly source: Source;
  readonly batch: ColumnBatch;
  readonly recordColumns: readonly string[];
}

/**
 * What the encoder writes rows into. A row is `begin`, any number of `value`s and `cell`s in ascending
 * feature order, then `commit` or `abort`. Nothing of an aborted row stays behind. Bytes that are given stay as
 * they are until the row's end, not longer.
 */
export interface RowSink {
  /** The key is key[0 .. keyLength). `ttlMs` 0 = no expiry. `eventTime`: as stored, for mode newer; else ''. */
  begin(key: Uint8Array, keyLength: number, ttlMs: number, eventTime: ByteString): void;
  /** `feature` is the index in the encoder's `fields`; null removes the field (null policy `remove`). */
  value(feature: number, bytes: ByteString | null): void;
  /** As `value`, of bytes[start .. end). */
  cell(feature: number, bytes: Uint8Array, start: number, end: number): void;
  /** `row` is the row's index in the batch. True: chunks are full, call `room()` before the next row. */
  commit(origin: RowOrigin, row: number): boolean;
  abort(): void;
}

/** Writes rows in chunks. Every committed row is told to the listener exactly once by the end of `drain`. */
export interface Writer extends RowSink {
  /** Resolves when there is room for another chunk. Throws what ended the writing, if something did. */
  room(): Promise<void>;
  /** Sends what is left and resolves when every row is settled. Throws as `room` does. */
  drain(): Promise<void>;
  /**
   * The end of a run that is given up: what was committed is still sent and settled for up to `graceMs`
   * (0: nothing more); UNSETTLED is told for every row that is not settled then. Never throws.
   */
  abandon(graceMs: number): Promise<void>;
  /** How rows are written and why, for the report. */
  readonly plan: WritePlan;
  stats(): WriterStats;
  /** The row that each server took last; none where nothing was, or it cannot be asked for again (no INFO, dry run). */
  lastTaken(): readonly TakenRow[];
  close(): Promise<void>;
}

/** A row that a server took, by which it shows later whether it still has what it took up to then. */
export interface TakenRow {
  /** Of the server, until it is started again (INFO's run_id). */
  readonly runId: string;
  readonly key: ByteString;
  /** Unix time in milliseconds; 0: never. */
  readonly expiresAt: number;
}

export type WriteMode = 'merge' | 'replace' | 'newer';
export type WritePath = 'script' | 'pipeline' | 'restore' | 'none';

export interface WritePlan {
  readonly mode: WriteMode;
  readonly path: WritePath;
  readonly why: string;
  readonly server: string | null;
  readonly warnings: readonly string[];
}

export interface WriterStats {
  readonly bytesSent: number;
  readonly chunksSent: number;
  readonly retries: number;
}

/** Told by the writer what became of rows, in any order across lanes, in file order within one. */
export interface WriteListener {
  written(origin: RowOrigin, rows: number): void;
  skipped(origin: RowOrigin, code: SkipCode, rows: number): void;
  failed(origin: RowOrigin, row: number, fault: RowFault): void;
  /** A connection or server trouble that is being retried, in words; shown to the user. */
  retrying(message: string): void;
}

/** What one call of `encode` did. */
export interface EncodeStep {
  /** Index after the last row taken. */
  readonly next: number;
  /** Rows taken that had no non-null feature and were not given to the sink. */
  readonly empty: number;
  /** Why row `next - 1` was not given to the sink, or null. */
  readonly fault: RowFault | null;
  readonly stage: 'read' | 'map';
  /** The sink wants `room()` before the next row. */
  readonly full: boolean;
}

/** Maps rows of one source to sink rows; compiled once from the schema and the source's columns. */
export interface RowEncoder {
  /** Indexes of the source columns it needs, in the order it wants them in a batch. */
  readonly selected: readonly number[];
  /** Things a user should know that are no error; some are found in the rows only. */
  readonly warnings: readonly string[];
  /** Takes rows from `start` until the sink is full, a row is at fault, or the batch ends. */
  encode(origin: RowOrigin, start: number, sink: RowSink): EncodeStep;
}
