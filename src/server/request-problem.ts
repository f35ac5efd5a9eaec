/** Whatever ended a request → the problem that is told; never a stack, never more of a value than its name. */
import type { FastifyError } from 'fastify';
import { ServerProblem } from './problems.ts';

export function problemOfError(error: FastifyError | ServerProblem): ServerProblem {
  if (error instanceof ServerProblem) return error;
  if (error.validation) return invalid(error);
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
function invalid({ validation, validationContext }: FastifyError): ServerProblem {
  const first = validation?.[0];
  const path = (first?.instancePath ?? '').split('/').slice(1).map(unescapePointer);
  const { missingProperty, additionalProperty } = first?.params ?? {};
  const named = missingProperty ?? additionalProperty;
  if (typeof named === 'string') path.push(named);
  const field = path.reduce((text, part) => text + partText(text, part), '') || String(validationContext);
  const what =
    missingProperty !== undefined
      ? 'is missing'
      : additionalProperty !== undefined
        ? 'is not known here'
        : (first?.message ?? 'is wrong');
  return new ServerProblem('INVALID', `${field}: ${what}`, field);
}

function partText(before: string, part: string): string {
  if (before !== '' && /^\d+$/.test(part)) return `[${part}]`;
  return before === '' ? part : `.${part}`;
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
