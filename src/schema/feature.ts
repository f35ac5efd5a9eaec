/** One feature of a schema file → its codec, default, null policy; problems are told with their path. */
import type { ByteString, TimeUnit } from '../core/types.ts';
import { boolCodec } from './codecs/bool.ts';
import { bytesCodec } from './codecs/bytes.ts';
import { type Codec, isFault, toBytes } from './codecs/codec.ts';
import { dateCodec } from './codecs/date.ts';
import { decimalCodec } from './codecs/decimal.ts';
import { type FloatBits, floatCodec } from './codecs/float.ts';
import { intCodec, intRange } from './codecs/int.ts';
import { jsonCodec } from './codecs/json.ts';
import { stringCodec } from './codecs/string.ts';
import { timeZone, type WallToUtc } from './codecs/time-zone.ts';
import { epochMsCoded, timestampCodec } from './codecs/timestamp.ts';
import { vectorCodec } from './codecs/vector.ts';
import { decoderOf, epochMsDecoder, storedFormOf } from './decode.ts';
import { familyOf } from './feature-family.ts';
import type { FeatureForm } from './form.ts';
import { limited } from './limits.ts';
import type { Feature, NullPolicy } from './types.ts';

/** What a feature takes from the top of the file. */
export interface FeatureContext {
  readonly zone: WallToUtc | null;
  readonly policy: NullPolicy;
  readonly tokens: ReadonlySet<ByteString>;
  /** Tells a problem with an option, or with the feature as a whole (''). */
  readonly problem: (option: string, message: string) => void;
}

/** Options that only some types have. */
const OPTION_FAMILIES: ReadonlyMap<keyof FeatureForm, readonly string[]> = new Map([
  ['min', ['int', 'float', 'decimal']],
  ['max', ['int', 'float', 'decimal']],
  ['max_bytes', ['string', 'bytes', 'json']],
  ['allow_nonfinite', ['float', 'json', 'vector', 'string']],
  ['encoding', ['vector']],
  ['decode', ['bytes']],
  ['bool', ['bool']],
  ['true', ['bool']],
  ['false', ['bool']],
  ['unit', ['timestamp']],
  ['timezone', ['timestamp', 'json', 'string']],
  ['store', ['timestamp']],
  ['value', ['timestamp']],
]);

export function buildFeature(name: string, form: FeatureForm, context: FeatureContext): Feature {
  refuseForeignOptions(form, context);
  const zone = zoneOf(form, context);
  const codec = limited(codecOf(form, zone), form, context.problem);
  const store = storeUnit(form);
  const nullForm = typeof form.null === 'string' ? { policy: form.null } : (form.null ?? {});
  return {
    name,
    field: toBytes(name),
    type: form.type,
    from: form.value === undefined ? (form.from ?? name) : null,
    required: form.required ?? true,
    fallback: fallbackOf(form, codec, context),
    nullPolicy: nullForm.policy ?? context.policy,
    nullTokens: nullForm.tokens ? tokenSet(nullForm.tokens) : context.tokens,
    codec,
    stamp: form.value === undefined ? null : (startedAt) => epochMsCoded(startedAt, store),
    storedForm: storedFormOf(form),
    decode: decoderOf(form),
    epochMs: epochMsDecoder(form),
  };
}

/** An unquoted empty cell is null whatever the tokens are: there is no other way to leave one out. */
export function tokenSet(tokens: readonly (string | number | boolean)[]): ReadonlySet<ByteString> {
  return new Set(['', ...tokens.map((token) => toBytes(String(token)))]);
}

function refuseForeignOptions(form: FeatureForm, { problem }: FeatureContext): void {
  const family = familyOf(form.type);
  for (const [option, families] of OPTION_FAMILIES) {
    if (form[option] === undefined || families.includes(family)) continue;
    problem(option, `expected only with types ${families.join(', ')}, found with ${form.type}; remove it`);
  }
  const no = form.false?.map(String) ?? ['false', '0'];
  const both = (form.true?.map(String) ?? ['true', '1']).find((word) => no.includes(word));
  if (both !== undefined) {
    const given = form.true === undefined ? 'false' : 'true';
    problem(given, `expected words that mean one thing, found "${both}" for both true and false`);
  }
  if (form.value === undefined) return;
  for (const option of ['from', 'default', 'required', 'null', 'unit', 'timezone'] as const) {
    if (form[option] !== undefined)
      problem(option, 'cannot go with value: ingest_time, which reads no column');
  }
}

function zoneOf(form: FeatureForm, { zone, problem }: FeatureContext): WallToUtc | null {
  if (form.timezone === undefined) return zone;
  const found = timeZone(form.timezone);
  if (!found) problem('timezone', zoneProblem(form.timezone));
  return found;
}

export function zoneProblem(name: string): string {
  return `expected an IANA zone (Europe/Berlin), UTC or an offset (+02:00), found "${name}"`;
}

function storeUnit(form: FeatureForm): 'rfc3339' | TimeUnit {
  return (form.store?.replace('epoch_', '') ?? 'rfc3339') as 'rfc3339' | TimeUnit;
}

function codecOf(form: FeatureForm, zone: WallToUtc | null): Codec {
  const { type } = form;
  const allowNonfinite = form.allow_nonfinite ?? false;
  const bits = Number(/\d+/.exec(type)?.[0]);
  switch (familyOf(type)) {
    case 'int':
      return intCodec(type, intRange(bits, !type.startsWith('u')));
    case 'float':
      return floatCodec(bits as FloatBits, allowNonfinite);
    case 'bool':
      return boolCodec({
        trueWords: form.true?.map(String) ?? null,
        falseWords: form.false?.map(String) ?? null,
        store: form.bool ?? 'digits',
      });
    case 'timestamp':
      return timestampCodec({ unit: form.unit ?? null, zone, store: storeUnit(form) });
    case 'date':
      return dateCodec;
    case 'decimal':
      return decimalCodec;
    case 'bytes':
      return bytesCodec(form.decode ?? null);
    case 'json':
      return jsonCodec({ allowNonfinite, zone });
    case 'vector': {
      const length = Number(/\[(\d+)\]/.exec(type)?.[1]);
      return vectorCodec({
        bits: bits as FloatBits,
        length,
        encoding: form.encoding ?? 'bytes',
        allowNonfinite,
      });
    }
    default:
      return stringCodec(zone, allowNonfinite);
  }
}

/** The default goes through the codec once, as a CSV cell would. */
function fallbackOf(form: FeatureForm, codec: Codec, { problem }: FeatureContext): ByteString | null {
  if (form.default === undefined) return null;
  const text = Array.isArray(form.default) ? JSON.stringify(form.default) : String(form.default);
  const coded = codec.text(toBytes(text));
  if (!isFault(coded)) return coded;
  problem('default', coded.reason);
  return null;
}
