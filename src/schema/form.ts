/** The form of a schema file, for checking it and for editors. What depends on two keys at once is in parse.ts. */
import { z } from 'zod';

const text = z.union([z.string(), z.number(), z.boolean()]);
const nullPolicy = z.enum(['skip', 'empty', 'error', 'remove']);
const nullForm = z.strictObject({
  tokens: z.array(text).optional().describe('unquoted CSV cells that mean null'),
  policy: nullPolicy.optional().describe('what a null does'),
});
/** A number, or one in quotes; parse.ts hands over what is written, so that no digit is lost. */
const bound = z.union([
  z.number(),
  z.string().regex(/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/, 'expected a number'),
]);

const SCALARS = [
  ...['string', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'],
  ...['float32', 'float64', 'bool', 'timestamp', 'date', 'decimal', 'bytes', 'json'],
];
export const TYPE_FORM = new RegExp(`^(?:${SCALARS.join('|')}|vector<float(?:32|64)>\\[[1-9]\\d{0,5}\\])$`);

const type = z
  .string()
  .regex(TYPE_FORM, `expected one of ${SCALARS.join(', ')}, vector<float32>[n], vector<float64>[n]`);

export const featureForm = z.strictObject({
  type,
  from: z.string().min(1).optional().describe('source column, where it has another name'),
  required: z.boolean().optional().describe('false: the column may be absent'),
  default: z
    .union([text, z.array(z.number())])
    .optional()
    .describe('stands in for null'),
  null: z.union([nullPolicy, nullForm]).optional().describe('what a null does'),
  min: bound.optional().describe('inclusive'),
  max: bound.optional().describe('inclusive'),
  max_bytes: z.number().int().min(1).optional().describe('longest value'),
  allow_nonfinite: z.boolean().optional().describe('take NaN and Infinity'),
  encoding: z.enum(['bytes', 'json']).optional().describe('of a vector'),
  decode: z.enum(['base64', 'hex']).optional().describe('what text of a bytes feature holds'),
  bool: z.enum(['digits', 'words']).optional().describe('stored as 1/0 or true/false'),
  true: z.array(text).min(1).optional().describe('words for true'),
  false: z.array(text).min(1).optional().describe('words for false'),
  unit: z.enum(['s', 'ms', 'us', 'ns']).optional().describe('of epoch numbers'),
  timezone: z.string().optional().describe('of times that name none: IANA name or offset'),
  store: z.enum(['rfc3339', 'epoch_s', 'epoch_ms', 'epoch_us', 'epoch_ns']).optional(),
  value: z.literal('ingest_time').optional().describe('the start of the run'),
});

const headForm = z.strictObject({
  name: z.string().min(1).describe('name of the feature view'),
  key: z.string().min(1).describe('Redis key, such as features:user:{user_id}'),
  ttl: z
    .string('expected a whole number with ms, s, m, h, d or w (24h), or none for no expiry')
    .describe('such as 24h; none for no expiry'),
  ttl_jitter: z.string().optional().describe('shortens each TTL by up to this share, such as 10%'),
  event_time: z.string().min(1).optional().describe('column or feature that says when a row was true'),
  timezone: z.string().optional().describe('of times that name none: IANA name or offset'),
  null: nullForm.optional(),
  // parse.ts checks them one by one, and their absence.
  features: z.unknown().optional().describe('name in Redis → type or options'),
});

export { headForm };
export type FeatureForm = z.infer<typeof featureForm>;
export type NullForm = z.infer<typeof nullForm>;

/** The JSON Schema (draft 2020-12) of a schema file, for editors; docs/featurectl.schema.json holds it. */
export function schemaJsonSchema(): object {
  const features = z.record(z.string(), z.union([type, featureForm]));
  return z.toJSONSchema(headForm.extend({ features }), { io: 'input' });
}
