/**
 * A sample of keys in one pass: those with the smallest hashes. The hash that a newcomer must be below only sinks, so
 * a key that is in the sample at the end was in it from its first appearance on.
 */
import type { ByteString } from './types.ts';

export interface KeyPick<T> {
  /** For a key that is not in the sample; nothing happens where it does not belong there. */
  add(key: ByteString, item: T): void;
  /** False for a key that `add` would not take: spares making its item. */
  wants(key: ByteString): boolean;
  get(key: ByteString): T | undefined;
  replace(key: ByteString, item: T): void;
  /** At the end, once: at most `size` items. */
  take(): readonly T[];
}

/** Holds up to 2 · size + 100 items. The same keys and seed give the same sample, in whatever order. */
export function createKeyPick<T>(size: number, seed: number): KeyPick<T> {
  const items = new Map<ByteString, { readonly hash: number; item: T }>();
  let limit = Number.POSITIVE_INFINITY;
  return {
    add: (key, item) => {
      const hash = hashKey(key, seed);
      if (hash >= limit || items.has(key)) return;
      items.set(key, { hash, item });
      // Thinned now and then: a sort for each key would cost more than the ones beyond.
      if (items.size >= 2 * size + 100) limit = thin(items, size);
    },
    wants: (key) => limit === Number.POSITIVE_INFINITY || hashKey(key, seed) < limit,
    get: (key) => items.get(key)?.item,
    replace: (key, item) => {
      const known = items.get(key);
      if (known) known.item = item;
    },
    take: () => {
      thin(items, size);
      return [...items.values()].map(({ item }) => item);
    },
  };
}

/** Leaves the `size` smallest; gives the hash that a newcomer must be below. */
function thin(items: Map<ByteString, { readonly hash: number }>, size: number): number {
  const sorted = [...items].sort((a, b) => a[1].hash - b[1].hash);
  for (const [key] of sorted.slice(size)) items.delete(key);
  return sorted.length < size ? Number.POSITIVE_INFINITY : (sorted[size - 1]?.[1].hash ?? 0);
}

/** 0 to 2^53, evenly: two rounds of FNV-1a with the finalizer of MurmurHash3. */
export function hashKey(key: ByteString, seed: number): number {
  return hash32(key, seed) * 2 ** 21 + (hash32(key, ~seed) >>> 11);
}

function hash32(key: ByteString, seed: number): number {
  let h = 0x811c9dc5 ^ seed;
  for (let i = 0; i < key.length; i += 1) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
