/** The pipelined writer: rows by key into lanes, chunks into windows, every row's fate to the listener. */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteString, RowOrigin, WriteListener, WriteMode, Writer } from '../core/types.ts';
import { atMost, messageOf, sleep } from './ask.ts';
import { cut } from './bulk-channel.ts';
import { type Chunk, createChunkPool, originOf } from './chunk.ts';
import type { Connection } from './connect.ts';
import { introduce } from './fence.ts';
import type { Framer, ReplyReader } from './framer.ts';
import { createLane, type Lane } from './lane.ts';
import { atMostEvery, type Patience, persist } from './persist.ts';
import { createPipelineFramer, createPipelineReplies } from './pipeline-framer.ts';
import { type Probe, probeServer, reloadScript, type WritePathChoice } from './probe.ts';
import { createRestoreFramer, createRestoreReplies } from './restore-framer.ts';
import { createScriptFramer } from './script-framer.ts';
import { createScriptReplies } from './script-replies.ts';
import { keySlot } from './slot.ts';

export interface WriterOptions {
  readonly fields: readonly ByteString[];
  readonly mode: WriteMode;
  readonly path: WritePathChoice;
  /** Index of the event time in `fields`, for mode newer. */
  readonly eventTimeField: number | null;
  readonly chunkRows: number;
  readonly chunkBytes: number;
  /** Chunks on the way at once, each connection. */
  readonly inFlight: number;
  readonly connections: number;
  /** Rows a second; null: as fast as it goes. */
  readonly rate: number | null;
  readonly retryForMs: number;
  /** A key of the kind that will be written, to ask for permissions with; it is never written. */
  readonly probeKey: ByteString;
  /** Some TTL may be no whole number of seconds, so the user must be permitted PEXPIRE. */
  readonly millis: boolean;
}

/** Rows a script call: more gain little, and one call keeps every other client waiting. */
const CALL_ROWS = 50;

/** The longest silence that is not taken for a dead connection. */
const REPLY_WITHIN_MS = 15_000;

/** A trouble that is being retried is told at most this often, over all lanes. */
const TELL_EVERY_MS = 1000;

/** A limited rate is kept evenly: a chunk is at most this part of a second. */
const RATE_PARTS = 10;

/** Throws REDIS_AUTH and REDIS_SERVER where the server cannot do it. Owns the connection from then on. */
export async function createWriter(
  connection: Connection,
  options: WriterOptions,
  listener: WriteListener,
): Promise<Writer> {
  const calm = { ...listener, retrying: atMostEvery(TELL_EVERY_MS, listener.retrying) };
  const setUp: Patience = {
    retryForMs: options.retryForMs,
    signal: connection.signal,
    retrying: (message) => calm.retrying(`${message}; trying again`),
    gaveUp: (error) => notReady(connection.shown, options.retryForMs, error),
  };
  const { client, probe } = await persist(setUp, firstLane(connection, options));
  const clients = [client];
  while (clients.length < options.connections) {
    clients.push(await persist(setUp, (withinMs) => openLane(connection, withinMs)));
  }
  return startWriter(connection, options, calm, probe, clients);
}

function notReady(shown: string, retryForMs: number, error: unknown): FeaturectlError {
  const within = `within ${retryForMs / 1000}s (--retry-for)`;
  const text = `Redis at ${shown} did not get ready ${within}: ${messageOf(error)}`;
  return new FeaturectlError('REDIS_LOST', text, { cause: error });
}

/** Each try but the first is on a new connection: nothing is half done on it. */
function firstLane(connection: Connection, options: WriterOptions) {
  let ready: Redis | null = connection.client;
  return async (askMs: number): Promise<{ client: Redis; probe: Probe }> => {
    const client = ready ?? (await connection.open(askMs));
    ready = null;
    try {
      const probe = await probeServer(client, { ...options, fields: options.fields.length, askMs });
      await introduce(client, askMs);
      return { client, probe };
    } catch (error) {
      cut(client);
      throw error;
    }
  };
}

async function openLane(connection: Connection, withinMs: number): Promise<Redis> {
  const client = await connection.open(withinMs);
  await introduce(client, withinMs);
  return client;
}

/** Long, since it is the writer's one state: lanes, framers and who waits for them. */
function startWriter(
  connection: Connection,
  options: WriterOptions,
  listener: WriteListener,
  { plan, script, limits }: Probe,
  clients: readonly Redis[],
): Writer {
  const stats = { bytesSent: 0, chunksSent: 0, retries: 0 };
  const chunkRows = Math.max(
    1,
    Math.min(options.chunkRows, Math.ceil((options.rate ?? Infinity) / RATE_PARTS)),
  );
  const pool = createChunkPool(chunkRows, options.chunkBytes, (options.inFlight + 2) * clients.length);
  const limiter = createLimiter(options.rate);
  const waiters = new Set<() => void>();
  const changed = (): void => {
    for (const waiter of waiters) waiter();
  };
  const lanes: Lane[] = [];
  const framers: Framer[] = [];
  let closed = false;
  let emitted = 0;

  for (const client of clients) {
    const index = lanes.length;
    lanes.push(
      createLane(
        {
          connect: connection.open,
          reload: (at, withinMs) => reloadScript(at, script, withinMs),
          pool,
          replies: createReplies(),
          listener,
          inFlight: options.inFlight,
          retryForMs: options.retryForMs,
          replyWithinMs: Math.max(100, Math.min(options.retryForMs, REPLY_WITHIN_MS)),
          changed,
          count: (what, by) => {
            stats[what] += by;
          },
        },
        () => framers[index] as Framer,
        client,
      ),
    );
    framers.push(createFramer(index));
  }

  function createFramer(index: number): Framer {
    const shared = {
      mode: options.mode,
      fields: options.fields,
      chunkRows,
      chunkBytes: options.chunkBytes,
      pool,
      emit: (chunk: Chunk) => {
        emitted += chunk.rows;
        (lanes[index] as Lane).enqueue(chunk);
      },
    };
    if (limits !== null) return createRestoreFramer({ ...shared, limits });
    if (script === null) return createPipelineFramer(shared);
    return createScriptFramer({ ...shared, sha: script.sha, callRows: CALL_ROWS, millis: false });
  }

  function createReplies(): ReplyReader {
    if (limits !== null) return createRestoreReplies();
    return script === null ? createPipelineReplies() : createScriptReplies();
  }

  let framer = framers[0] as Framer;
  let before = 0;

  function laneError(): FeaturectlError | null {
    for (const lane of lanes) if (lane.error()) return lane.error();
    return null;
  }

  /** Waits until `isDone` or an error; throws the error. */
  async function until(isDone: () => boolean): Promise<void> {
    for (;;) {
      const error = laneError();
      if (error) throw error;
      if (isDone()) return;
      await new Promise<void>((resolve) => {
        const waiter = (): void => {
          waiters.delete(waiter);
          resolve();
        };
        waiters.add(waiter);
      });
    }
  }

  return {
    plan,
    stats: () => ({ ...stats }),
    begin: (key, ttlMs, eventTime) => {
      if (framers.length > 1) framer = framers[keySlot(key) % framers.length] as Framer;
      framer.begin(key, ttlMs, eventTime);
    },
    value: (feature, bytes) => framer.value(feature, bytes),
    abort: () => framer.abort(),
    commit: (origin, row) => {
      framer.commit(origin, row);
      if (emitted === before) return false;
      limiter.take(emitted - before);
      before = emitted;
      return limiter.mustWait() || laneError() !== null || lanes.some((lane) => lane.waiting() > 0);
    },
    room: async () => {
      await limiter.wait();
      await until(() => lanes.every((lane) => lane.waiting() === 0));
    },
    drain: async () => {
      for (const each of framers) each.flush();
      await until(() => lanes.every((lane) => lane.isIdle()));
    },
    abandon: async (graceMs) => {
      if (graceMs > 0) {
        for (const each of framers) each.flush();
        await atMost(
          graceMs,
          until(() => lanes.every((lane) => lane.isIdle())),
        );
      }
      const left = lanes.map((lane) => lane.strip());
      // A stripped lane sends nothing: what the framers still hold only passes through it.
      for (const each of framers) each.flush();
      for (const [i, lane] of lanes.entries()) {
        for (const chunk of [...(left[i] ?? []), ...lane.strip()]) tellUnsettled(chunk, listener);
      }
    },
    close: async () => {
      if (closed) return;
      closed = true;
      for (const lane of lanes) lane.close();
      await connection.close();
    },
  };
}

function tellUnsettled(chunk: Chunk, listener: WriteListener): void {
  for (let row = chunk.told; row < chunk.rows; row += 1) {
    const origin: RowOrigin = originOf(chunk, row);
    listener.failed(origin, chunk.rowAt[row] as number, {
      code: 'UNSETTLED',
      column: null,
      reason:
        'expected an answer from Redis before the run ended, found none; Redis may or may not hold the row',
    });
  }
}

interface Limiter {
  take(rows: number): void;
  mustWait(): boolean;
  wait(): Promise<void>;
}

/** Rows are paid for after they were taken, so the rate holds over any time longer than a chunk's. */
function createLimiter(rate: number | null): Limiter {
  if (rate === null) return { take: () => {}, mustWait: () => false, wait: async () => {} };
  let freeAt = performance.now();
  return {
    take: (rows) => {
      freeAt = Math.max(freeAt, performance.now()) + (rows * 1000) / rate;
    },
    mustWait: () => freeAt > performance.now(),
    wait: async () => {
      const wait = freeAt - performance.now();
      if (wait > 0) await sleep(wait);
    },
  };
}
