/** Entities as maps, for commands that show or compare them: made of the bytes that a FeatureReader tells. */
import { showBytes } from './bytes-text.ts';
import { FeaturectlError } from './errors.ts';
import type { FeatureReader } from './feature-reader.ts';
import type { ByteString } from './types.ts';

export interface StoredEntity {
  readonly fields: ReadonlyMap<ByteString, ByteString>;
  /** Milliseconds; null: the key does not expire. */
  readonly ttlMs: number | null;
}

/** Null: there is no such key. An error is of this key alone, such as a key of another type (REDIS_SERVER). */
export type ReadOutcome = StoredEntity | FeaturectlError | null;

/**
 * One outcome for each key, in the order of `keys`. Throws REDIS_AUTH where reading is not permitted, REDIS_CONNECT
 * where no answer comes or the server as a whole cannot give one.
 */
export type ReadStored = (keys: readonly ByteString[]) => Promise<readonly ReadOutcome[]>;

export function storedReader(reader: FeatureReader): ReadStored {
  return (keys) =>
    new Promise((resolve, reject) => {
      const outcomes: ReadOutcome[] = [];
      const taker: Parameters<FeatureReader['read']>[2] = {
        entity: (_index, bytes, spans, count, ttlMs) =>
          void outcomes.push(storedOf(ttlMs, bytes, spans, count)),
        refused: (index, why, text) => void outcomes.push(refusedKey(keys[index] ?? '', why, text)),
        done: () => resolve(outcomes),
        failed: (why, text) =>
          reject(new FeaturectlError(why === 'denied' ? 'REDIS_AUTH' : 'REDIS_CONNECT', text)),
      };
      reader.read(keys, null, taker, true);
    });
}

/** Of `count` names and values in turn; null where there are none. */
export function storedOf(
  ttlMs: number,
  bytes: Buffer,
  spans: Int32Array,
  count: number,
): StoredEntity | null {
  if (count === 0) return null;
  const fields = new Map<ByteString, ByteString>();
  const text = (i: number): ByteString => bytes.latin1Slice(spans[2 * i], spans[2 * i + 1]);
  for (let i = 0; i < count; i += 2) fields.set(text(i), text(i + 1));
  return { fields, ttlMs: ttlMs < 0 ? null : ttlMs };
}

function refusedKey(key: ByteString, why: 'type' | 'rights', text: string): FeaturectlError {
  const shown = showBytes(key);
  return why === 'type'
    ? new FeaturectlError('REDIS_SERVER', `${shown}: expected a hash, found a key of another type`)
    : new FeaturectlError('REDIS_AUTH', `${shown}: Redis refused to read it: ${text}`);
}
