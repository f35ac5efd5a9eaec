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
  /** Whose null rate it is; null: it is no feature's. */
  readonly feature: string | null;
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
    ...brokenLines(facts.broken),
  ];
  return `${lines.join('\n')}\n`;
}

/** Broken thresholds that are shown; all are in the JSON. */
const SHOWN_BROKEN = 30;

function brokenLines(broken: readonly Broken[]): string[] {
  const shown = broken.slice(0, SHOWN_BROKEN);
  const more = broken.length - shown.length;
  return [
    ...shown.map(({ threshold, message }) => printable(`broken: ${threshold}: ${message}`)),
    ...(more > 0 ? [`broken: ${formatCount(more)} more; --json has all`] : []),
  ];
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
    ...nullRows(facts),
  ];
}

/** Features that are shown though they are in order; all are in the JSON. */
const SHOWN_HEALTHY = 10;

/** Those in trouble first, the emptiest of them on top; a view may have hundreds. */
function nullRows({ features, freshness, broken }: CheckFacts): string[][] {
  const inTrouble = new Set(broken.map(({ feature }) => feature));
  const rated = features.map((name, i) => ({ name, rate: nullRate(freshness, i), i }));
  const sorted = rated.sort((a, b) => (b.rate ?? 0) - (a.rate ?? 0) || a.i - b.i);
  const bad = sorted.filter(({ name }) => inTrouble.has(name));
  const well = sorted.filter(({ name }) => !inTrouble.has(name));
  const some = well.slice(0, well.length <= SHOWN_HEALTHY + 1 ? well.length : SHOWN_HEALTHY);
  const row = ({ name, rate }: (typeof rated)[number], note: string): string[] => [
    `nulls ${printable(name)}`,
    percent(rate),
    note,
  ];
  const hidden = well.length - some.length;
  const most = percent(well[some.length]?.rate ?? null);
  return [
    ...bad.slice(0, SHOWN_BROKEN).map((one) => row(one, 'broken')),
    ...some.map((one) => row(one, '')),
    ...(hidden > 0 ? [[`${formatCount(hidden)} more features`, most, 'or less; --json has all']] : []),
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
