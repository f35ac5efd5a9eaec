/** The entity of a request → its key. */
import type { ByteString } from '../core/types.ts';
import { ServerProblem } from './problems.ts';
import type { View } from './view.ts';

/** Of the form that `entityForm` gives and validation has checked. */
export type EntityKey =
  | string
  | number
  | readonly (string | number)[]
  | Readonly<Record<string, string | number>>;

/** `field` names it in an error. Throws ServerProblem INVALID. */
export function keyOfEntity(view: View, entity: EntityKey, field: string): ByteString {
  const values = valuesOf(view, entity, field);
  for (const [i, value] of values.entries()) {
    if (isBlank(value)) throw invalid(field, `${view.parts[i]}: expected text, found only white space`);
    if (/\p{Cs}/u.test(value))
      throw invalid(field, `${view.parts[i]}: expected Unicode text, found half a character`);
  }
  return view.keyOf(values);
}

function valuesOf({ parts }: View, entity: EntityKey, field: string): readonly string[] {
  if (typeof entity === 'number') return [String(entity)];
  if (typeof entity === 'string') {
    const values = parts.length === 1 ? [entity] : entity.split(',');
    if (values.length === parts.length) return values;
    throw invalid(field, `expected ${parts.length} parts (${parts.join(',')}), found ${values.length}`);
  }
  if (Array.isArray(entity)) return entity.map(String);
  const named = entity as Readonly<Record<string, string | number>>;
  return parts.map((name) => {
    if (!Object.hasOwn(named, name)) throw invalid(field, `expected the part ${name}, found none`);
    return String(named[name]);
  });
}

/** As rows with such an entity are rejected. */
function isBlank(value: string): boolean {
  return value.charCodeAt(0) > 32 && value.charCodeAt(0) < 127 ? false : value.trim() === '';
}

function invalid(field: string, message: string): ServerProblem {
  return new ServerProblem('INVALID', `${field}: ${message}`, field);
}
