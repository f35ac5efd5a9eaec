/** What the sampled rows say about one column: its type, its nulls, and whether it could name an entity. */
import type { ByteString, Column, ColumnBatch, ColumnInfo, Value } from '../../core/types.ts';
import { fromBytes, isFault } from '../codecs/codec.ts';
import type { WallToUtc } from '../codecs/time-zone.ts';
import { keyCodec } from '../columns.ts';
import { candidatesOf, type Race, type Racer, startRace, wallTime } from './candidates.ts';
import { type Near, startNearRace } from './near.ts';
import { startShapes } from './shape.ts';

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
  /** For text that is no other type: the one that nearly all values are. */
  readonly near: Near | null;
  /** For text that is numbers or dates in a writing that no type reads: what it could be. */
  readonly shape: string | null;
  /** All values are lists of this many numbers; null: they are not. */
  readonly vectorLength: number | null;
  /** All numbers in the lists are float32 as they are. */
  readonly areSingle: boolean;
  /** All values are times that name no zone. */
  readonly isWallTime: boolean;
  readonly key: KeyProfile;
}

export interface KeyProfile {
  /** A key can be made of the values here, and at least as many rows have one as have none. */
  readonly isUsable: boolean;
  /** Rows without an entity: null or blank. A load rejects them. */
  readonly missing: number;
  /** More rows are without an entity than have one. */
  readonly isMostlyMissing: boolean;
  /** Why values of this type are no entity; null: they are. */
  readonly noEntity: string | null;
  /** The first whole number that is not written as one, such as 1.0, where all values are whole numbers; null: none. */
  readonly oddWhole: string | null;
  /** Words that often stand for null and would be entities here, and the rows that have them. */
  readonly words: { readonly texts: readonly string[]; readonly rows: number } | null;
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
  add(column: Column, rows: number, batch: Pick<ColumnBatch, 'faults' | 'line'>): void;
  profile(): ColumnProfile;
}

/** `tokens`: unquoted cells that mean null. */
export function createProfiler(
  info: ColumnInfo,
  zone: WallToUtc | null,
  tokens: ReadonlySet<ByteString>,
): Profiler {
  const candidates = candidatesOf(info.type, zone);
  const race = startRace(candidates);
  /** Without the words that may mean null; the same race until the first of them. */
  let lenient: Race | null = null;
  const wall = startRace(info.type === 'text' && zone === null ? [wallTime()] : []);
  const nearly = startNearRace(candidates, race);
  const shapes = startShapes();
  const words = new Set<string>();
  const entities = createEntities(info, zone);
  let vectorLength: number | null | undefined;
  let areSingle = true;
  let nulls = 0;
  let values = 0;
  const addValue = (value: Value, isQuoted: boolean, line: () => number): void => {
    const isNull = value === null || (info.type === 'text' && !isQuoted && tokens.has(value as ByteString));
    const isWord = info.type === 'text' && !isQuoted && NULL_WORDS.has(value as ByteString);
    entities.add(isNull ? null : value, isWord);
    if (isNull) {
      nulls += 1;
      return;
    }
    values += 1;
    if (isWord) {
      lenient ??= race.fork();
      words.add(value as string);
    } else lenient?.add(value);
    race.add(value);
    const length = vectorLength === null ? null : listLength(value);
    vectorLength = vectorLength === undefined || vectorLength === length ? length : null;
    if (length !== null && areSingle) areSingle = numbersOf(value).every((n) => Math.fround(n) === n);
    if (info.type !== 'text') return;
    wall.add(value);
    if (isWord) return;
    nearly.add(value as ByteString, line);
    // What still may be of a type has no need of a hint: digits cost nothing here.
    if (race.size === 1) shapes.add(value as ByteString);
  };
  return {
    add: (column, rows, batch) => {
      for (let row = 0; row < rows; row += 1) {
        if (batch.faults?.has(row)) continue;
        const line = (): number => batch.line(row);
        if (column.kind === 'typed') addValue(column.at(row), false, line);
        else addValue(column.cell(row), column.quoted?.[row] === 1, line);
      }
    },
    profile: () => {
      const racer = race.winner();
      const other = lenient?.winner() ?? null;
      const isOther =
        other?.form.type !== racer?.form.type || other?.form.allow_nonfinite !== racer?.form.allow_nonfinite;
      const isBetter = other !== null && other.values > 0 && isOther;
      return {
        name: info.name,
        info,
        values,
        nulls,
        racer,
        ifNull: isBetter ? { type: other.form.type, words: [...words] } : null,
        near: racer?.form.type === 'string' ? nearly.near() : null,
        shape: racer?.form.type === 'string' ? shapes.hint() : null,
        vectorLength: vectorLength ?? null,
        areSingle,
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

/** Of a value that has a listLength. */
function numbersOf(value: Value): readonly number[] {
  return Array.isArray(value)
    ? (value as readonly number[])
    : (value as string).slice(1, -1).split(',').map(Number);
}

function createEntities(
  info: ColumnInfo,
  zone: WallToUtc | null,
): { add(value: Value, isWord: boolean): void; profile(): KeyProfile } {
  const codec = info.type === 'text' ? (value: Value) => value as ByteString : keyCodec(info.type, zone);
  const unfit = whyUnfit(info.name);
  let isUsable = typeof codec !== 'string';
  const seen = new Set<ByteString>();
  const whole = createWholeNumbers();
  const words = new Set<string>();
  let wordRows = 0;
  let missing = 0;
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
    add: (value, isWord) => {
      if (!isUsable || typeof codec === 'string') return;
      const entity = value === null ? '' : codec(value);
      isUsable = !isFault(entity);
      if (isFault(entity)) return;
      if (isBlank(entity)) {
        missing += 1;
        return;
      }
      if (isWord) {
        words.add(entity);
        wordRows += 1;
        return;
      }
      rows += 1;
      whole.add(entity);
      if (seen.size >= (isUnique ? UNIQUE_LIMIT : REPEATED_LIMIT)) return;
      look(entity);
      if (seen.has(entity)) isUnique = false;
      else seen.add(entity);
    },
    profile: () => ({
      isUsable: isUsable && rows > 0 && missing + wordRows <= rows && unfit === null,
      missing,
      isMostlyMissing: rows > 0 && missing + wordRows > rows,
      noEntity: typeof codec === 'string' ? codec : null,
      oddWhole: whole.odd(),
      words: wordRows > 0 ? { texts: [...words], rows: wordRows } : null,
      unfit,
      looks: rows === 0 || !isUsable ? null : isUuid ? 'uuid' : isCounter ? 'counter' : null,
      isUnique: isUnique && isUsable && rows > 0,
      distinct: seen.size,
      isCounted: seen.size < (isUnique ? UNIQUE_LIMIT : REPEATED_LIMIT),
    }),
  };
}

/** Whether all entities are whole numbers, and the first that is not written as one. */
function createWholeNumbers(): { add(entity: ByteString): void; odd(): string | null } {
  let isWhole = true;
  let odd: string | null = null;
  return {
    add: (entity) => {
      if (!isWhole || /^-?\d+$/.test(entity)) return;
      isWhole = /^-?\d+(?:\.\d*)?(?:[eE]\+?\d+)?$/.test(entity) && Number.isInteger(Number(entity));
      odd ??= entity;
    },
    odd: () => (isWhole ? odd : null),
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
