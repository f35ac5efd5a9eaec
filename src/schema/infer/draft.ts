/** Profiles of the columns → the text of a schema file, with what was seen as comments. */
import { isPandasIndex, REJECT_COLUMNS, typeOf } from '../from-columns.ts';
import { type EntityChoice, isRowNumber, oneLine, shown } from './entity.ts';
import type { ColumnProfile } from './profile.ts';

export interface DraftFacts {
  /** Such as `featurectl 0.1.0`. */
  readonly by: string;
  readonly source: string;
  readonly rows: number;
  /** The sample is the whole source. */
  readonly isAll: boolean;
  /** Rows that the reader could not take (field count, UTF-8). */
  readonly faults: number;
  /** Why and where the first of them; null: there is none. */
  readonly firstFault: string | null;
  readonly name: string;
  readonly prefix: string;
  readonly ttl: string | null;
  readonly nullTokens: readonly string[];
  /** Zone of times without one; `assumed`: nobody said so. */
  readonly timezone: { readonly name: string; readonly isAssumed: boolean } | null;
  readonly entity: EntityChoice;
  readonly warnings: readonly string[];
}

interface Line {
  readonly text: string;
  readonly comment: string;
}

export function draftSchema(facts: DraftFacts, profiles: readonly ColumnProfile[]): string {
  const { kept, left } = featureColumns(facts, profiles);
  const lines = [
    ...headLines(facts, kept),
    { text: 'features:', comment: '' },
    ...kept.map((profile) => featureLine(profile, facts.rows)),
  ];
  const notes = [...left, ...facts.warnings].map((note) => `# ${oneLine(note)}`);
  return [...titleLines(facts), ...aligned(lines), ...notes, ''].join('\n');
}

function titleLines({ by, source, rows, isAll, faults, firstFault }: DraftFacts): string[] {
  const seen = isAll
    ? `${count(rows, 'row')}, all of it`
    : `the first ${count(rows, 'row')} (--sample all sees every row)`;
  return [
    `# Inferred by ${by} from ${shown(source)}: ${seen}.`,
    ...(faults > 0
      ? [
          `# ${count(faults, 'row')} of these could not be read and would be rejected; the first ${oneLine(firstFault ?? '')}`,
        ]
      : []),
    '# Look at the key and the TTL, then try it: featurectl validate SOURCE --schema THIS_FILE',
  ];
}

function headLines(facts: DraftFacts, kept: readonly ColumnProfile[]): Line[] {
  const { name, ttl, nullTokens, timezone, entity } = facts;
  const key = `${braces(facts.prefix)}${entity.parts.map((part) => `{${part}}`).join(':')}`;
  const times = kept.filter(
    ({ racer, nulls, values }) => racer?.form.type === 'timestamp' && nulls === 0 && values > 0,
  );
  return [
    { text: `name: ${scalar(name)}`, comment: '' },
    {
      text: `key: ${JSON.stringify(key)}`,
      comment: `${entity.isWarning ? 'WARNING: ' : ''}${entity.reason}`,
    },
    {
      text: `ttl: ${scalar(ttl ?? '24h')}`,
      comment: ttl === null ? 'not in the data: how long may a value be served?' : '',
    },
    ...times.slice(0, 1).map((time) => ({
      text: `# event_time: ${scalar(time.name)}`,
      comment: 'uncomment if it says when a row was true: for --mode newer, and for the age in get and check',
    })),
    ...(timezone === null
      ? []
      : [
          {
            text: `timezone: ${scalar(timezone.name)}`,
            comment: timezone.isAssumed
              ? 'WARNING: UTC is assumed, since times in the data name no zone; --timezone says another'
              : '',
          },
        ]),
    {
      text: `null: { tokens: [${['', ...nullTokens].map((token) => JSON.stringify(token)).join(', ')}], policy: skip }`,
      comment: 'a null sends no field; policy error rejects the row instead',
    },
  ];
}

/** The columns that become features, and words for those that do not. A key column is one only if it is alone. */
function featureColumns(
  { entity }: DraftFacts,
  profiles: readonly ColumnProfile[],
): { kept: readonly ColumnProfile[]; left: string[] } {
  const names = new Set(profiles.map(({ name }) => name));
  const isMended = REJECT_COLUMNS.every((name) => names.has(name));
  const left: string[] = [];
  const kept = profiles.filter((profile) => {
    const why = whyLeft(profile, isMended);
    if (why !== null) left.push(`column ${shown(profile.name)} is left out: ${why}`);
    return why === null && !entity.parts.includes(profile.name);
  });
  if (kept.length > 0) return { kept, left };
  return { kept: profiles.filter((profile) => whyLeft(profile, isMended) === null), left };
}

function whyLeft(profile: ColumnProfile, isMended: boolean): string | null {
  if (profile.name === '') return 'it has no name';
  if (isRowNumber(profile) && isPandasIndex(profile.name)) {
    return 'it counts the rows, as the index does that pandas writes (index=False leaves it out)';
  }
  if (isMended && REJECT_COLUMNS.includes(profile.name)) return 'it is of the rejects file';
  return profile.racer === null && profile.values > 0 ? 'no type of a feature holds its values' : null;
}

function featureLine(profile: ColumnProfile, rows: number): Line {
  const { racer, values, nulls, name, info } = profile;
  const form =
    values === 0 ? { type: typeOf(info.type), required: false } : (racer?.form ?? { type: 'string' });
  const options = Object.entries(form).map(
    ([key, value]) => `${key}: ${scalar(String(value), typeof value === 'string')}`,
  );
  const text = options.length === 1 ? scalar(form.type) : `{ ${options.join(', ')} }`;
  const comments = [
    ...(values === 0 ? ['no value seen'] : seenComments(profile)),
    ...(nulls > 0 && values > 0 ? [`null in ${nulls} of ${count(rows, 'row')}`] : []),
    ...hints(profile),
  ];
  return { text: `  ${scalar(name)}: ${text}`, comment: comments.join('; ') };
}

function seenComments({ racer }: ColumnProfile): string[] {
  if (racer === null) return [];
  const { min, max, nans, values } = racer;
  const range = min === max ? `${nans > 0 ? 'else ' : ''}always ${min}` : `${min} to ${max}`;
  const nan = nans > 0 ? [`nan in ${nans} of ${count(values, 'value')}`] : [];
  if (min !== '' || nans > 0) return [...nan, ...(min === '' ? [] : [range])];
  return /^(?:string|bytes|json)/.test(racer.form.type) ? [`up to ${count(racer.longest, 'byte')}`] : [];
}

/** What else the column might be; only a person can know. */
function hints({ racer, ifNull, near, shape, isWallTime, vectorLength, areSingle }: ColumnProfile): string[] {
  const type = racer?.form.type ?? '';
  const found: string[] = [];
  if (ifNull !== null)
    found.push(
      `${ifNull.type} if ${ifNull.words.map((word) => JSON.stringify(word)).join(', ')} ${ifNull.words.length === 1 ? 'means' : 'mean'} null: --null-token`,
    );
  if (near !== null)
    found.push(
      `${near.type} but for ${near.misses} of ${count(near.values, 'value')}, first at line ${near.line}`,
    );
  if (/^u?int64$/.test(type) && racer !== null) {
    const unit = epochUnit(racer.min, racer.max);
    if (unit !== null) found.push(`if these are times: { type: timestamp, unit: ${unit} }`);
  }
  if (type === 'json' && vectorLength !== null) {
    const single = `vector<float32>[${vectorLength}]`;
    const packed = areSingle
      ? `${single} stores them packed`
      : `vector<float64>[${vectorLength}] stores them packed, ${single} rounded and in half of that`;
    found.push(`always ${count(vectorLength, 'number')}: ${packed}`);
  }
  if (shape !== null) found.push(shape);
  if (type === 'string' && isWallTime) found.push('times without a zone: --timezone makes them timestamps');
  return found;
}

/** 1990 to 2100 in some unit, as a hint. */
function epochUnit(min: string, max: string): string | null {
  const units = [
    ['s', 1],
    ['ms', 1e3],
    ['us', 1e6],
    ['ns', 1e9],
  ] as const;
  const fits = units.find(
    ([, scale]) => Number(min) >= 631_152_000 * scale && Number(max) <= 4_102_444_800 * scale,
  );
  return fits?.[0] ?? null;
}

/** Comments stand in one column where the lines are not too long for that. */
function aligned(lines: readonly Line[]): string[] {
  const width = Math.min(60, Math.max(...lines.map(({ text }) => text.length)));
  return lines.map(({ text, comment }) =>
    comment === '' ? text : `${text.padEnd(width)}  # ${oneLine(comment)}`,
  );
}

/** Words that YAML takes for something else than text, in any case. */
const YAML_WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** Text as a YAML scalar: plain where that is plainly text, else in double quotes. */
function scalar(text: string, quoteOdd = true): string {
  if (!quoteOdd) return text;
  const isPlain = /^[A-Za-z_][\w.<>-]*$|^\d+[a-z]+$/.test(text) && !YAML_WORDS.test(text);
  return isPlain ? text : oneLineJson(text);
}

/** JSON is YAML but for characters that YAML takes for line ends or does not print. */
function oneLineJson(text: string): string {
  return JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function braces(text: string): string {
  return text.replace(/[{}]/g, '$&$&');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
