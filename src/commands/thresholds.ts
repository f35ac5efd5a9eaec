/** The thresholds of `check`: which of them do not hold. */
import { FeaturectlError } from '../core/errors.ts';
import type { Freshness } from '../core/freshness.ts';
import { type Broken, nullRate, percent, time } from '../output/check-report.ts';
import type { FeatureSchema } from '../schema/index.ts';
import type { CheckThresholds } from './options.ts';

/** Throws USAGE for a threshold that the schema gives no ground for. */
export function assertApplicable(thresholds: CheckThresholds, schema: FeatureSchema): void {
  const wantsAge = thresholds.maxAge !== null || thresholds.maxMedianAge !== null;
  if (wantsAge && schema.eventTimeField === null) {
    throw new FeaturectlError(
      'USAGE',
      '--max-age, --max-median-age: expected event_time in the schema, found none; name the feature that says when a row was true',
    );
  }
  const names = schema.features.map(({ name }) => name);
  const unknown = thresholds.maxNullRates.filter(
    ({ feature }) => feature !== null && !names.includes(feature),
  );
  if (unknown.length === 0) return;
  throw new FeaturectlError(
    'USAGE',
    `--max-null-rate: expected a feature of the schema, found "${unknown.map(({ feature }) => feature).join('", "')}"; its features are ${names.slice(0, 20).join(', ')}${names.length > 20 ? `, … (${names.length} in all)` : ''}`,
  );
}

/** A threshold about TTLs or ages holds of no keys at all: --min-count says that there must be some. */
export function brokenThresholds(
  thresholds: CheckThresholds,
  count: number,
  fresh: Freshness,
  features: readonly string[],
): Broken[] {
  const { minCount, maxAge, maxMedianAge, minTtl, maxNoTtl } = thresholds;
  const found: (Broken | null)[] = [
    count < minCount ? broken('--min-count', `at least ${minCount} keys`, String(count)) : null,
    ageBroken('--max-age', maxAge, fresh.age.max, fresh),
    ageBroken('--max-median-age', maxMedianAge, fresh.age.quantile(0.5), fresh),
    minTtl !== null && fresh.ttl.min !== null && fresh.ttl.min < minTtl
      ? broken('--min-ttl', `a TTL of at least ${time(minTtl)} in every key`, time(fresh.ttl.min))
      : null,
    maxNoTtl !== null && fresh.withoutTtl > maxNoTtl
      ? broken('--max-no-ttl', `at most ${maxNoTtl} keys without TTL`, String(fresh.withoutTtl))
      : null,
    ...features.map((name, i) => nullBroken(thresholds, name, nullRate(fresh, i))),
  ];
  return found.filter((one) => one !== null);
}

function broken(threshold: string, expected: string, found: string): Broken {
  return { threshold, feature: null, message: `expected ${expected}, found ${found}` };
}

/** Hashes of which no age is known are as bad as old ones. */
function ageBroken(option: string, max: number | null, age: number | null, fresh: Freshness): Broken | null {
  if (max === null || fresh.entities === 0) return null;
  const what = option === '--max-age' ? 'no entity' : 'not half of the entities';
  if (age === null) return broken(option, 'an event time in the entities', 'none that reads');
  return age > max ? broken(option, `${what} older than ${time(max)}`, time(age)) : null;
}

function nullBroken({ maxNullRates }: CheckThresholds, name: string, rate: number | null): Broken | null {
  const own = maxNullRates.findLast(({ feature }) => feature === name);
  const limit = own ?? maxNullRates.findLast(({ feature }) => feature === null);
  if (limit === undefined || rate === null || rate <= limit.max) return null;
  const expected = `${name} null in at most ${percent(limit.max)}`;
  return { ...broken('--max-null-rate', expected, percent(rate)), feature: name };
}
