/**
 * Quantiles of many numbers in bounded memory: counts in buckets whose borders grow by a constant factor, after
 * Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees" (2019).
 */

/** A quantile is at most this share away from the value of that rank. */
export const RELATIVE_ERROR = 0.01;

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);

export interface Sketch {
  /** A number from 0 up; below 1 counts as 0, beyond MOST as MOST. Anything else is left out. */
  add(value: number): void;
  readonly count: number;
  /** Exact; null before the first value. */
  readonly min: number | null;
  readonly max: number | null;
  /** The value of rank ⌊q·(count−1)⌋ in ascending order, within RELATIVE_ERROR and never outside [min, max]; null before the first value. */
  quantile(q: number): number | null;
}

/** In milliseconds some 30,000 years; it bounds the buckets to 1,800. */
export const MOST = 1e15;

export function createSketch(): Sketch {
  const buckets = new Map<number, number>();
  let count = 0;
  let min: number | null = null;
  let max: number | null = null;
  return {
    add: (value) => {
      if (!(value >= 0)) return;
      const kept = Math.min(value, MOST);
      const bucket = kept < 1 ? ZERO : Math.ceil(Math.log(kept) / LOG_GAMMA);
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      count += 1;
      min = min === null ? value : Math.min(min, value);
      max = max === null ? value : Math.max(max, value);
    },
    get count() {
      return count;
    },
    get min() {
      return min;
    },
    get max() {
      return max;
    },
    quantile: (q) => {
      if (count === 0) return null;
      let left = Math.floor(q * (count - 1));
      for (const bucket of [...buckets.keys()].sort((a, b) => a - b)) {
        left -= buckets.get(bucket) ?? 0;
        // The middle of the first and last bucket may lie beyond what was seen.
        if (left < 0) return Math.max(min ?? 0, Math.min(middle(bucket), max ?? 0));
      }
      return max;
    },
  };
}

/** Below every other bucket. */
const ZERO = -1;

/** The number that is equally far, by share, from both borders of the bucket. */
function middle(bucket: number): number {
  return bucket === ZERO ? 0 : (2 * GAMMA ** bucket) / (GAMMA + 1);
}
