import type { IncomingMessage } from 'node:http';
import { FeaturectlError } from '../core/errors.ts';
import {
  assertSameVersion,
  changedError,
  type RemoteBody,
  type RemoteTrouble,
  type RemoteVersion,
} from './remote.ts';

/** Answers that ask for patience. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** What an answer to a request for the bytes from `from` on means. Throws what will not pass. */
export function judge(
  name: string,
  answer: IncomingMessage,
  from: number,
  known: RemoteVersion | null,
): RemoteBody | RemoteTrouble {
  const status = answer.statusCode ?? 0;
  if (PASSING.has(status)) {
    answer.destroy();
    return { trouble: `the server answered ${words(answer)}`, waitMs: retryAfter(answer) };
  }
  try {
    if (status === 200) return whole(name, answer, from, known);
    if (status === 206 && from > 0) return part(name, answer, from, known);
    throw refused(name, answer, known);
  } catch (error) {
    answer.destroy();
    throw error;
  }
}

/**
 * The whole object, also where a part was asked for: of a server without ranges, or of another version. It is
 * read from the start then and what is known already passed over, but only if it is sure to be the same.
 */
function whole(name: string, answer: IncomingMessage, from: number, known: RemoteVersion | null): RemoteBody {
  const length = lengthOf(answer);
  if (length === null && !isChunked(answer)) throw endless(name);
  const version = versionOf(answer, length);
  if (known !== null) assertSameVersion(name, known, version);
  if (from > 0 && !isMarked(version)) throw unmarked(name, from);
  return { version, start: 0, chunks: answer, close: () => void answer.destroy() };
}

function part(name: string, answer: IncomingMessage, from: number, known: RemoteVersion | null): RemoteBody {
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(answer.headers['content-range'] ?? '');
  if (range === null || Number(range[1]) !== from) {
    const found = answer.headers['content-range'] ?? 'none';
    throw new FeaturectlError(
      'SOURCE_READ',
      `${name}: expected the bytes from ${from} on, found the range ${found}; download the file and load that`,
    );
  }
  const version = versionOf(answer, range[3] === '*' ? null : Number(range[3]));
  if (known !== null) assertSameVersion(name, known, version);
  if (!isMarked(version) && !(known !== null && isMarked(known))) throw unmarked(name, from);
  return { version, start: from, chunks: answer, close: () => void answer.destroy() };
}

function versionOf({ headers }: IncomingMessage, totalBytes: number | null): RemoteVersion {
  return { etag: headers.etag ?? null, lastModified: headers['last-modified'] ?? null, totalBytes };
}

function isMarked({ etag, lastModified }: RemoteVersion): boolean {
  return etag !== null || lastModified !== null;
}

function lengthOf({ headers }: IncomingMessage): number | null {
  return headers['content-length'] === undefined ? null : Number(headers['content-length']);
}

function isChunked({ headers }: IncomingMessage): boolean {
  return /(?:^|[,\s])chunked$/i.test(headers['transfer-encoding'] ?? '');
}

/** Seconds, or a date. */
function retryAfter({ headers }: IncomingMessage): number | null {
  const text = headers['retry-after'] ?? '';
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(at - Date.now(), 0);
}

function words({ statusCode, statusMessage }: IncomingMessage): string {
  return `${statusCode}${statusMessage ? ` ${statusMessage}` : ''}`;
}

function refused(name: string, answer: IncomingMessage, known: RemoteVersion | null): FeaturectlError {
  const status = answer.statusCode ?? 0;
  if (status === 416 && known !== null)
    return changedError(name, `${known.totalBytes ?? 'unknown'} bytes`, 'fewer bytes');
  if (status === 404 || status === 410) {
    return new FeaturectlError(
      'SOURCE_MISSING',
      `${name}: expected a file, found ${words(answer)}; check the address`,
    );
  }
  const remedy = REMEDIES.get(status) ?? 'check the address';
  return new FeaturectlError('SOURCE_READ', `${name}: expected 200 OK, found ${words(answer)}; ${remedy}`);
}

const REMEDIES: ReadonlyMap<number, string> = new Map([
  [401, 'give the user and password in the URL, as in https://user:password@host/, or a presigned link'],
  [403, 'check the credentials; a presigned link may have run out'],
  [407, 'featurectl goes through no proxy; download the file and load that'],
]);

/** Such a body ends where its connection ends, so half of it would look whole. */
function endless(name: string): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_READ',
    `${name}: expected an answer that says where it ends (Content-Length or chunks), found none of that, so a cut could not be told; pipe it instead: curl URL | featurectl ingest -`,
  );
}

function unmarked(name: string, from: number): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_TRUNCATED',
    `${name}: the connection ended after ${from} bytes, and the server gives no ETag or Last-Modified by which the rest could be told to be of the same file; rows that were read are written. Load it again, or download it first`,
  );
}
