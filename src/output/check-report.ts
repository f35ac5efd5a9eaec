/** What `check` found, for a person and as JSON. */
import type { Freshness } from '../core/freshness.ts';
import { alignRows, formatCount, formatSeconds, printable } from './format.ts';

/** Raised when a field changes its meaning or goes; new fields may come without. */
export const CHECK_SCHEMA_VERSION = 1;

export interface CheckFacts {
  readonly version: string;
  readonly at: Date;
  /** The schema's key template. */
  readonly key: string;
  readonly freshness: Freshness;
  /** Names in the order of the features; null where it is not counted (`ingest_time`). */
  readonly features: readonly string[];
  readonly hasEventTime: boolean;
  /** Keys of the schema, of whatever type. */
  readonly count: number;
  /** Keys whose type was asked for. */
  readonly read: number;
  readonly otherType: number;
  /** Keys that fit the pattern of SCAN and not the key template. */
  readonly otherKeys: number;
  /** Entities of --entities without a key; null without it. */
  readonly missing: number | null;
  readonly broken: readonly Broken[];
  readonly exitCode: number;
}

/** A threshold that does not hold. */
export interface Broken {
  /** The option, such as `--min-count`. */
  readonly threshold: string;
  readonly message: string;
}

export function checkReport(facts: CheckFacts): object {
  const { freshness: fresh } = facts;
  const seconds = (ms: number | null): number | null => (ms === null ? null : Math.round(ms) / 1000);
  return {
    schema_version: CHECK_SCHEMA_VERSION,
    command: 'check',
    featurectl_version: facts.version,
    at: facts.at.toISOString(),
    exit_code: facts.exitCode,
    key: facts.key,
    count: facts.count,
    read: facts.read,
    missing: facts.missing,
    without_ttl: fresh.withoutTtl,
    other_type: facts.otherType,
    other_keys: facts.otherKeys,
    ttl_seconds: {
      min: seconds(fresh.ttl.min),
      p50: seconds(fresh.ttl.quantile(0.5)),
      p99: seconds(fresh.ttl.quantile(0.99)),
    },
    age_seconds: facts.hasEventTime
      ? {
          p50: seconds(fresh.age.quantile(0.5)),
          max: seconds(fresh.age.max),
          unknown: fresh.withoutAge,
        }
      : null,
    null_rates: Object.fromEntries(facts.features.map((name, i) => [name, nullRate(fresh, i)])),
    broken: facts.broken,
  };
}

/** Share of the hashes without the field; null where there is no hash. */
export function nullRate({ entities, nulls }: Freshness, feature: number): number | null {
  return entities === 0 ? null : (nulls[feature] ?? 0) / entities;
}

/** Ends with a line break. */
export function formatCheck(facts: CheckFacts): string {
  const lines = [
    printable(facts.key),
    ...alignRows(tableRows(facts), new Set([1])),
    ...facts.broken.map(({ threshold, message }) => printable(`broken: ${threshold}: ${message}`)),
  ];
  return `${lines.join('\n')}\n`;
}

function tableRows(facts: CheckFacts): string[][] {
  const { freshness: fresh, read, count } = facts;
  return [
    ['keys', formatCount(count), ''],
    ...(read < count ? [['read', formatCount(read), 'a sample, which all below is of']] : []),
    ...(facts.missing === null ? [] : [['missing', formatCount(facts.missing), 'entities without a key']]),
    ['without TTL', formatCount(fresh.withoutTtl), ''],
    ['other type', formatCount(facts.otherType), facts.otherType > 0 ? 'no hashes' : ''],
    ...(facts.otherKeys > 0
      ? [['other keys', formatCount(facts.otherKeys), 'fit the pattern and not the key']]
      : []),
    ['TTL min', time(fresh.ttl.min), ''],
    ['TTL p50', time(fresh.ttl.quantile(0.5)), ''],
    ['TTL p99', time(fresh.ttl.quantile(0.99)), ''],
    ...ageRows(facts),
    ...facts.features.map((name, i) => [`nulls ${printable(name)}`, percent(nullRate(fresh, i)), '']),
  ];
}

function ageRows({ freshness: { age, withoutAge }, hasEventTime }: CheckFacts): string[][] {
  if (!hasEventTime) return [];
  return [
    ['age p50', time(age.quantile(0.5)), ''],
    ['age max', time(age.max), ''],
    ...(withoutAge > 0 ? [['age unknown', formatCount(withoutAge), 'no event time that reads']] : []),
  ];
}

export function time(ms: number | null): string {
  return ms === null ? '-' : formatSeconds(ms / 1000);
}

export function percent(share: number | null): string {
  return share === null ? '-' : `${(share * 100).toFixed(1)}%`;
}
