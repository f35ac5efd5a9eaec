/** Types that a column may have, the narrowest first: each sees every sampled value until one does not fit. */
import type { ByteString, ColumnType, LogicalType, Value } from '../../core/types.ts';
import { type Coded, fault, isFault } from '../codecs/codec.ts';
import type { WallToUtc } from '../codecs/time-zone.ts';
import { buildFeature, type FeatureContext } from '../feature.ts';
import type { FeatureForm } from '../form.ts';
import { typeOf } from '../from-columns.ts';

export interface Candidate {
  readonly form: FeatureForm;
  /** What would be stored; a fault where the value is not of this type, or would lose something by it. */
  readonly code: (value: Value) => Coded;
  /** Whether it may win with what it has seen; a column of NaN alone is no number. */
  readonly isSure: () => boolean;
}

/** Fresh candidates of a text column. The last, string, takes everything. */
export function textCandidates(zone: WallToUtc | null): readonly Candidate[] {
  const text = (form: FeatureForm, isSafe: (cell: ByteString) => boolean): Candidate => {
    const { codec } = build(form, zone);
    return {
      form,
      code: (value) => {
        const cell = value as ByteString;
        return isSafe(cell) ? codec.text(cell) : fault('FLOAT', form.type, cell);
      },
      isSure: () => true,
    };
  };
  return [
    text({ type: 'bool' }, (cell) => /^(?:true|false)$/i.test(cell)),
    text({ type: 'int64' }, isPlainNumber),
    text({ type: 'uint64' }, isPlainNumber),
    text({ type: 'float64' }, isExactFloat),
    nonfinite(text),
    text({ type: 'decimal' }, isPlainNumber),
    text({ type: 'date' }, () => true),
    text({ type: 'timestamp' }, () => true),
    text({ type: 'json' }, (cell) => /^[[{]/.test(cell)),
    text({ type: 'string' }, () => true),
  ];
}

/** Takes times with and without a zone; for a hint only. */
export function wallTime(): Candidate {
  const { codec } = build({ type: 'timestamp' }, (wall) => wall);
  return {
    form: { type: 'timestamp' },
    code: (value) => codec.text(value as ByteString),
    isSure: () => true,
  };
}

function nonfinite(text: (form: FeatureForm, isSafe: (cell: ByteString) => boolean) => Candidate): Candidate {
  let finite = 0;
  const isSafe = (cell: ByteString): boolean => {
    if (/^-?(?:nan|inf(?:inity)?)$/i.test(cell)) return true;
    const isExact = isExactFloat(cell);
    if (isExact) finite += 1;
    return isExact;
  };
  return { ...text({ type: 'float64', allow_nonfinite: true }, isSafe), isSure: () => finite > 0 };
}

/** Fresh candidates of a typed column: its own type first. May be empty for a type that nothing stores. */
export function typedCandidates(type: LogicalType, zone: WallToUtc | null): readonly Candidate[] {
  const own: FeatureForm = { type: typeOf(type) };
  const forms: FeatureForm[] = [own];
  const length = vectorLength(type);
  if (length !== null) forms.unshift({ type: `vector<${length.item}>[${length.size}]` });
  if (/^(?:float|json)/.test(own.type)) forms.push({ ...own, allow_nonfinite: true });
  if (type.kind === 'binary') forms.push({ type: 'bytes' });
  return forms.flatMap((form) => {
    const code = build(form, zone).codec.typed(type);
    return typeof code === 'string' ? [] : [{ form, code, isSure: () => true }];
  });
}

/** Lists of one length by their type are what vectors are for. */
function vectorLength(type: LogicalType): { item: 'float32' | 'float64'; size: number } | null {
  if (type.kind !== 'list' || type.size === null || type.size < 1 || type.size > 999_999) return null;
  if (type.item.kind !== 'float') return null;
  return { item: type.item.bits === 64 ? 'float64' : 'float32', size: type.size };
}

export function candidatesOf(type: ColumnType, zone: WallToUtc | null): readonly Candidate[] {
  return type === 'text' ? textCandidates(zone) : typedCandidates(type, zone);
}

function build(form: FeatureForm, zone: WallToUtc | null): ReturnType<typeof buildFeature> {
  const context: FeatureContext = { zone, policy: 'skip', tokens: new Set(['']), problem: () => {} };
  return buildFeature('x', form, context);
}

/** No plus sign, no leading zero, no minus zero: 007 and +49… are names, and a number would lose that. */
function isPlainNumber(cell: ByteString): boolean {
  return /^-?(?:0|[1-9]\d*)?(?:\.\d*)?(?:[eE][+-]?\d+)?$/.test(cell) && cell !== '-0';
}

/** Digits beyond these are not a double's. */
const DOUBLE_DIGITS = 17;

/** So many digits and signs without an exponent are any double's (DBL_DIG). */
const FEW = /^-?[\d.]{1,15}$/;

/** Whether a double keeps every digit that is written, as it does of what another double was written as. */
export function isExactFloat(cell: ByteString): boolean {
  if (!isPlainNumber(cell) && cell !== '-0') return false;
  if (FEW.test(cell)) return true;
  const digits = cell
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  if (digits === '') return true;
  const significant = digits.replace(/0+$/, '');
  if (significant.length > DOUBLE_DIGITS) return false;
  const value = Number(cell);
  return value.toExponential(significant.length - 1).replace(/e.*$|[-.]/g, '') === significant;
}

/** Runs candidates side by side; what has met a value that does not fit is out. */
export interface Race {
  add(value: Value): void;
  /** The narrowest type that fits all values; null where none does. */
  winner(): Racer | null;
  isLive(candidate: Candidate): boolean;
  /** How many are. */
  readonly size: number;
  /** A race of its own that has seen what this one has. */
  fork(): Race;
}

export interface Racer {
  readonly form: FeatureForm;
  /** Values seen. */
  readonly values: number;
  /** Values that are NaN, which is neither small nor large. */
  readonly nans: number;
  /** Smallest and largest stored text by the order of the type; '' before the first value that has one. */
  readonly min: ByteString;
  readonly max: ByteString;
  /** Bytes of the longest. */
  readonly longest: number;
}

export function startRace(candidates: readonly Candidate[]): Race {
  return raceOf(
    candidates.map((candidate) => ({
      candidate,
      order: orderOf(candidate.form.type),
      low: Number.POSITIVE_INFINITY,
      high: Number.NEGATIVE_INFINITY,
      racer: { form: candidate.form, values: 0, nans: 0, min: '', max: '', longest: 0 },
    })),
  );
}

interface Runner {
  readonly candidate: Candidate;
  readonly order: Order | null;
  /** The racer's min and max as doubles, where they are numbers. */
  low: number;
  high: number;
  readonly racer: Mutable<Racer>;
}

function raceOf(runners: Runner[]): Race {
  let live = runners;
  return {
    add: (value) => {
      let lost: Set<Runner> | null = null;
      for (const runner of live) {
        const coded = runner.candidate.code(value);
        if (isFault(coded)) {
          lost ??= new Set();
          lost.add(runner);
        } else note(runner, coded);
      }
      if (lost !== null) live = live.filter((runner) => !lost.has(runner));
    },
    winner: () => live.find(({ candidate }) => candidate.isSure())?.racer ?? null,
    isLive: (candidate) => live.some((runner) => runner.candidate === candidate),
    get size() {
      return live.length;
    },
    fork: () => raceOf(live.map((runner) => ({ ...runner, racer: { ...runner.racer } }))),
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function note(runner: Runner, coded: ByteString): void {
  const { racer, order } = runner;
  racer.longest = Math.max(racer.longest, coded.length);
  if (order?.isNumber && coded === NAN) racer.nans += 1;
  else if (order !== null && coded !== racer.min && coded !== racer.max) noteOrder(runner, coded, order);
  racer.values += 1;
}

/** As a float codec stores it. */
const NAN = 'nan';

function noteOrder(runner: Runner, coded: ByteString, { isLess, isNumber }: Order): void {
  const { racer } = runner;
  const number = isNumber ? numberOf(coded) : Number.NaN;
  // Doubles keep order, so what lies between them as doubles does exactly.
  if (number > runner.low && number < runner.high) return;
  if (racer.min === '' || isLess(coded, racer.min)) {
    racer.min = coded;
    runner.low = number;
  }
  if (racer.max === '' || isLess(racer.max, coded)) {
    racer.max = coded;
    runner.high = number;
  }
}

interface Order {
  readonly isLess: (a: ByteString, b: ByteString) => boolean;
  readonly isNumber: boolean;
}

function orderOf(type: string): Order | null {
  if (/^(?:u?int|float|decimal)/.test(type)) return { isLess: isSmaller, isNumber: true };
  return /^(?:date|timestamp)/.test(type) ? { isLess: (a, b) => a < b, isNumber: false } : null;
}

function isSmaller(a: ByteString, b: ByteString): boolean {
  if (a.length < 16 && b.length < 16) return numberOf(a) < numberOf(b);
  if (/^-?\d+$/.test(a) && /^-?\d+$/.test(b)) return BigInt(a) < BigInt(b);
  return numberOf(a) < numberOf(b);
}

/** Of a number as it is stored. */
function numberOf(stored: ByteString): number {
  if (stored === 'inf') return Number.POSITIVE_INFINITY;
  return stored === '-inf' ? Number.NEGATIVE_INFINITY : Number(stored);
}
