/**
 * Which column names the entity. A unique column that sounds like one is taken; a row's own id (a UUID, a row
 * number, event_id) or a unique measure gives way to an entity that has several rows, such as user_id of an event log.
 */
import { describeType } from '../columns.ts';
import type { ColumnProfile } from './profile.ts';

export interface EntityChoice {
  /** Column names of the key; `_row` where no column can stand in a key. */
  readonly parts: readonly string[];
  /** Why, for a comment; `isWarning`: rows may overwrite each other, or the key means little. */
  readonly reason: string;
  readonly isWarning: boolean;
}

/** The larger, the more a name sounds like an entity's. */
function nameScore(name: string): number {
  const lower = name.toLowerCase();
  if (/^(?:id|key|uuid|guid|entity|entity_?(?:id|key))$/.test(lower)) return 3;
  if (/(?:^|[_\s.-])(?:id|key|uuid|guid)$/.test(lower) || /[a-z]I[dD]$/.test(name)) return 2;
  return /(?:^|_)(?:user|customer|item|product|account|device|session|email|name|code|number)(?:_|$)/.test(
    lower,
  )
    ? 1
    : 0;
}

/** What features are usually about. */
const NOUNS =
  /user|customer|client|account|member|subscriber|visitor|person|people|patient|employee|household|player|driver|rider|courier|merchant|seller|vendor|shop|store|device|vehicle|item|product|sku|listing|entity/i;

/** Names of what a row itself is: an event, not what it happened to. */
const OWN = /event|row|record|log|request|message|msg|txn|transaction|trace|span|click|impression|uuid|guid/i;

/** Names that tools give to the number of a row; pandas writes the first three. */
const ROW_NUMBER =
  /^(?:unnamed: \d+|__index_level_\d+__|level_\d+|index|idx|row|row_?(?:id|num|number|no|nr|index)|rownum|rn)$/i;

export function isRowNumber({ name, key }: ColumnProfile): boolean {
  return key.looks === 'counter' && ROW_NUMBER.test(name);
}

/** A moment, a truth value or a measure is unique by chance only; whole numbers of an id may have become floats. */
const isName = ({ name, racer, key }: ColumnProfile): boolean =>
  !/^(?:timestamp|date|bool|json|float|decimal)/.test(racer?.form.type ?? '') ||
  (key.oddWhole !== null && nameScore(name) > 0);

/** An id may lack in some rows; anything else that does is no id. */
const isWanted = ({ name, key }: ColumnProfile): boolean => key.missing === 0 || nameScore(name) > 0;

const isNoun = ({ name }: ColumnProfile): boolean => NOUNS.test(name);

/** Unique because it was made for the row. */
const isOwn = (profile: ColumnProfile): boolean =>
  !isNoun(profile) && (OWN.test(profile.name) || profile.key.looks !== null);

function isTime({ name, racer, isWallTime }: ColumnProfile): boolean {
  const isNamed = /(?:^|_)(?:ts|time|timestamp|date|datetime|at)$/i.test(name);
  return isWallTime || isNamed || /^(?:timestamp|date)/.test(racer?.form.type ?? '');
}

/** `prefix` stands before the entity in the key. */
export function chooseEntity(
  profiles: readonly ColumnProfile[],
  rows: number,
  given: readonly string[],
  prefix: string,
): EntityChoice {
  const choice =
    given.length > 0 ? { parts: given, reason: 'by --key', isWarning: false } : chooseColumn(profiles, rows);
  const troubles = [
    ...profiles.flatMap((profile) =>
      choice.parts.includes(profile.name) ? troublesOf(profile, rows, prefix) : [],
    ),
    ...(given.length > 0 ? [] : passedOver(profiles, choice)),
  ];
  if (troubles.length === 0) return choice;
  return { ...choice, reason: [choice.reason, ...troubles].join('; '), isWarning: true };
}

const USE_ROW =
  'so the number of the row in its file stands in the key: put {column} there instead, or several such as {a}:{b}';

/** By its name alone. */
function chooseName(profiles: readonly ColumnProfile[]): EntityChoice {
  const [named] = ranked(
    profiles.filter(({ name, key }) => nameScore(name) > 0 && key.noEntity === null && key.unfit === null),
  );
  if (named === undefined) {
    return {
      parts: ['_row'],
      reason: `no row seen, and no name sounds like an entity, ${USE_ROW}`,
      isWarning: true,
    };
  }
  return {
    parts: [named.name],
    reason: `no row seen; ${shown(named.name)} sounds like an entity`,
    isWarning: true,
  };
}

function chooseColumn(profiles: readonly ColumnProfile[], rows: number): EntityChoice {
  if (rows === 0) return chooseName(profiles);
  const usable = profiles.filter(
    (profile) => profile.key.isUsable && isName(profile) && isWanted(profile) && !isRowNumber(profile),
  );
  const unique = ranked(usable.filter(({ key }) => key.isUnique));
  const [best] = unique;
  const [repeated] = ranked(usable.filter(({ key }) => !key.isUnique)).filter(
    ({ name }) => nameScore(name) > 0,
  );
  const hasTime = profiles.some(isTime);
  if (best && !(repeated && givesWay(best, repeated, hasTime))) {
    return {
      parts: [best.name],
      reason: `${uniqueText(best, rows)}${othersText(unique.slice(1), repeated)}`,
      isWarning: rows < 2,
    };
  }
  if (repeated) {
    const why = best ? `${shown(best.name)} is unique, but ${unlikely(best)}` : noneUnique(profiles);
    return {
      parts: [repeated.name],
      reason: `${why}; ${repeatedText(repeated, rows, hasTime)}`,
      isWarning: true,
    };
  }
  return {
    parts: ['_row'],
    reason: `${noneUnique(profiles)}, and none sounds like an entity, ${USE_ROW}`,
    isWarning: true,
  };
}

/** What is wrong with values of a key column that can be a key all the same. */
function troublesOf({ name, key }: ColumnProfile, rows: number, prefix: string): string[] {
  const has = (some: number): string => `${some} of ${rows} rows ${some === 1 ? 'has' : 'have'}`;
  const found: string[] = [];
  if (key.missing > 0) found.push(`${has(key.missing)} no ${shown(name)} and will be rejected`);
  if (key.words !== null) {
    const [first = ''] = key.words.texts;
    const texts = key.words.texts.map((text) => JSON.stringify(text)).join(', ');
    found.push(
      `${has(key.words.rows)} ${texts} there, an entity like any other unless you give --null-token ${first}`,
    );
  }
  if (key.oddWhole !== null) {
    found.push(
      `its numbers are written as floats, so that keys would be ${JSON.stringify(prefix + key.oddWhole)}: write them as integers (pandas: df[${JSON.stringify(name)}].astype("Int64"))`,
    );
  }
  return found;
}

/** Ids that would be better keys than what was taken, but cannot be. */
function passedOver(profiles: readonly ColumnProfile[], { parts }: EntityChoice): string[] {
  const taken = Math.max(0, ...profiles.filter(({ name }) => parts.includes(name)).map(scoreOf));
  return profiles
    .filter((profile) => nameScore(profile.name) > 1 && scoreOf(profile) > taken)
    .flatMap(({ name, info, key }) => {
      const but = `${shown(name)} sounds like an entity, but`;
      if (key.isMostlyMissing) return [`${but} most rows have none`];
      if (key.noEntity === null || info.type === 'text') return [];
      return [`${but} is ${describeType(info.type)}: ${key.noEntity}`];
    });
}

/** Whether a column that is unique is less likely the entity than one that has several rows. */
function givesWay(best: ColumnProfile, repeated: ColumnProfile, hasTime: boolean): boolean {
  if (nameScore(repeated.name) < 2 && !isNoun(repeated)) return false;
  const isNamed = nameScore(best.name) > 0;
  if (isOwn(best)) return hasTime || (isNoun(repeated) && (OWN.test(best.name) || !isNamed));
  if (isNamed) return false;
  const isMeasure = /int/.test(best.racer?.form.type ?? '');
  return hasTime || isNoun(repeated) || isMeasure;
}

function unlikely(best: ColumnProfile): string {
  if (best.key.looks === 'counter') return 'counts the rows';
  if (isOwn(best)) return 'looks like made for the row';
  return 'its name is not that of an entity';
}

function repeatedText({ name, key }: ColumnProfile, rows: number, hasTime: boolean): string {
  const many = `${key.isCounted ? '' : 'over '}${key.distinct} different values in ${rows} rows`;
  const last = hasTime ? 'the last wins (with event_time and --mode newer the latest)' : 'the last wins';
  return `${shown(name)} sounds like an entity and has ${many}: of the rows of one entity ${last}`;
}

function othersText(unique: readonly ColumnProfile[], repeated: ColumnProfile | undefined): string {
  const others = unique.map(({ name }) => shown(name));
  const so = others.length > 0 ? `; so have ${listed(others)}` : '';
  if (!repeated || nameScore(repeated.name) < 2) return so;
  return `${so}; ${shown(repeated.name)} repeats: it would be the key if each of its rows replaces the one before`;
}

/** Names what is unique all the same, and why it is no key. */
function noneUnique(profiles: readonly ColumnProfile[]): string {
  const unique = profiles.filter(({ key }) => key.isUnique);
  if (unique.length === 0) return 'no column is unique';
  const why = unique.slice(0, 3).map((profile) => `${shown(profile.name)} ${whyNoKey(profile)}`);
  const more = unique.length > why.length ? `; so are ${unique.length - why.length} more` : '';
  return `what is unique is no entity: ${why.join('; ')}${more}`;
}

function whyNoKey(profile: ColumnProfile): string {
  if (profile.key.unfit !== null) return `${profile.key.unfit} (rename it to use it)`;
  if (isRowNumber(profile)) return 'counts the rows';
  return `is a ${profile.racer?.form.type ?? 'column'}`;
}

function scoreOf(profile: ColumnProfile): number {
  return 2 * nameScore(profile.name) + (isNoun(profile) ? 1 : 0) - (isOwn(profile) ? 1 : 0);
}

function ranked(profiles: readonly ColumnProfile[]): readonly ColumnProfile[] {
  return [...profiles].sort((a, b) => scoreOf(b) - scoreOf(a) || a.key.missing - b.key.missing);
}

function uniqueText({ name, key }: ColumnProfile, rows: number): string {
  if (rows < 2) return `${shown(name)}: only ${rows} row seen, which says little about what is unique`;
  return `${shown(name)} has a different value in each of ${key.isCounted ? '' : 'the first '}${key.distinct} rows`;
}

function listed(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}

/** A name from the data within a comment: one line, no control characters. */
export function shown(name: string): string {
  const plain = /^[A-Za-z_][\w.-]*$/.test(name);
  return plain ? name : oneLine(JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name));
}

/** YAML ends a comment at a line end, and takes no control characters. */
export function oneLine(text: string): string {
  return text.replace(/[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/g, '?');
}
