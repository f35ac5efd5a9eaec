/** What reading entities back gives; `get`, `verify`, `check` and the server share it. No I/O here. */
import type { ByteString } from './types.ts';

/**
 * Takes entities straight from the bytes of a connection, without an object for a value. `spans` holds two numbers
 * for a string, its start in `bytes` (inclusive) and its end (exclusive); start -1 stands for null. Both are the
 * reader's own and valid during the call only.
 */
export interface EntityTaker {
  /**
   * `count` strings: names and values in turn, or, where fields were asked for, their values in that order.
   * `count` 0: there is no such key. `ttlMs`: negative where the key has none, or nobody asked for it. Told in
   * ascending order of `index`.
   */
  entity(index: number, bytes: Buffer, spans: Int32Array, count: number, ttlMs: number): void;
  /** This key alone cannot be read: it holds another type, or is not this user's. In order, as `entity`. */
  refused(index: number, why: 'type' | 'rights', text: string): void;
  /** Everything was told. Exactly one of `done` and `failed` is called, last and once. */
  done(): void;
  /**
   * `away`: Redis cannot be reached or does not answer in time; `busy`: too much is on the way already; `denied`: what
   * `refusal` tells. `text` is for who runs this program, not for its callers: it may name a server or a user.
   */
  failed(why: 'away' | 'busy' | 'denied', text: string): void;
}

/** Entities by key, whatever slots or servers they are on and whatever becomes of the connections. Never throws. */
export interface FeatureReader {
  /**
   * Asks in one pipeline a server, with all that is asked in the same turn of the event loop. `fields` null: all of
   * them; only then may `withTtl` ask for the TTL too.
   */
  read(
    keys: readonly ByteString[],
    fields: readonly ByteString[] | null,
    taker: EntityTaker,
    withTtl?: boolean,
  ): void;
  /** Whether reads are answered now, as far as is known. */
  isReady(): boolean;
  /** The right that this reader lacks, in words for anybody; null: none that is known. */
  refusal(): string | null;
  /** What is being read fails as `away`. */
  close(): Promise<void>;
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

/** Reads many entities of keys in flat memory: `verify` of a whole file, which has no strings for its keys. */
export interface PairReader {
  /** Resolves when every key is told. Throws REDIS_CONNECT where no answer comes. */
  read(keys: KeyList, taker: PairTaker): Promise<void>;
  close(): void;
}
