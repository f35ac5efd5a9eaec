import type { ByteString, ColumnInfo } from '../core/types.ts';
import type { Codec } from './codecs/codec.ts';
import type { WallToUtc } from './codecs/time-zone.ts';
import type { KeyTemplate } from './key-template.ts';

export type NullPolicy = 'skip' | 'empty' | 'error' | 'remove';

/** UTF-8 text; text of a number; bytes that may be no text; a packed vector. */
export type StoredForm = 'text' | 'number' | 'bytes' | 'packed';

export interface Feature {
  readonly name: string;
  /** The name as Redis has it: UTF-8 bytes. */
  readonly field: ByteString;
  /** As written in the schema, such as `vector<float32>[8]`. */
  readonly type: string;
  /** Source column; null for `value: ingest_time`. */
  readonly from: string | null;
  readonly required: boolean;
  /** What stands in for null, already as stored; null: no default. */
  readonly fallback: ByteString | null;
  readonly nullPolicy: NullPolicy;
  readonly nullTokens: ReadonlySet<ByteString>;
  readonly codec: Codec;
  /** What is stored for `value: ingest_time`, from the start of the run in epoch milliseconds. */
  readonly stamp: ((startedAt: number) => ByteString) | null;
  readonly storedForm: StoredForm;
  /** Stored text → a JSON value, for showing. */
  readonly decode: (stored: ByteString) => unknown;
  /** Stored time → epoch milliseconds; NaN for what is no time. */
  readonly epochMs: (stored: ByteString) => number;
}

/** A checked schema; everything downstream trusts it. */
export interface FeatureSchema {
  readonly name: string;
  readonly key: KeyTemplate;
  /** Milliseconds; 0: keys do not expire. */
  readonly ttlMs: number;
  /** Share of the TTL that may be taken off, 0 to 1. */
  readonly ttlJitter: number;
  readonly features: readonly Feature[];
  /** Stored names in the order of `features`. */
  readonly fields: readonly ByteString[];
  /** Index of the event time in `features`. */
  readonly eventTimeField: number | null;
  /** Null tokens of key columns. */
  readonly nullTokens: ReadonlySet<ByteString>;
  /** Zone of times of key columns that name none. */
  readonly zone: WallToUtc | null;
  /** What a user should know of it, once a run. */
  readonly warnings?: readonly string[];
  /** Where a source's columns made the schema: what of another source's columns has no feature, to be warned of. */
  readonly leftOut?: (columns: readonly ColumnInfo[]) => readonly string[];
}
