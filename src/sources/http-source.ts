import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { FeaturectlError } from '../core/errors.ts';
import type { SourceFormat } from '../core/types.ts';
import { type Compression, formatFromName, type NameHint } from './format.ts';
import { judge } from './http-answer.ts';
import type { InputOptions, RawInput } from './input.ts';
import {
  heard,
  openRemote,
  PASSING_CODES,
  type RemoteOptions,
  type RemoteTrouble,
  type RemoteVersion,
} from './remote.ts';
import { remoteInput, remoteOptions } from './remote-input.ts';
import type { SourceLocation } from './source-location.ts';

const MAX_REDIRECTS = 10;

/** Opens an http(s) URL. Throws SOURCE_MISSING and SOURCE_READ; reading throws what openRemote says. */
export async function openHttp(location: SourceLocation, options: InputOptions): Promise<RawInput> {
  const settings = remoteOptions(location.name, options);
  let headers: IncomingMessage['headers'] = {};
  const remote = await openRemote(async (from, known) => {
    const answer = await follow(location, from, known, settings);
    if ('trouble' in answer) return answer;
    if (known === null) headers = answer.headers;
    return judge(location.name, answer, from, known);
  }, settings);
  return remoteInput(remote, () => hintOf(location, headers), settings);
}

/** The URL's extension, and what the headers add to it. */
function hintOf({ name, path }: SourceLocation, headers: IncomingMessage['headers']): NameHint {
  const byName = formatFromName(decodePath(new URL(path).pathname));
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const compression = ENCODINGS.get(encoding);
  if (compression === undefined) {
    throw new FeaturectlError(
      'SOURCE_FORMAT',
      `${name}: expected a content encoding of gzip, zstd, br or none, found ${encoding}; ask the server for another`,
    );
  }
  return {
    format: byName.format ?? formatOfType(headers['content-type'] ?? ''),
    // gzip and zstd are told by their first bytes; a server may have taken off what the name says, or put it on.
    compression: compression ?? byName.compression,
  };
}

const ENCODINGS: ReadonlyMap<string, Compression | null> = new Map<string, Compression | null>([
  ['identity', null],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['zstd', 'zstd'],
  ['br', 'brotli'],
]);

const TYPES: ReadonlyMap<string, SourceFormat> = new Map<string, SourceFormat>([
  ['text/csv', 'csv'],
  ['application/csv', 'csv'],
  ['text/tab-separated-values', 'tsv'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
  ['application/jsonlines', 'ndjson'],
  ['application/vnd.apache.parquet', 'parquet'],
  ['application/vnd.apache.arrow.file', 'arrow'],
  ['application/vnd.apache.arrow.stream', 'arrow'],
]);

function formatOfType(header: string): SourceFormat | null {
  return TYPES.get((header.split(';')[0] ?? '').trim().toLowerCase()) ?? null;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Asks, and goes where the answers point to. The way is gone anew each time: a target may be good for once. */
async function follow(
  { name, path }: SourceLocation,
  from: number,
  known: RemoteVersion | null,
  settings: RemoteOptions,
): Promise<IncomingMessage | RemoteTrouble> {
  const origin = new URL(path);
  let url = origin;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await ask(url, headersFor(url, origin, from, known), settings);
    if ('trouble' in answer) return answer;
    const target = answer.headers.location;
    if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || target === undefined) return answer;
    answer.destroy();
    url = targetOf(name, target, url);
  }
  throw new FeaturectlError(
    'SOURCE_READ',
    `${name}: expected at most ${MAX_REDIRECTS} redirects, found more; check the address`,
  );
}

function targetOf(name: string, target: string, from: URL): URL {
  const url = URL.canParse(target, from.href) ? new URL(target, from) : null;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && from.protocol === 'http:');
  if (url !== null && isSafe) return url;
  throw new FeaturectlError(
    'SOURCE_READ',
    `${name}: expected a redirect to ${from.protocol === 'https:' ? 'https' : 'http or https'}, found one to ${url?.protocol ?? 'no URL'}; use the target's own address`,
  );
}

/** A password is sent to the host that it was given for, and to no other that an answer points to. */
function headersFor(
  url: URL,
  origin: URL,
  from: number,
  known: RemoteVersion | null,
): Record<string, string> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'featurectl' };
  const { username, password } = url.origin === origin.origin ? origin : url;
  if (username !== '' || password !== '') {
    const pair = `${decodePath(username)}:${decodePath(password)}`;
    headers.authorization = `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
  }
  if (from === 0 || known === null) return headers;
  headers.range = `bytes=${from}-`;
  const mark = known.etag !== null && !known.etag.startsWith('W/') ? known.etag : known.lastModified;
  if (mark !== null) headers['if-range'] = mark;
  return headers;
}

async function ask(
  url: URL,
  headers: Record<string, string>,
  { name, silentMs, signal }: RemoteOptions,
): Promise<IncomingMessage | RemoteTrouble> {
  const get = url.protocol === 'https:' ? httpsGet : httpGet;
  const target = new URL(url);
  target.username = '';
  target.password = '';
  // No agent: a connection that was kept may be half dead, and one answer takes as long as the file.
  const request = get(target, { headers, agent: false, ...(signal ? { signal } : {}) });
  try {
    return await heard(
      new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve);
        request.on('error', reject);
      }),
      silentMs,
    );
  } catch (error) {
    request.destroy();
    signal?.throwIfAborted();
    return troubleOf(name, url, error);
  }
}

function troubleOf(name: string, url: URL, error: unknown): RemoteTrouble {
  const failure = error as NodeJS.ErrnoException;
  const code = failure.code ?? (failure instanceof AggregateError ? failure.errors[0]?.code : undefined);
  if (code === undefined || PASSING_CODES.has(code)) {
    return { trouble: failure.message || `${url.host} did not answer (${code})`, waitMs: null };
  }
  const found = code === 'ENOTFOUND' ? `no host ${url.hostname}` : failure.message;
  const remedy = /CERT|VERIFY/.test(code)
    ? 'a certificate authority of your own goes into NODE_EXTRA_CA_CERTS'
    : 'check the address';
  throw new FeaturectlError('SOURCE_READ', `${name}: expected an answer, found ${found}; ${remedy}`, {
    cause: error,
  });
}
