import type { ByteString } from '../core/types.ts';
import type { TtlRange } from '../core/watch.ts';
import { toBytes } from './codecs/codec.ts';
import {
  joinKey,
  keyMatcher as matcherOf,
  keyParts as partsOf,
  keyPattern as patternOf,
} from './key-template.ts';
import { ttlUnit } from './ttl.ts';
import type { FeatureSchema } from './types.ts';

export { fromBytes, toBytes } from './codecs/codec.ts';
export { compileEncoder, type EncodeContext } from './compile.ts';
export { folderColumns, folderWarning } from './folder-columns.ts';
export { schemaJsonSchema } from './form.ts';
export { type ColumnSchemaOptions, schemaFromColumns } from './from-columns.ts';
export { headerWarning, otherDelimiter } from './header.ts';
export { type Inference, startInference } from './infer/index.ts';
export { parseSchema } from './parse.ts';
export type { Feature, FeatureSchema, NullPolicy } from './types.ts';

/** The key of an entity; `parts` as in `keyParts`, in ordinary text. */
export function keyOf(schema: FeatureSchema, parts: readonly string[]): ByteString {
  return joinKey(schema.key, parts.map(toBytes));
}

/** Whether some key's TTL may be no whole number of seconds. */
export function hasFractionalTtl({ ttlMs, ttlJitter }: FeatureSchema): boolean {
  return ttlUnit(ttlMs, ttlJitter) === 1;
}

/** The TTLs that keys of the schema get, in milliseconds; null: they do not expire. */
export function ttlRange({ ttlMs, ttlJitter }: FeatureSchema): TtlRange | null {
  if (ttlMs === 0) return null;
  const unit = ttlUnit(ttlMs, ttlJitter);
  return { min: ttlMs - unit * Math.floor((ttlMs * ttlJitter) / unit), max: ttlMs, unit };
}

/** Names of what makes an entity, in order: columns, `_row`, `_source`. */
export function keyParts(schema: FeatureSchema): readonly string[] {
  return partsOf(schema.key);
}

/** A glob for SCAN MATCH that every key of the schema fits. */
export function keyPattern(schema: FeatureSchema): ByteString {
  return patternOf(schema.key);
}

/** Tells keys that the schema may have written from others that fit its pattern. */
export function keyMatcher(schema: FeatureSchema): (key: ByteString) => boolean {
  return matcherOf(schema.key);
}
