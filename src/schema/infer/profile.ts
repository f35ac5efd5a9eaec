/** What the sampled rows say about one column: its type, its nulls, and whether it could name an entity. */
import type { ByteString, Column, ColumnInfo, Value } from '../../core/types.ts';
import { fromBytes, isFault } from '../codecs/codec.ts';
import type { WallToUtc } from '../codecs/time-zone.ts';
import { keyCodec } from '../columns.ts';
import { candidatesOf, type Race, type Racer, startRace, wallTime } from './candidates.ts';

/** Different values of a column that are remembered; a column with more is said to be unique in so many rows. */
export const UNIQUE_LIMIT = 200_000;

/** As many of one that has repeated already, which is no more than a number in a comment. */
const REPEATED_LIMIT = 10_000;

/** Cells that often stand for null in other people's files. */
const NULL_WORDS = new Set([
  'NA',
  'N/A',
  'n/a',
  'NULL',
  'null',
  'None',
  'none',
  'nil',
  '\\N',
  'NaN',
  'nan',
  '-',
]);

export interface ColumnProfile {
  readonly name: string;
  readonly info: ColumnInfo;
  readonly values: number;
  readonly nulls: number;
  /** Null: no type fits all values. */
  readonly racer: Racer | null;
  /** For text: what the column would be if these words meant null; null where that changes nothing. */
  readonly ifNull: { readonly type: string; readonly words: readonly string[] } | null;
  /** All values are lists of this many numbers; null: they are not. */
  readonly vectorLength: number | null;
  /** All values are times that name no zone. */
  readonly isWallTime: boolean;
  readonly key: KeyProfile;
}

export interface KeyProfile {
  /** Every row has an entity here that a key can be made of. */
  readonly isUsable: boolean;
  /** Why a key template cannot name the column, whatever it holds; null: it can. */
  readonly unfit: string | null;
  /** All values are UUIDs, or count the rows by one from 0 or 1 on. */
  readonly looks: 'uuid' | 'counter' | null;
  readonly isUnique: boolean;
  /** Different entities; a lower bound beyond UNIQUE_LIMIT. */
  readonly distinct: number;
  readonly isCounted: boolean;
}

export interface Profiler {
  /** Rows of the batch but those that the reader could not take. */
  add(column: Column, rows: number, faults: ReadonlyMap<number, unknown> | null): void;
  profile(): ColumnProfile;
}

/** `tokens`: unquoted cells that mean null. */
export function createProfiler(
  info: ColumnInfo,
  zone: WallToUtc | null,
  tokens: ReadonlySet<ByteString>,
): Profiler {
  const race = startRace(candidatesOf(info.type, zone));
  /** Without the words that may mean null; the same race until the first of them. */
  let lenient: Race | null = null;
  const wall = startRace(info.type === 'text' && zone === null ? [wallTime()] : []);
  const words = new Set<string>();
  const entities = createEntities(info, zone);
  let vectorLength: number | null | undefined;
  let nulls = 0;
  let values = 0;
  const addValue = (value: Value, isQuoted: boolean): void => {
    const isNull = value === null || (info.type === 'text' && !isQuoted && tokens.has(value as ByteString));
    entities.add(isNull ? null : value);
    if (isNull) {
      nulls += 1;
      return;
    }
    values += 1;
    const isWord = info.type === 'text' && !isQuoted && NULL_WORDS.has(value as ByteString);
    if (isWord) {
      lenient ??= race.fork();
      words.add(value as string);
    } else lenient?.add(value);
    race.add(value);
    const length = vectorLength === null ? null : listLength(value);
    vectorLength = vectorLength === undefined || vectorLength === length ? length : null;
    if (info.type === 'text') wall.add(value);
  };
  return {
    add: (column, rows, faults) => {
      for (let row = 0; row < rows; row += 1) {
        if (faults?.has(row)) continue;
        if (column.kind === 'typed') addValue(column.at(row), false);
        else addValue(column.cell(row), column.quoted?.[row] === 1);
      }
    },
    profile: () => {
      const racer = race.winner();
      const other = lenient?.winner() ?? null;
      const isBetter = other !== null && other.values > 0 && other.form.type !== racer?.form.type;
      return {
        name: info.name,
        info,
        values,
        nulls,
        racer,
        ifNull: isBetter ? { type: other.form.type, words: [...words] } : null,
        vectorLength: vectorLength ?? null,
        isWallTime: values > 0 && wall.winner() !== null,
        key: entities.profile(),
      };
    },
  };
}

/** Numbers in a JSON array or list of them; null for anything else. */
function listLength(value: Value): number | null {
  if (Array.isArray(value)) {
    return value.length > 0 && value.every((item) => typeof item === 'number') ? value.length : null;
  }
  if (typeof value !== 'string' || !/^\[[-+.,\deE\s]*\d[-+.,\deE\s]*\]$/.test(value)) return null;
  return value.split(',').length;
}

function createEntities(
  info: ColumnInfo,
  zone: WallToUtc | null,
): { add(value: Value): void; profile(): KeyProfile } {
  const codec = info.type === 'text' ? (value: Value) => value as ByteString : keyCodec(info.type, zone);
  const unfit = whyUnfit(info.name);
  let isUsable = typeof codec !== 'string';
  const seen = new Set<ByteString>();
  let rows = 0;
  let isUnique = true;
  let first: number | null = null;
  let isCounter = true;
  let isUuid = true;
  const look = (entity: ByteString): void => {
    if (isUuid) isUuid = UUID.test(entity);
    if (!isCounter) return;
    first ??= entity === '0' || entity === '1' ? Number(entity) : Number.NaN;
    isCounter = entity === String(first + rows - 1);
  };
  return {
    add: (value) => {
      if (!isUsable || typeof codec === 'string') return;
      const entity = value === null ? '' : codec(value);
      isUsable = !isFault(entity) && !isBlank(entity);
      rows += 1;
      if (!isUsable || isFault(entity) || seen.size >= (isUnique ? UNIQUE_LIMIT : REPEATED_LIMIT)) return;
      look(entity);
      if (seen.has(entity)) isUnique = false;
      else seen.add(entity);
    },
    profile: () => ({
      isUsable: isUsable && rows > 0 && unfit === null,
      unfit,
      looks: rows === 0 || !isUsable ? null : isUuid ? 'uuid' : isCounter ? 'counter' : null,
      isUnique: isUnique && isUsable && rows > 0,
      distinct: seen.size,
      isCounted: seen.size < (isUnique ? UNIQUE_LIMIT : REPEATED_LIMIT),
    }),
  };
}

const UUID = /^[\da-f]{8}-?(?:[\da-f]{4}-?){3}[\da-f]{12}$/i;

function whyUnfit(name: string): string | null {
  if (/[{}]/.test(name)) return 'has braces in its name, which stand for columns in a key';
  if (name === '_row' || name === '_source') return 'has a name that means something else in a key';
  return name === '' ? 'has no name' : null;
}

function isBlank(entity: ByteString): boolean {
  const code = entity.charCodeAt(0);
  return !(code > 32 && code < 127) && fromBytes(entity).trim() === '';
}
