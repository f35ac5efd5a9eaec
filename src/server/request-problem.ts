/** Whatever ended a request → the problem that is told; never a stack, never a value but the name of a feature. */
import type { FastifyError } from 'fastify';
import { ServerProblem } from './problems.ts';

/** `body`: what was asked, as far as it was read. */
export function problemOfError(error: FastifyError | ServerProblem, body: unknown): ServerProblem {
  if (error instanceof ServerProblem) return error;
  if (error.validation) return invalid(error, body);
  switch (error.statusCode) {
    case 413:
      return new ServerProblem(
        'TOO_LARGE',
        'the body is longer than this server takes; send fewer entities at once',
      );
    case 415:
      return new ServerProblem('MEDIA_TYPE', 'expected a body with Content-Type: application/json');
    default:
      // Length and body do not agree, a path that cannot be decoded, and the like.
      if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
        return new ServerProblem('BAD_REQUEST', 'not a request that can be read');
      }
      return new ServerProblem('INTERNAL', 'a bug in featurectl; its log says more');
  }
}

/** The field is named as a caller would write it: `entity_keys[3].country`. */
function invalid({ validation, validationContext }: FastifyError, body: unknown): ServerProblem {
  const first = validation?.[0];
  const path = (first?.instancePath ?? '').split('/').slice(1).map(unescapePointer);
  const { missingProperty, additionalProperty, allowedValues } = first?.params ?? {};
  const named = missingProperty ?? additionalProperty;
  if (typeof named === 'string') path.push(named);
  const field = path.reduce((text, part) => text + partText(text, part), '') || String(validationContext);
  const what =
    missingProperty !== undefined
      ? 'is missing'
      : additionalProperty !== undefined
        ? 'is not known here'
        : Array.isArray(allowedValues)
          ? notAllowed(allowedValues, nameAt(body, path))
          : (first?.message ?? 'is wrong');
  return new ServerProblem('INVALID', `${field}: ${what}`, field);
}

/** Few allowed values are told; features of a view are in its documentation. */
function notAllowed(allowed: readonly unknown[], name: string | null): string {
  if (name === null) return `expected ${allowed.join(' or ')}`;
  const shown = JSON.stringify(name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name);
  return `expected a feature of this view, found ${shown}; GET /docs lists them`;
}

const MAX_SHOWN = 100;

/** The name of a feature that was asked for, at `features/1`; null where `path` is another place. */
function nameAt(body: unknown, [field, index]: readonly string[]): string | null {
  if (field !== 'features' || index === undefined) return null;
  const names = (body as { readonly features?: readonly unknown[] } | null)?.features;
  const name = names?.[Number(index)];
  return typeof name === 'string' ? name : null;
}

function partText(before: string, part: string): string {
  if (before !== '' && /^\d+$/.test(part)) return `[${part}]`;
  return before === '' ? part : `.${part}`;
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
