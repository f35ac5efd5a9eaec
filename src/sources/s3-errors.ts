import { FeaturectlError } from '../core/errors.ts';
import { PASSING_CODES, type RemoteTrouble } from './remote.ts';

/** What an error of the SDK has, as far as it is one. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const MISSING = new Set(['NoSuchKey', 'NoSuchBucket', 'NotFound']);
const PASSING_NAMES = new Set([
  'SlowDown',
  'TimeoutError',
  'RequestTimeout',
  'InternalError',
  'ServiceUnavailable',
]);

/** What may pass is returned; anything else is thrown in the words of the catalogue. */
export function judgeS3Error(name: string, error: unknown): RemoteTrouble {
  const failure = error as SdkError;
  const status = failure.$metadata?.httpStatusCode ?? 0;
  const found = `${failure.name ?? 'an error'}${failure.message ? `: ${failure.message}` : ''}`;
  const passes =
    status >= 500 ||
    status === 429 ||
    PASSING_CODES.has(failure.code ?? '') ||
    PASSING_NAMES.has(failure.name ?? '');
  if (passes) return { trouble: found, waitMs: null };
  if (status === 404 || MISSING.has(failure.name ?? '')) {
    throw new FeaturectlError(
      'SOURCE_MISSING',
      `${name}: no such object (${failure.name}); check bucket and key`,
      { cause: error },
    );
  }
  throw new FeaturectlError(
    'SOURCE_READ',
    `${name}: expected the object, found ${found}; ${remedy(failure, status)}`,
    {
      cause: error,
    },
  );
}

function remedy({ name, message }: SdkError, status: number): string {
  if (/credential/i.test(`${name} ${message}`))
    return 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE';
  if (/region/i.test(`${name} ${message}`)) return 'set AWS_REGION';
  if (status === 401 || status === 403) return 'check the credentials and their right to read it';
  return 'check bucket, key, AWS_REGION and AWS_ENDPOINT_URL';
}
