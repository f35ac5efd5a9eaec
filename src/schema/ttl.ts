/** Time to live: how it is written, and the share of it that a key gets. */
import { parseDuration } from '../core/units.ts';

export const MAX_TTL_MS = 3650 * 86_400_000;

/** Milliseconds, 0 for "none", or what is wrong. */
export function parseTtl(text: string): number | string {
  if (text === 'none') return 0;
  const ms = parseDuration(text);
  if (ms === null) {
    return `expected a whole number with ms, s, m, h, d or w (24h), or none for no expiry, found "${text}"`;
  }
  if (ms === 0) return `expected more than 0, found "${text}": keys would be gone at once (none = no expiry)`;
  return ms > MAX_TTL_MS ? `expected at most 10 years (3650d), found "${text}"` : ms;
}

/** A share from 0 to 1, or what is wrong. `ttl`: what parseTtl said. */
export function parseJitter(text: string, ttl: number | string): number | string {
  const match = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text);
  const share = match ? Number(match[1]) / 100 : Number.NaN;
  if (!(share >= 0 && share < 1)) return `expected a share from 0% to below 100%, found "${text}"`;
  return ttl === 0 && share > 0 ? `expected a TTL to shorten, found none beside "${text}"` : share;
}

/**
 * The TTL of the key key[0 .. keyLength) in milliseconds: evenly spread over [ttl·(1−jitter), ttl] by a hash of the key, so that
 * a rerun gives the same. Whole seconds where the TTL is in whole seconds.
 */
export function ttlFor(key: Uint8Array, keyLength: number, ttlMs: number, jitter: number): number {
  if (jitter === 0 || ttlMs === 0) return ttlMs;
  const unit = ttlUnit(ttlMs, jitter);
  const steps = Math.floor((ttlMs * jitter) / unit);
  return ttlMs - unit * Math.floor((hash(key, keyLength) / 2 ** 32) * (steps + 1));
}

/** Every TTL of a schema is a multiple of this many milliseconds. */
export function ttlUnit(ttlMs: number, jitter: number): 1 | 1000 {
  const isWhole = ttlMs % 1000 === 0 && (jitter === 0 || ttlMs * jitter >= 1000);
  return isWhole ? 1000 : 1;
}

/** FNV-1a over the bytes, 32 bits, then the finalizer of MurmurHash3 so that near keys spread. */
function hash(key: Uint8Array, length: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < length; i += 1) h = Math.imul(h ^ key[i]!, 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
