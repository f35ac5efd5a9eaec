import { setTimeout as delay } from 'node:timers/promises';
import { FeaturectlError } from '../core/errors.ts';
import { formatFromName, KNOWN_EXTENSIONS } from './format.ts';
import { globTest, isHidden, isPattern } from './glob.ts';
import { heard, type RemoteOptions } from './remote.ts';
import { remoteOptions } from './remote-input.ts';
import { type ObjectAddress, openAccess, parseObjectUrl, type S3Access } from './s3-client.ts';
import { judgeS3Error } from './s3-errors.ts';
import { type ExpandOptions, passedOverText, type SourceLocation } from './source-location.ts';

/** Waits between tries to list, at most. */
const WAIT_MS = 1000;

/**
 * The objects that a URL names: one key; all below a prefix that ends in `/`, of known extensions, or any with
 * --format; or those that fit a pattern. Sorted by key. Throws USAGE, SOURCE_MISSING and SOURCE_READ.
 */
export async function expandObjects(url: string, options: ExpandOptions): Promise<readonly SourceLocation[]> {
  const address = parseObjectUrl(url);
  if (address === null)
    throw new FeaturectlError('USAGE', `${url}: expected s3://bucket/key, found no bucket; name one`);
  const { key } = address;
  const isPrefix = key === '' || key.endsWith('/');
  if (!isPrefix && !isPattern(key)) return [locationOf(address, key)];
  const found = await listKeys(address, isPrefix ? key : key.slice(0, key.search(/[*?[{]/)), options);
  const all = isPrefix ? below(key, found) : fitting(key, found);
  const isKnown = (one: string): boolean => formatFromName(one.slice(key.length)).format !== null;
  const keys = isPrefix && options.format === undefined ? all.filter(isKnown) : all;
  if (keys.length > 0) {
    const others = keys === all ? [] : all.filter((one) => !isKnown(one));
    if (others.length > 0) options.passedOver?.(passedOverText(url, others));
    return keys.sort().map((one) => locationOf(address, one));
  }
  const what = isPrefix
    ? `expected objects ending in ${KNOWN_EXTENSIONS.join(', ')} (also with .gz, .zst or .br) below it, found none; name them or give --format`
    : 'no object fits the pattern; check it';
  throw new FeaturectlError('SOURCE_MISSING', `${url}: ${what}`);
}

function locationOf({ scheme, bucket }: ObjectAddress, key: string): SourceLocation {
  const url = `${scheme}://${bucket}/${key}`;
  return { kind: 's3', name: url, path: url };
}

/** What is not hidden. */
function below(prefix: string, keys: readonly string[]): string[] {
  return keys.filter((key) => {
    const rest = key.slice(prefix.length);
    return rest !== '' && !rest.endsWith('/') && !rest.split('/').some(isHidden);
  });
}

/** A key that is written like the pattern is that object alone. */
function fitting(pattern: string, keys: readonly string[]): string[] {
  if (keys.includes(pattern)) return [pattern];
  const test = globTest(pattern);
  return keys.filter((key) => !key.endsWith('/') && test(key));
}

/** Holds all keys below the prefix. */
async function listKeys(address: ObjectAddress, prefix: string, options: ExpandOptions): Promise<string[]> {
  const name = `${address.scheme}://${address.bucket}/${prefix}`;
  const settings = remoteOptions(name, options);
  const access = await openAccess(address, options.env ?? process.env, settings.silentMs);
  try {
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const page = await listPage(access, address.bucket, prefix, token, settings);
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return keys;
  } finally {
    access.client.destroy();
  }
}

async function listPage(
  { sdk, client }: S3Access,
  bucket: string,
  prefix: string,
  token: string | undefined,
  { name, retryForMs, silentMs, retrying, signal }: RemoteOptions,
) {
  const until = Date.now() + retryForMs;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const query = { Bucket: bucket, Prefix: prefix, ...(token ? { ContinuationToken: token } : {}) };
      const command = new sdk.ListObjectsV2Command(query);
      return await heard(client.send(command, signal ? { abortSignal: signal } : {}), silentMs);
    } catch (error) {
      signal?.throwIfAborted();
      const { trouble } = judgeS3Error(name, error);
      if (Date.now() >= until)
        throw new FeaturectlError('SOURCE_READ', `${name}: cannot be listed: ${trouble}; try again later`, {
          cause: error,
        });
      retrying(`${name}: ${trouble}; trying again`);
      await delay(Math.min(WAIT_MS, until - Date.now()));
    }
  }
}
