/** Entities as a person names them → keys. */
import { FeaturectlError } from '../core/errors.ts';
import type { ByteString } from '../core/types.ts';
import { type FeatureSchema, keyMatcher, keyOf, keyParts, toBytes } from '../schema/index.ts';

/** With a composite key an entity is its parts joined by commas, or a JSON array of them. Throws USAGE. */
export function entityKey(schema: FeatureSchema, entity: string): ByteString {
  const names = keyParts(schema);
  const parts = names.length === 1 ? [entity] : splitEntity(entity);
  // As rows with such an entity are rejected.
  const blank = parts.findIndex((part) => part.trim() === '');
  if (blank >= 0) {
    const found = parts[blank] === '' ? 'an empty text' : 'only white space';
    throw new FeaturectlError(
      'USAGE',
      `entity "${entity}": expected ${names[blank] ?? 'text'}, found ${found}`,
    );
  }
  if (parts.length === names.length) return keyOf(schema, parts);
  throw new FeaturectlError(
    'USAGE',
    `entity ${entity}: expected ${names.length} parts (${names.join(',')}), found ${parts.length}; ` +
      (wholeKeyHint(schema, entity) ?? 'a part with a comma in it needs the form \'["a,b","c"]\''),
  );
}

/** What to say where an entity is missing that has the form of the schema's keys; null where it has not. */
export function wholeKeyHint(schema: FeatureSchema, entity: string): string | null {
  const { text, parts } = schema.key;
  if (parts.every(({ kind }) => kind !== 'literal') || !keyMatcher(schema)(toBytes(entity))) return null;
  return `${entity} has the form of a whole key (${text}): with --schema give the entity alone, ${keyParts(schema).join(',')}`;
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
