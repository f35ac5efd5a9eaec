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
