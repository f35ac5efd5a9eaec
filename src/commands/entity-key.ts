/** Entities as a person names them → keys. */
import { FeaturectlError } from '../core/errors.ts';
import type { ByteString } from '../core/types.ts';
import { type FeatureSchema, keyOf, keyParts } from '../schema/index.ts';

/** With a composite key an entity is its parts joined by commas, or a JSON array of them. Throws USAGE. */
export function entityKey(schema: FeatureSchema, entity: string): ByteString {
  const names = keyParts(schema);
  const parts = names.length === 1 ? [entity] : splitEntity(entity);
  if (parts.length === names.length) return keyOf(schema, parts);
  throw new FeaturectlError(
    'USAGE',
    `entity ${entity}: expected ${names.length} parts (${names.join(',')}), found ${parts.length}; ` +
      'a part with a comma in it needs the form \'["a,b","c"]\'',
  );
}

function splitEntity(entity: string): readonly string[] {
  if (!entity.startsWith('[')) return entity.split(',');
  try {
    const parsed: unknown = JSON.parse(entity);
    if (Array.isArray(parsed)) return parsed.map(String);
  } catch {
    // An entity may begin with a bracket and be no JSON.
  }
  return entity.split(',');
}
