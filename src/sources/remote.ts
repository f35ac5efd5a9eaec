import { setTimeout as delay } from 'node:timers/promises';
import { FeaturectlError } from '../core/errors.ts';
import { asBuffer, type ByteCounter, type ByteStream } from './bytes.ts';

/** What tells one state of a remote object from another. */
export interface RemoteVersion {
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Null: the server does not say it before the end. */
  readonly totalBytes: number | null;
}

/** An answer that gives bytes of the object. */
export interface RemoteBody {
  readonly version: RemoteVersion;
  /** Where in the object its first byte stands: 0 also where the rest was asked for and all is sent again. */
  readonly start: number;
  readonly chunks: AsyncIterable<Uint8Array>;
  close(): void;
}

/** Failures of a connection that may pass. A name that is not found, or a bad certificate, will not. */
export const PASSING_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
]);

/** What may pass: a lost connection, a busy server. In words. */
export interface RemoteTrouble {
  readonly trouble: string;
  /** What the server asks to wait; null: it does not say. */
  readonly waitMs: number | null;
}

/**
 * Asks for the object's bytes from one on, of the known version. Throws FeaturectlError for what does not pass:
 * SOURCE_MISSING, SOURCE_CHANGED, SOURCE_READ.
 */
export type RemoteFetch = (from: number, known: RemoteVersion | null) => Promise<RemoteBody | RemoteTrouble>;

export interface RemoteOptions {
  readonly name: string;
  /** Milliseconds without a new byte after which an outage ends the reading. */
  readonly retryForMs: number;
  /** Milliseconds after which a connection that gives nothing counts as lost. */
  readonly silentMs: number;
  /** Told of each outage. */
  readonly retrying: (message: string) => void;
  readonly signal: AbortSignal | undefined;
  readonly counter: ByteCounter;
}

export interface RemoteInput {
  readonly version: RemoteVersion;
  /** All of the object. To be read once. */
  readonly chunks: ByteStream;
  /** The object's bytes from one on, by a request of their own. */
  readFrom(byte: number): ByteStream;
  /** Ends all connections. */
  close(): Promise<void>;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/**
 * Opens a remote object and reads it over any number of connections: what is cut is asked for again from the
 * next byte on, as long as it is the same version. Never ends short: a body that stays shorter than the server
 * said is SOURCE_TRUNCATED, another version SOURCE_CHANGED. Holds one chunk.
 */
export async function openRemote(fetchBody: RemoteFetch, options: RemoteOptions): Promise<RemoteInput> {
  const { fetch, close } = closable(fetchBody);
  const first = await reach(fetch, 0, null, options, null);
  const { version } = first;
  return {
    version,
    chunks: readAll(fetch, version, first, options),
    readFrom: (byte) => readFrom(fetch, version, byte, options),
    close,
  };
}

/** Keeps what is open, since a stream that was never read from would not close it, and opens nothing any more once closed. */
function closable(fetch: RemoteFetch): { fetch: RemoteFetch; close(): Promise<void> } {
  const bodies = new Set<RemoteBody>();
  let isClosed = false;
  return {
    fetch: async (from, known) => {
      if (isClosed) throw new FeaturectlError('INTERNAL', 'a remote source was read after it was closed');
      const answer = await fetch(from, known);
      if ('trouble' in answer) return answer;
      const body: RemoteBody = {
        ...answer,
        close: () => {
          bodies.delete(body);
          answer.close();
        },
      };
      bodies.add(body);
      return body;
    },
    close: async () => {
      isClosed = true;
      for (const body of [...bodies]) body.close();
    },
  };
}

async function* readFrom(
  fetch: RemoteFetch,
  version: RemoteVersion,
  from: number,
  options: RemoteOptions,
): ByteStream {
  if (from === version.totalBytes) return;
  yield* readAll(fetch, version, await reach(fetch, from, version, options, null), options, from);
}

async function* readAll(
  fetch: RemoteFetch,
  version: RemoteVersion,
  first: RemoteBody,
  options: RemoteOptions,
  from = 0,
): ByteStream {
  let body = first;
  let offset = from;
  let outage: Outage | null = null;
  try {
    for (;;) {
      const total = version.totalBytes ?? body.version.totalBytes;
      const pieces = bodyBytes(body, offset, options);
      let trouble = 'the connection ended';
      for (;;) {
        const step = await pieces.next();
        if (step.done) {
          trouble = step.value ?? trouble;
          if (step.value === null && (total === null || offset === total)) return;
          break;
        }
        offset += step.value.length;
        options.counter.bytes = Math.max(options.counter.bytes, offset);
        outage = null;
        yield step.value;
      }
      if (offset === total) return;
      outage ??= { since: Date.now(), tries: 0 };
      body = await reach(fetch, offset, { ...version, totalBytes: total }, options, { ...outage, trouble });
      outage.tries++;
    }
  } finally {
    body.close();
  }
}

interface Outage {
  readonly since: number;
  tries: number;
}

/** The bytes of a body from `offset` of the object on. Returns null at its end, or what cut it, in words. */
async function* bodyBytes(
  body: RemoteBody,
  offset: number,
  { silentMs, signal }: RemoteOptions,
): AsyncGenerator<Buffer, string | null, undefined> {
  const iterator = body.chunks[Symbol.asyncIterator]();
  let skip = offset - body.start;
  try {
    for (;;) {
      const step = await heard(iterator.next(), silentMs);
      if (step.done) return null;
      const chunk = asBuffer(step.value);
      const skipped = Math.min(skip, chunk.length);
      skip -= skipped;
      if (skipped < chunk.length) yield chunk.subarray(skipped);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof FeaturectlError) throw error;
    return error instanceof Error ? error.message : String(error);
  } finally {
    body.close();
  }
}

/** Rejects where the promise takes too long. The time that a consumer takes between two chunks does not count. */
export function heard<T>(promise: Promise<T>, silentMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new Error(`nothing came for ${silentMs / 1000} s`);
      reject(Object.assign(error, { name: 'TimeoutError' }));
    }, silentMs);
    const done = (): void => clearTimeout(timer);
    promise.finally(done).then(resolve, reject);
  });
}

/** Asks until there is an answer, with growing waits in between. */
async function reach(
  fetch: RemoteFetch,
  from: number,
  known: RemoteVersion | null,
  options: RemoteOptions,
  cut: (Outage & { readonly trouble: string }) | null,
): Promise<RemoteBody> {
  const since = cut?.since ?? Date.now();
  let wait: RemoteTrouble | null = cut && { trouble: cut.trouble, waitMs: null };
  for (let tries = cut?.tries ?? 0; ; tries++) {
    if (wait !== null) await waitAgain(wait, tries, since, from, known, options);
    options.signal?.throwIfAborted();
    const answer = await fetch(from, known);
    if (!('trouble' in answer)) return answer;
    wait = answer;
  }
}

/** Throws where the time is up. */
async function waitAgain(
  { trouble, waitMs }: RemoteTrouble,
  tries: number,
  since: number,
  from: number,
  known: RemoteVersion | null,
  options: RemoteOptions,
): Promise<void> {
  const left = options.retryForMs - (Date.now() - since);
  if (left <= 0) throw givenUp(trouble, from, known, options);
  const grown = Math.min(FIRST_WAIT_MS * 2 ** Math.min(tries, 10), LONGEST_WAIT_MS);
  const wait = Math.min(waitMs ?? grown * (0.5 + Math.random() / 2), left);
  options.retrying(`${options.name}: ${trouble}; trying again${from > 0 ? ` from byte ${from}` : ''}`);
  await delay(wait, undefined, options.signal ? { signal: options.signal } : {}).catch(() => {});
  options.signal?.throwIfAborted();
}

function givenUp(
  trouble: string,
  from: number,
  known: RemoteVersion | null,
  { name, retryForMs }: RemoteOptions,
): FeaturectlError {
  const long = `${retryForMs / 1000} s (--retry-for)`;
  if (known === null) {
    const message = `${name}: expected an answer within ${long}, but ${trouble}; check the address, or try again later`;
    return new FeaturectlError('SOURCE_READ', message);
  }
  const total = known.totalBytes === null ? 'the body' : `${known.totalBytes} bytes`;
  return new FeaturectlError(
    'SOURCE_TRUNCATED',
    `${name}: expected ${total}, found ${from} bytes and then nothing more for ${long}: ${trouble}; rows that were read are written. Load it again`,
  );
}

/** Throws SOURCE_CHANGED. A mark or size that one of the answers lacks is not compared. */
export function assertSameVersion(name: string, before: RemoteVersion, now: RemoteVersion): void {
  const marks = ['etag', 'lastModified', 'totalBytes'] as const;
  const changed = marks.find(
    (mark) => before[mark] !== null && now[mark] !== null && before[mark] !== now[mark],
  );
  if (changed === undefined) return;
  const word = { etag: 'ETag', lastModified: 'Last-Modified', totalBytes: 'size' }[changed];
  throw changedError(name, `${word} ${before[changed]}`, String(now[changed]));
}

export function changedError(name: string, before: string, now: string): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_CHANGED',
    `${name}: expected it to stay as it was (${before}), found it changed while it was read (${now}); rows that were read are written. Load it again when its writer is done`,
  );
}
