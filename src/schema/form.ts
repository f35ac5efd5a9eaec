/** The form of a schema file, for checking it and for editors. What depends on two keys at once is in parse.ts. */
// zod/mini: it is loaded in half the time of zod, which every load pays.
import { z } from 'zod/mini';

const text = z.union([z.string(), z.number(), z.boolean()]);
const words = z.array(text);
const name = z.string().check(z.minLength(1));
const nullPolicy = z.enum(['skip', 'empty', 'error', 'remove']);
const nullForm = z.strictObject({
  tokens: option(words, 'unquoted CSV cells that mean null'),
  policy: option(nullPolicy, 'what a null does'),
});
/** A number, or one in quotes; parse.ts hands over what is written, so that no digit is lost. */
const bound = z.union([
  z.number(),
  z.string().check(z.regex(/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/, 'expected a number')),
]);

const SCALARS = [
  ...['string', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'],
  ...['float32', 'float64', 'bool', 'timestamp', 'date', 'decimal', 'bytes', 'json'],
];
export const TYPE_FORM = new RegExp(`^(?:${SCALARS.join('|')}|vector<float(?:32|64)>\\[[1-9]\\d{0,5}\\])$`);

/** Every type as it is written. */
export const TYPE_NAMES: readonly string[] = [...SCALARS, 'vector<float32>[n]', 'vector<float64>[n]'];

const type = z.string().check(z.regex(TYPE_FORM, 'expected a type'));

export const featureForm = z.strictObject({
  type,
  from: option(name, 'source column, where it has another name'),
  required: option(z.boolean(), 'false: the column may be absent'),
  default: option(z.union([text, z.array(z.number())]), 'stands in for null'),
  null: option(z.union([nullPolicy, nullForm]), 'what a null does'),
  min: option(bound, 'inclusive'),
  max: option(bound, 'inclusive'),
  max_bytes: option(z.int().check(z.minimum(1)), 'longest value'),
  allow_nonfinite: option(z.boolean(), 'take NaN and Infinity'),
  encoding: option(z.enum(['bytes', 'json']), 'of a vector'),
  decode: option(z.enum(['base64', 'hex']), 'what text of a bytes feature holds'),
  bool: option(z.enum(['digits', 'words']), 'stored as 1/0 or true/false'),
  true: option(words.check(z.minLength(1)), 'words for true'),
  false: option(words.check(z.minLength(1)), 'words for false'),
  unit: option(z.enum(['s', 'ms', 'us', 'ns']), 'of epoch numbers'),
  timezone: option(z.string(), 'of times that name none: IANA name or offset'),
  store: z.optional(z.enum(['rfc3339', 'epoch_s', 'epoch_ms', 'epoch_us', 'epoch_ns'])),
  value: option(z.literal('ingest_time'), 'the start of the run'),
});

const headForm = z.strictObject({
  name: described(name, 'name of the feature view'),
  key: described(
    z
      .string('expected a text, in quotes where it begins with a brace: "features:user:{user_id}"')
      .check(z.minLength(1)),
    'Redis key, such as features:user:{user_id}',
  ),
  ttl: described(
    z.string('expected a whole number with ms, s, m, h, d or w (24h), or none for no expiry'),
    'such as 24h; none for no expiry',
  ),
  ttl_jitter: option(
    z.string('expected a share such as 10%'),
    'shortens each TTL by up to this share, such as 10%',
  ),
  event_time: option(name, 'column or feature that says when a row was true'),
  timezone: option(z.string(), 'of times that name none: IANA name or offset'),
  null: z.optional(nullForm),
  // parse.ts checks them one by one, and their absence.
  features: option(z.unknown(), 'name in Redis → type or options'),
});

function option<T extends z.core.SomeType>(form: T, description: string): z.ZodMiniOptional<T> {
  return described(z.optional(form), description);
}

function described<T extends z.ZodMiniType>(form: T, description: string): T {
  return form.check(z.describe(description));
}

export { headForm };
export type FeatureForm = z.infer<typeof featureForm>;
export type NullForm = z.infer<typeof nullForm>;

/** The JSON Schema (draft 2020-12) of a schema file, for editors; docs/featurectl.schema.json holds it. */
export function schemaJsonSchema(): object {
  const features = z.record(z.string(), z.union([type, featureForm]));
  return z.toJSONSchema(z.extend(headForm, { features }), { io: 'input' });
}
