/** Whatever ended a request → the problem that is told; never a stack, never a value but the name of a feature. */
import type { FastifyError } from 'fastify';
import { ServerProblem } from './problems.ts';

/** What was asked, as far as it was read. */
interface Asked {
  readonly body: unknown;
  readonly query: unknown;
}

export function problemOfError(error: FastifyError | ServerProblem, asked: Asked): ServerProblem {
  if (error instanceof ServerProblem) return error;
  if (error.validation) return invalid(error, asked);
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
function invalid({ validation, validationContext }: FastifyError, { body, query }: Asked): ServerProblem {
  const first = validation?.[0];
  const path = (first?.instancePath ?? '').split('/').slice(1).map(unescapePointer);
  const found = valueAt(validationContext === 'querystring' ? query : body, path);
  const { missingProperty, additionalProperty } = first?.params ?? {};
  const named = missingProperty ?? additionalProperty;
  if (typeof named === 'string') path.push(named);
  const field = path.reduce((text, part) => text + partText(text, part), '') || String(validationContext);
  const what =
    missingProperty !== undefined
      ? 'is missing'
      : additionalProperty !== undefined
        ? 'is not known here'
        : expected(first?.keyword ?? '', first?.params ?? {}, path, found);
  return new ServerProblem('INVALID', `${field}: ${what}`, field);
}

/** What a rule of src/server/forms.ts asks for, and what kind of thing was found; never the thing itself. */
function expected(
  keyword: string,
  params: Readonly<Record<string, unknown>>,
  path: readonly string[],
  found: unknown,
): string {
  const count = Array.isArray(found) ? found.length : 0;
  switch (keyword) {
    case 'enum':
      return notAllowed(Array.isArray(params.allowedValues) ? params.allowedValues : [], path, found);
    case 'type':
      return `expected ${[params.type].flat().map(kindOf).join(' or ')}, found ${describe(found)}`;
    case 'minLength':
      return 'expected text, found an empty one';
    case 'minimum':
    case 'maximum':
      return 'expected a whole number up to 2^53 - 1, found one beyond it, which JSON readers round; send it as text';
    case 'minItems':
      return path[0] === 'features'
        ? 'expected a feature or more, found none; leave it out for all of them'
        : `expected ${params.limit} parts, found ${count}`;
    case 'maxItems':
      return tooMany(Number(params.limit), path, count);
    case 'uniqueItems':
      return sameTwice([Number(params.i), Number(params.j)]);
    default:
      return 'is wrong';
  }
}

/** Which of the two the validator names first depends on its version. */
function sameTwice(at: readonly [number, number]): string {
  return `expected each feature once, found [${Math.min(...at)}] and [${Math.max(...at)}] the same`;
}

function tooMany(limit: number, path: readonly string[], count: number): string {
  if (path.length === 1 && path[0] === 'entity_keys') {
    return `expected at most ${limit} entities in one batch (--max-batch), found ${count}; send them in several`;
  }
  if (path[0] === 'features') return `expected at most the ${limit} features of this view, found ${count}`;
  return `expected ${limit} parts, found ${count}`;
}

const KINDS: ReadonlyMap<unknown, string> = new Map([
  ['string', 'text'],
  ['integer', 'a whole number'],
  ['object', 'an object'],
  ['array', 'an array'],
]);

function kindOf(type: unknown): string {
  return KINDS.get(type) ?? String(type);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a number that is not whole';
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? 'text' : 'an object';
}

function valueAt(from: unknown, path: readonly string[]): unknown {
  let value = from;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    // Just looked at: it is an object that has it.
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value;
}

/** Few allowed values are told; features of a view are in its documentation. */
function notAllowed(allowed: readonly unknown[], path: readonly string[], found: unknown): string {
  if (path[0] !== 'features' || typeof found !== 'string') return `expected ${allowed.join(' or ')}`;
  return `expected a feature of this view, found ${shown(found)}; GET /docs lists them`;
}

const MAX_SHOWN = 100;

/** A name that is no entity, so that it may be repeated; cut where it is long. */
export function shown(name: string): string {
  return JSON.stringify(name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name);
}

function partText(before: string, part: string): string {
  if (before !== '' && /^\d+$/.test(part)) return `[${part}]`;
  return before === '' ? part : `.${part}`;
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
