/**
 * What `verify` finds, kept so that the last row of a key decides: a difference stays open until the end of the
 * file, and a later row of its key confirms or clears it, feature by feature. Only differing keys are held.
 *
 * Bound: `limit` keys. Beyond it the watched share of keys (by hash) is halved and the others forgotten; the caller
 * reads the source again for them.
 */
import type { ExpectedRow } from './expectations.ts';
import { hashKey } from './key-pick.ts';
import type { ReadOutcome, StoredEntity } from './stored-entity.ts';
import type { ByteString } from './types.ts';

export interface FeatureDifference {
  /** Name as stored. */
  readonly field: ByteString;
  /** Null: no such field; cut to SHOWN_BYTES. */
  readonly expected: ByteString | null;
  readonly found: ByteString | null;
}

export interface KeyDifference {
  readonly key: ByteString;
  readonly source: string;
  readonly row: number;
  readonly line: number;
  readonly isMissing: boolean;
  readonly isOtherType: boolean;
  readonly hasNoTtl: boolean;
  readonly features: readonly FeatureDifference[];
}

export interface VerdictOptions {
  /** Stored names in the order of the features. */
  readonly fields: readonly ByteString[];
  /** Indexes of features that are not compared (`ingest_time`). */
  readonly ignored: ReadonlySet<number>;
  /** The row is the whole hash. */
  readonly isReplace: boolean;
  /** Keys are to have a TTL. */
  readonly hasTtl: boolean;
  /** Differing keys that are held at once. */
  readonly limit: number;
}

export interface Verdicts {
  /** Rows in file order, each with what Redis holds. */
  add(row: ExpectedRow, outcome: ReadOutcome): void;
  /** A row that Redis holds just as it is. Nothing where no difference is open, so ask `hasOpen` before. */
  addMatch(row: ExpectedRow): void;
  readonly hasOpen: boolean;
  /** Whether all keys are of the watched share. */
  readonly watchesAll: boolean;
  /** Whether this key is of the watched share. */
  watches(key: ByteString): boolean;
  /** Ends a pass over the source: what is open is final. Null: all keys are done, else call for another pass. */
  finish(): {
    readonly differences: readonly KeyDifference[];
    readonly isDone: boolean;
    readonly share: number;
  };
}

/** Bytes of a value that are kept for showing. */
export const SHOWN_BYTES = 80;

interface Open {
  readonly hash: number;
  place: Pick<KeyDifference, 'source' | 'row' | 'line'>;
  isMissing: boolean;
  isOtherType: boolean;
  hasNoTtl: boolean;
  readonly features: Map<ByteString, FeatureDifference>;
}

const HASHES = 2 ** 53;

export function createVerdicts(options: VerdictOptions): Verdicts {
  const open = new Map<ByteString, Open>();
  let from = 0;
  let to = HASHES;
  const isWatched = (hash: number): boolean => hash >= from && hash < to;
  const shrink = (): void => {
    while (open.size > options.limit && to - from > 1) {
      to = from + Math.floor((to - from) / 2);
      for (const [key, entry] of open) if (!isWatched(entry.hash)) open.delete(key);
    }
  };
  return {
    get hasOpen() {
      return open.size > 0;
    },
    get watchesAll() {
      return from === 0 && to === HASHES;
    },
    watches: (key) => (from === 0 && to === HASHES) || isWatched(hashKey(key, 0)),
    addMatch: (row) => {
      const entry = open.get(row.key);
      if (entry === undefined) return;
      Object.assign(entry, NOTHING, { place: placeOf(row) });
      clearSent(entry, row, options);
      if (entry.features.size === 0) open.delete(row.key);
    },
    add: (row, outcome) => {
      const known = open.get(row.key);
      const entry = known ?? { hash: hashKey(row.key, 0), ...NOTHING, place: row, features: new Map() };
      // The window may have read rows ahead of a halving.
      if (!known && !isWatched(entry.hash)) return;
      judge(entry, row, outcome, options);
      const isClear = !entry.isMissing && !entry.isOtherType && !entry.hasNoTtl && entry.features.size === 0;
      if (isClear) open.delete(row.key);
      else if (!known) {
        open.set(row.key, entry);
        shrink();
      }
    },
    finish: () => {
      const differences = [...open].map(([key, { place, features, ...entry }]) => ({
        key,
        source: place.source,
        row: place.row,
        line: place.line,
        isMissing: entry.isMissing,
        isOtherType: entry.isOtherType,
        hasNoTtl: entry.hasNoTtl,
        features: [...features.values()],
      }));
      const share = to / HASHES;
      open.clear();
      const isDone = to === HASHES;
      from = to;
      to = HASHES;
      return { differences, isDone, share };
    },
  };
}

const NOTHING = { isMissing: false, isOtherType: false, hasNoTtl: false };

function judge(entry: Open, row: ExpectedRow, outcome: ReadOutcome, options: VerdictOptions): void {
  entry.place = placeOf(row);
  entry.isMissing = outcome === null;
  entry.isOtherType = outcome instanceof Error;
  entry.hasNoTtl = false;
  if (outcome === null || outcome instanceof Error) {
    entry.features.clear();
    return;
  }
  entry.hasNoTtl = options.hasTtl && outcome.ttlMs === null;
  if (options.isReplace) entry.features.clear();
  compareFeatures(entry, row, outcome, options);
  if (options.isReplace) findExtra(entry, outcome, options);
}

function placeOf({ source, row, line }: ExpectedRow): Open['place'] {
  return { source, row, line };
}

/** What a row that matches sends is as it should be; what it does not send may still differ. */
function clearSent({ features }: Open, { values }: ExpectedRow, { fields, isReplace }: VerdictOptions): void {
  if (isReplace) features.clear();
  else fields.forEach((field, i) => void (values[i] === undefined || features.delete(field)));
}

function compareFeatures(
  { features }: Open,
  { values }: ExpectedRow,
  { fields: stored }: StoredEntity,
  { fields, ignored, isReplace }: VerdictOptions,
): void {
  fields.forEach((field, i) => {
    // In replace a value that was not sent is a field that must not be there.
    const expected = values[i] === undefined && isReplace ? null : values[i];
    if (expected === undefined || ignored.has(i)) return;
    const found = stored.get(field) ?? null;
    if (found === expected) features.delete(field);
    else features.set(field, { field, expected: cut(expected), found: cut(found) });
  });
}

function findExtra({ features }: Open, { fields: stored }: StoredEntity, { fields }: VerdictOptions): void {
  if (stored.size === 0) return;
  const known = new Set(fields);
  for (const [field, found] of stored) {
    if (!known.has(field)) features.set(field, { field, expected: null, found: cut(found) });
  }
}

function cut(value: ByteString | null): ByteString | null {
  return value !== null && value.length > SHOWN_BYTES ? value.slice(0, SHOWN_BYTES) : value;
}
