/** Which column names the entity: unique ones first, among them by name, then by place. */
import type { ColumnProfile } from './profile.ts';

export interface EntityChoice {
  /** Column names of the key; `_row` where no column can stand in a key. */
  readonly parts: readonly string[];
  /** Why, for a comment; `warning`: rows may overwrite each other, or the key means little. */
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

/** A moment or a truth value is unique by chance only. */
const isName = ({ racer }: ColumnProfile): boolean =>
  !/^(?:timestamp|date|bool|json|float|decimal)/.test(racer?.form.type ?? '');

export function chooseEntity(
  profiles: readonly ColumnProfile[],
  rows: number,
  given: readonly string[],
): EntityChoice {
  if (given.length > 0) return { parts: given, reason: 'by --key', isWarning: false };
  const usable = profiles.filter((profile) => profile.key.isUsable);
  const unique = ranked(usable.filter(({ key }) => key.isUnique));
  const [best] = unique;
  if (best && isName(best)) {
    const others = unique
      .slice(1)
      .filter(isName)
      .map(({ name }) => shown(name));
    return {
      parts: [best.name],
      reason: `${uniqueText(best, rows)}${others.length > 0 ? `; so have ${listed(others)}` : ''}`,
      isWarning: rows < 2,
    };
  }
  const [likely] = ranked(usable.filter(isName)).filter(({ name }) => nameScore(name) > 0);
  if (likely) {
    const { distinct, isCounted } = likely.key;
    return {
      parts: [likely.name],
      reason:
        `no column is unique; ${shown(likely.name)} sounds like an entity and has ${isCounted ? '' : 'over '}${distinct} different values ` +
        `in ${rows} rows: of the rows of one entity the last wins`,
      isWarning: true,
    };
  }
  return {
    parts: ['_row'],
    reason:
      'no column is unique or sounds like an entity, so the number of the row in its file stands in the key: ' +
      'put {column} there instead, or several such as {a}:{b}',
    isWarning: true,
  };
}

function ranked(profiles: readonly ColumnProfile[]): readonly ColumnProfile[] {
  const score = (profile: ColumnProfile): number => (isName(profile) ? 10 : 0) + nameScore(profile.name);
  return [...profiles].sort((a, b) => score(b) - score(a));
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
