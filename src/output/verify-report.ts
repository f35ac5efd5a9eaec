/** What `verify` found, for a person and as JSON. */

import { showBytes } from '../core/bytes-text.ts';
import type { FeatureDifference, KeyDifference } from '../core/verdicts.ts';
import { alignRows, formatCount, formatSeconds, printable } from './format.ts';
import { redactUrls } from './redact.ts';

/** Raised when a field changes its meaning or goes; new fields may come without. */
export const VERIFY_SCHEMA_VERSION = 1;

export interface VerifyFacts {
  readonly version: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly exitCode: number;
  readonly sources: readonly string[];
  readonly mode: 'merge' | 'replace';
  /** Keys of the sample and its seed; null: every row. */
  readonly sample: { readonly size: number; readonly seed: number } | null;
  readonly rows: {
    readonly read: number;
    /** Refused by the schema: ingest would not have written them. */
    readonly rejected: number;
    readonly empty: number;
  };
  /** Rows, or keys of the sample. */
  readonly compared: number;
  /** Share of the keys that the differences are of, 0 to 1. */
  readonly share: number;
  readonly counts: DifferenceCounts;
  readonly first: readonly KeyDifference[];
}

export interface DifferenceCounts {
  /** Keys with anything wrong; the others are how often each thing is. */
  differing: number;
  missing: number;
  different: number;
  noTtl: number;
  otherType: number;
  /** Differences by feature name; fields that no feature has are counted in `extra`. */
  readonly byFeature: Map<string, number>;
  extra: number;
}

/** `fields`: stored names of the features. */
export function countDifferences(
  differences: readonly KeyDifference[],
  fields: ReadonlySet<string>,
  into: DifferenceCounts,
): void {
  for (const { isMissing, isOtherType, hasNoTtl, features } of differences) {
    into.differing += 1;
    if (isMissing) into.missing += 1;
    if (isOtherType) into.otherType += 1;
    if (hasNoTtl) into.noTtl += 1;
    if (features.length > 0) into.different += 1;
    for (const { field } of features) {
      if (fields.has(field)) into.byFeature.set(field, (into.byFeature.get(field) ?? 0) + 1);
      else into.extra += 1;
    }
  }
}

export function noDifferences(): DifferenceCounts {
  return { differing: 0, missing: 0, different: 0, noTtl: 0, otherType: 0, byFeature: new Map(), extra: 0 };
}

export function verifyReport(facts: VerifyFacts): object {
  const { counts } = facts;
  return {
    schema_version: VERIFY_SCHEMA_VERSION,
    command: 'verify',
    featurectl_version: facts.version,
    started_at: facts.startedAt.toISOString(),
    ended_at: facts.endedAt.toISOString(),
    exit_code: facts.exitCode,
    sources: facts.sources.map(redactUrls),
    mode: facts.mode,
    sample: facts.sample,
    rows: facts.rows,
    compared: facts.compared,
    share: facts.share,
    keys: {
      differing: counts.differing,
      missing: counts.missing,
      different: counts.different,
      no_ttl: counts.noTtl,
      other_type: counts.otherType,
    },
    features: Object.fromEntries([...counts.byFeature].map(([field, count]) => [showBytes(field), count])),
    extra_fields: counts.extra,
    first: facts.first.map((difference) => ({
      key: showBytes(difference.key),
      source: redactUrls(difference.source),
      row: difference.row,
      line: difference.line,
      missing: difference.isMissing,
      other_type: difference.isOtherType,
      no_ttl: difference.hasNoTtl,
      features: difference.features.map(({ field, expected, found }) => ({
        name: showBytes(field),
        expected: expected && showBytes(expected),
        found: found && showBytes(found),
      })),
    })),
  };
}

/** Ends with a line break. */
export function formatVerify(facts: VerifyFacts): string {
  const { counts, first } = facts;
  const more = counts.differing - first.length;
  const lines = [
    ...first.map(differenceLine),
    ...(more > 0 && first.length > 0 ? [`and ${formatCount(more)} more (--show N shows more of them)`] : []),
    ...(first.length > 0 ? [''] : []),
    ...alignRows(tableRows(facts), new Set([1])),
    ...shareLines(facts),
  ];
  return `${lines.join('\n')}\n`;
}

function differenceLine({
  key,
  source,
  line,
  isMissing,
  isOtherType,
  hasNoTtl,
  features,
}: KeyDifference): string {
  const what = [
    ...(isMissing ? ['missing'] : []),
    ...(isOtherType ? ['holds another type'] : []),
    ...(hasNoTtl ? ['no TTL'] : []),
    ...features.map(featureText),
  ];
  return printable(`${source}:${line} ${showBytes(key)}: ${what.join('; ')}`);
}

function featureText({ field, expected, found }: FeatureDifference): string {
  const text = (value: string | null): string =>
    value === null ? 'no field' : JSON.stringify(showBytes(value));
  return `${showBytes(field)}: expected ${text(expected)}, found ${text(found)}`;
}

function tableRows({ rows, compared, sample, counts, startedAt, endedAt }: VerifyFacts): string[][] {
  const byFeature = [...counts.byFeature].sort((a, b) => b[1] - a[1]);
  return [
    ['rows read', formatCount(rows.read), ''],
    ['rejected', formatCount(rows.rejected), rows.rejected > 0 ? 'ingest would not write them' : ''],
    ['empty', formatCount(rows.empty), rows.empty > 0 ? 'no feature has a value' : ''],
    ['compared', formatCount(compared), sample ? `keys, a sample by --seed ${sample.seed}` : 'rows'],
    ['missing', formatCount(counts.missing), ''],
    ['other type', formatCount(counts.otherType), ''],
    ['no TTL', formatCount(counts.noTtl), ''],
    ['different', formatCount(counts.different), ''],
    ...byFeature.map(([field, count]) => [`  ${printable(showBytes(field))}`, formatCount(count), '']),
    ...(counts.extra > 0 ? [['  extra fields', formatCount(counts.extra), 'no feature has this name']] : []),
    ['time', formatSeconds((endedAt.getTime() - startedAt.getTime()) / 1000), ''],
  ];
}

function shareLines({ share }: VerifyFacts): string[] {
  if (share === 1) return [];
  return [
    `so many keys differ that the counts are of ${(share * 100).toPrecision(2)}% of the keys only (chosen by hash)`,
  ];
}
