/** What reading entities back gives; `get`, `verify`, `check` and the server share it. No I/O here. */
import type { FeaturectlError } from './errors.ts';
import type { ByteString } from './types.ts';

export interface StoredEntity {
  readonly fields: ReadonlyMap<ByteString, ByteString>;
  /** Milliseconds; null: the key does not expire. */
  readonly ttlMs: number | null;
}

/** Null: there is no such key. An error is of this key alone, such as a key of another type (REDIS_SERVER). */
export type ReadOutcome = StoredEntity | FeaturectlError | null;

export interface FeatureReader {
  /**
   * One outcome for each key, in the order of `keys`, whatever slots or servers they are on. Throws REDIS_AUTH
   * where reading is not permitted, REDIS_CONNECT where no answer comes, REDIS_SERVER where the server as a whole
   * cannot answer.
   */
  read(keys: readonly ByteString[]): Promise<readonly ReadOutcome[]>;
}

/** Keys in flat memory. */
export interface KeyList {
  readonly count: number;
  readonly bytes: Buffer;
  /** Place of a key in `bytes`. */
  keyStart(index: number): number;
  keyEnd(index: number): number;
}

/** Told of each key once, in order. */
export interface PairTaker {
  /**
   * `spans`: start and end in `bytes` of `count` names and values in turn, 0 where there is no such key; all valid
   * during the call only. `ttlMs`: negative where the key has none.
   */
  entity(index: number, ttlMs: number, bytes: Buffer, spans: Int32Array, count: number): void;
  /** The server answered an error; which, a FeatureReader tells. */
  refused(index: number): void;
}

/** Reads many entities without an object for a value. */
export interface PairReader {
  /** Resolves when every key is told. Throws REDIS_CONNECT where no answer comes. */
  read(keys: KeyList, taker: PairTaker): Promise<void>;
  close(): void;
}

/**
 * Takes entities straight from the bytes of a connection, without an object for a value. `spans` holds two numbers
 * for a string, its start in `bytes` (inclusive) and its end (exclusive); start -1 stands for null. Both are the
 * source's own and valid during the call only.
 */
export interface EntityTaker {
  /**
   * `count` strings: names and values in turn, or, where fields were asked for, their values in that order.
   * `count` 0: there is no such key. Told in ascending order of `index`.
   */
  entity(index: number, bytes: Buffer, spans: Int32Array, count: number): void;
  /** This key alone cannot be read: it holds another type, or is not this user's. In order, as `entity`. */
  refused(index: number, why: 'type' | 'rights'): void;
  /** Everything was told. Exactly one of `done` and `failed` is called, last and once. */
  done(): void;
  /**
   * `away`: Redis cannot be reached or does not answer in time; `busy`: too much is on the way already; `denied`: what
   * `refusal` tells.
   */
  failed(why: 'away' | 'busy' | 'denied'): void;
}

/** The reading side of a server: entities by key, whatever becomes of the connection meanwhile. Never throws. */
export interface EntitySource {
  /** Asks in one pipeline, with all that is asked in the same turn of the event loop. `fields` null: all of them. */
  read(keys: readonly ByteString[], fields: readonly ByteString[] | null, taker: EntityTaker): void;
  /** Whether reads are answered now, as far as is known. */
  isReady(): boolean;
  /** The right that this server lacks, in words for its callers; null: none that is known. */
  refusal(): string | null;
  /** What is being read fails as `away`. */
  close(): Promise<void>;
}
