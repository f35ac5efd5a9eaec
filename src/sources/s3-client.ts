import type { S3Client } from '@aws-sdk/client-s3';
import { FeaturectlError } from '../core/errors.ts';

export type S3Module = typeof import('@aws-sdk/client-s3');

/** `s3://bucket/key` or `gs://bucket/key`. */
export interface ObjectAddress {
  readonly scheme: 's3' | 'gs';
  readonly bucket: string;
  /** May be a prefix or pattern; as it stands, without escapes. */
  readonly key: string;
}

export interface S3Access {
  readonly sdk: S3Module;
  readonly client: S3Client;
}

/** Null: not of this form. */
export function parseObjectUrl(url: string): ObjectAddress | null {
  const match = /^(s3|gs):\/\/([^/]+)(?:\/(.*))?$/is.exec(url);
  if (match === null) return null;
  const [, scheme = '', bucket = '', key = ''] = match;
  return { scheme: scheme.toLowerCase() === 'gs' ? 'gs' : 's3', bucket, key };
}

/** Loads the SDK, which is not installed with featurectl by everyone. Throws USAGE where it is missing. */
export async function openAccess(
  { scheme }: ObjectAddress,
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<S3Access> {
  const sdk = await loadSdk(scheme);
  const client = new sdk.S3Client({
    ...(scheme === 'gs' ? googleOptions(env) : amazonOptions(env)),
    // Retries and their bound are ours.
    maxAttempts: 1,
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: timeoutMs, requestTimeout: 0 },
  });
  return { sdk, client };
}

async function loadSdk(scheme: string): Promise<S3Module> {
  // It warns of a Node that it will soon leave behind, on stderr, where --quiet promises nothing.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  try {
    return await import('@aws-sdk/client-s3');
  } catch (error) {
    throw new FeaturectlError(
      'USAGE',
      `${scheme}://: expected the package @aws-sdk/client-s3 beside featurectl, found none; install it: npm install @aws-sdk/client-s3 (with -g where featurectl is global)`,
      { cause: error },
    );
  }
}

/** Credentials that the variables do not give come from where the SDK looks: profile, container, instance. */
function amazonOptions(env: NodeJS.ProcessEnv) {
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || (endpoint ? 'us-east-1' : undefined);
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env;
  return {
    ...(region ? { region } : {}),
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    ...(id && secret ? { credentials: keyPair(id, secret, token) } : {}),
  };
}

/** Google Cloud Storage speaks S3 to HMAC keys: https://cloud.google.com/storage/docs/interoperability */
function googleOptions(env: NodeJS.ProcessEnv) {
  const { GS_ACCESS_KEY_ID: id, GS_SECRET_ACCESS_KEY: secret } = env;
  if (!id || !secret) {
    throw new FeaturectlError(
      'USAGE',
      'gs://: expected an HMAC key in GS_ACCESS_KEY_ID and GS_SECRET_ACCESS_KEY, found none; make one: gcloud storage hmac create ACCOUNT',
    );
  }
  return {
    region: 'auto',
    endpoint: env.GS_ENDPOINT_URL || 'https://storage.googleapis.com',
    forcePathStyle: true,
    credentials: keyPair(id, secret, undefined),
  };
}

function keyPair(accessKeyId: string, secretAccessKey: string, sessionToken: string | undefined) {
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}
