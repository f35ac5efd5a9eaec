/**
 * Reads many entities of one server over a connection of its own: prepared bytes out, positions in the replies' bytes
 * back. Bounds: what the caller has on the way, and one reply.
 */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import type { KeyList, PairReader, PairTaker } from '../core/feature-reader.ts';
import { messageOf } from './ask.ts';
import { cut } from './bulk-channel.ts';
import type { Opener } from './connect.ts';
import { takeStream } from './raw-stream.ts';
import { createReplyReader, type SpanTaker } from './reply-spans.ts';

interface Read {
  readonly keys: KeyList;
  readonly taker: PairTaker;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
  /** Of the key whose reply is next. */
  index: number;
}

interface Line {
  readonly client: Redis;
  readonly send: (bytes: Buffer) => void;
}

const READ_MS = 10_000;

/** `withinMs`: how long the server may be silent while something is asked. */
export function createPairReader(opener: Opener, withinMs = READ_MS): PairReader {
  const queue: Read[] = [];
  let opening: Promise<Line> | null = null;
  let line: Line | null = null;
  let failure: unknown = null;
  let timer: NodeJS.Timeout | null = null;
  /** Of the key whose hash is next; null: its TTL is. */
  let ttl: number | null = null;
  let isRefused = false;

  function fail(error: unknown): void {
    failure ??= noAnswer(opener, error);
    if (timer !== null) clearTimeout(timer);
    if (line !== null) cut(line.client);
    for (const read of queue.splice(0)) read.failed(failure);
  }

  const awaitAnswer = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (queue.length === 0) return;
    timer = setTimeout(() => fail(new Error(`no answer to reading in ${withinMs} ms`)), withinMs);
  };

  /** The PTTL of a key was answered, or, where that was, its HGETALL. */
  function answer(told: (read: Read) => void): void {
    const read = queue[0];
    if (read === undefined) throw new Error('an answer that nobody asked for');
    told(read);
    ttl = null;
    isRefused = false;
    read.index += 1;
    if (read.index < read.keys.count) return;
    queue.shift();
    read.done();
  }

  const replies: SpanTaker = {
    integer: (value) => {
      ttl = value;
    },
    array: (bytes, spans, count) => {
      if (ttl === null) throw new Error('expected a TTL, found a hash');
      const ttlMs = ttl;
      answer(({ taker, index }) => {
        if (isRefused) taker.refused(index);
        else taker.entity(index, ttlMs, bytes, spans, count);
      });
    },
    error: () => {
      if (ttl !== null) return answer(({ taker, index }) => taker.refused(index));
      ttl = -1;
      isRefused = true;
    },
    status: () => {
      throw new Error('expected a TTL or a hash, found a status');
    },
  };

  async function openLine(): Promise<Line> {
    const client = await opener.open(withinMs);
    const take = createReplyReader(replies);
    const onData = (chunk: Buffer): void => {
      try {
        take(chunk);
        awaitAnswer();
      } catch (error) {
        fail(error);
      }
    };
    const stream = takeStream(client, onData, () => fail(new Error('the connection was closed')));
    line = { client, send: (bytes) => void stream.write(bytes) };
    return line;
  }

  return {
    read: async (keys, taker) => {
      if (keys.count === 0) return;
      opening ??= openLine();
      const { send } = await opening.catch((error: unknown) => {
        throw noAnswer(opener, error);
      });
      if (failure !== null) throw failure;
      await new Promise<void>((resolve, reject) => {
        queue.push({ keys, taker, done: resolve, failed: reject, index: 0 });
        send(commandsOf(keys));
        if (timer === null) awaitAnswer();
      });
    },
    close: () => {
      if (line !== null) fail(new Error('the reading ended'));
    },
  };
}

function noAnswer(opener: Opener, error: unknown): FeaturectlError {
  if (error instanceof FeaturectlError) return error;
  const text = `expected an answer of Redis at ${opener.shown}: ${messageOf(error)}`;
  return new FeaturectlError('REDIS_CONNECT', text, { cause: error });
}

const PTTL = '*2\r\n$4\r\nPTTL\r\n';
const HGETALL = '\r\n*2\r\n$7\r\nHGETALL\r\n';

/** PTTL and HGETALL of each key, in that order: the spans of a hash are valid only while it is told. */
function commandsOf(keys: KeyList): Buffer {
  const heads = new Map<number, readonly [Buffer, Buffer]>();
  const headsOf = (length: number): readonly [Buffer, Buffer] => {
    const known = heads.get(length);
    if (known) return known;
    const made = [Buffer.from(`${PTTL}$${length}\r\n`), Buffer.from(`${HGETALL}$${length}\r\n`)] as const;
    heads.set(length, made);
    return made;
  };
  let size = 0;
  for (let i = 0; i < keys.count; i += 1) {
    const length = keys.keyEnd(i) - keys.keyStart(i);
    const [ttl, hash] = headsOf(length);
    size += ttl.length + hash.length + 2 * length + 2;
  }
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  const put = (from: Uint8Array, start: number, end: number): void => {
    for (let i = start; i < end; i += 1) out[at++] = from[i]!;
  };
  for (let i = 0; i < keys.count; i += 1) {
    const [start, end] = [keys.keyStart(i), keys.keyEnd(i)];
    const [ttl, hash] = headsOf(end - start);
    put(ttl, 0, ttl.length);
    put(keys.bytes, start, end);
    put(hash, 0, hash.length);
    put(keys.bytes, start, end);
    out[at++] = 13;
    out[at++] = 10;
  }
  return out;
}
