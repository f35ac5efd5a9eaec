import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { FeaturectlError } from '../core/errors.ts';
import { type Compression, formatFromName, type NameHint } from './format.ts';
import type { InputOptions, RawInput } from './input.ts';
import {
  assertSameVersion,
  changedError,
  heard,
  openRemote,
  type RemoteBody,
  type RemoteFetch,
  type RemoteOptions,
  type RemoteVersion,
} from './remote.ts';
import { remoteInput, remoteOptions } from './remote-input.ts';
import { type ObjectAddress, openAccess, parseObjectUrl, type S3Access } from './s3-client.ts';
import { judgeS3Error } from './s3-errors.ts';
import type { SourceLocation } from './source-location.ts';

/** Opens an object of S3 or of what speaks it. Throws USAGE, SOURCE_MISSING and SOURCE_READ. */
export async function openS3(location: SourceLocation, options: InputOptions): Promise<RawInput> {
  const settings = remoteOptions(location.name, options);
  const address = parseObjectUrl(location.path);
  if (address === null) throw new FeaturectlError('INTERNAL', `${location.name}: no object URL`);
  const access = await openAccess(address, options.env ?? process.env, settings.silentMs);
  let encoding: string | undefined;
  const fetch: RemoteFetch = async (from, known) => {
    try {
      const answer = await getObject(access, address, from, known, settings);
      if (known === null) encoding = answer.ContentEncoding;
      return bodyOf(answer, from, known, settings);
    } catch (error) {
      settings.signal?.throwIfAborted();
      if (error instanceof FeaturectlError) throw error;
      refuseChanged(settings.name, error, known);
      return judgeS3Error(settings.name, error);
    }
  };
  const remote = await openRemote(fetch, settings);
  const input = await remoteInput(remote, () => hintOf(location, encoding), settings);
  const close = async (): Promise<void> => {
    await input.close();
    access.client.destroy();
  };
  return { ...input, close };
}

/** The rest is asked for of the same version only: S3 answers 412 where the object is another one. */
function getObject(
  { sdk, client }: S3Access,
  { bucket, key }: ObjectAddress,
  from: number,
  known: RemoteVersion | null,
  { signal, silentMs }: RemoteOptions,
): Promise<GetObjectCommandOutput> {
  const command = new sdk.GetObjectCommand({
    Bucket: bucket,
    Key: key,
    ...(from > 0 ? { Range: `bytes=${from}-` } : {}),
    ...(known?.etag ? { IfMatch: known.etag } : {}),
  });
  return heard(client.send(command, signal ? { abortSignal: signal } : {}), silentMs);
}

function refuseChanged(name: string, error: unknown, known: RemoteVersion | null): void {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (known === null || (status !== 412 && status !== 416)) return;
  throw changedError(name, `ETag ${known.etag}`, status === 412 ? 'another ETag' : 'fewer bytes');
}

/** Where a range is not kept to, the object comes from its start, which the caller passes over. */
function bodyOf(
  answer: GetObjectCommandOutput,
  from: number,
  known: RemoteVersion | null,
  { name }: RemoteOptions,
): RemoteBody {
  const body = answer.Body as unknown as (AsyncIterable<Uint8Array> & { destroy(): void }) | undefined;
  if (body === undefined)
    throw new FeaturectlError(
      'SOURCE_READ',
      `${name}: expected the bytes of the object, found an answer without`,
    );
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? '');
  const length = answer.ContentLength ?? null;
  const start = range === null ? 0 : Number(range[1]);
  const version: RemoteVersion = {
    etag: answer.ETag ?? null,
    lastModified: answer.LastModified?.toISOString() ?? null,
    totalBytes: range === null ? length : Number(range[2]),
  };
  const close = (): void => body.destroy();
  try {
    if (known !== null) assertSameVersion(name, known, version);
    if (start !== from && start !== 0)
      throw new FeaturectlError(
        'SOURCE_READ',
        `${name}: expected the bytes from ${from} on, found those from ${start}`,
      );
    return { version, start, chunks: body, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Objects may be stored with a content encoding; gzip and zstd are told by their first bytes. */
function hintOf({ path }: SourceLocation, encoding: string | undefined): NameHint {
  const hint = formatFromName(path);
  const brotli: Compression | null = encoding === 'br' ? 'brotli' : null;
  return { ...hint, compression: brotli ?? hint.compression };
}
