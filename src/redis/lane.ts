/**
 * One connection that rows go through in file order. Chunks are sent without waiting, a bounded number at a
 * time. On trouble that may pass nothing more is sent until everything on the way is answered; then all rows
 * from the first that was not taken are sent again, in order (go-back-N), so the last row of a key wins under
 * every fault. In mode newer a row that failed may come again after a later one of its key was taken; it is
 * stale then, and fields that only it has are not written. Bounds: `inFlight` chunks on the way, and what the
 * caller enqueues before it waits for room.
 */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import type { WriteListener } from '../core/types.ts';
import { backoff, messageOf, sleep } from './ask.ts';
import { cut, sendBulk } from './bulk-channel.ts';
import { type Chunk, type ChunkPool, forOrigins, originOf, repliesFrom, rowsOfUnit } from './chunk.ts';
import { takeOver } from './fence.ts';
import type { Framer, Outcomes, ReplyReader } from './framer.ts';
import { rowFault } from './script-replies.ts';
import { judge, lostError, refusedError } from './server-errors.ts';

export interface LaneOptions {
  /** A new ready connection; rejects with FeaturectlError REDIS_AUTH for good, with anything else for now. */
  readonly connect: (withinMs: number) => Promise<Redis>;
  /** Loads the script anew on this connection, where there is one. */
  readonly reload: (client: Redis, withinMs: number) => Promise<void>;
  readonly pool: ChunkPool;
  readonly replies: ReplyReader;
  readonly listener: WriteListener;
  readonly inFlight: number;
  /** Milliseconds without a settled row after which the lane gives up. */
  readonly retryForMs: number;
  /** Milliseconds without a reply after which the connection is taken for dead. */
  readonly replyWithinMs: number;
  /** Called whenever something that a waiter may wait for has changed. */
  readonly changed: () => void;
  readonly count: (what: 'bytesSent' | 'chunksSent' | 'retries', by: number) => void;
}

export interface Lane {
  enqueue(chunk: Chunk): void;
  /** Chunks that wait for a place in the window. */
  waiting(): number;
  isIdle(): boolean;
  error(): FeaturectlError | null;
  /** Takes all that is not settled out of the lane, in order; nothing more happens in it. */
  strip(): Chunk[];
  close(): void;
}

/** Milliseconds that one try to mend may take, whatever is left of `retryForMs`. */
const MIN_TRY_MS = 200;
const MAX_TRY_MS = 10_000;

/** What is done once everything on the way is answered. */
type Remedy = 'none' | 'again' | 'reconnect' | 'reload' | 'split';

/** Long, since all of it is one state: what waits, what is on the way, and whether the lane is being mended. */
export function createLane(options: LaneOptions, framer: () => Framer, first: Redis): Lane {
  const { pool, replies, listener } = options;
  const queue: Chunk[] = [];
  const flying: Chunk[] = [];
  let client = first;
  /** Connections that may still have bytes on their way; at most one for each try since rows could be sent. */
  const givenUp: Redis[] = [];
  /** Replies awaited of what is on the way. */
  let awaited = 0;
  /** Counts connections: what an earlier one still says is not listened to. */
  let epoch = 0;
  let remedy: Remedy = 'none';
  let lastTrouble = '';
  let healing = false;
  let dead: FeaturectlError | null = null;
  let attempt = 0;
  let settledAt = Date.now();
  let repliedAt = Date.now();
  const watch = setInterval(() => watchReplies(), Math.max(20, Math.min(250, options.replyWithinMs / 4)));
  watch.unref();

  function pump(): void {
    while (!dead && !healing && remedy === 'none' && queue.length > 0) {
      if (flying.length >= options.inFlight) return;
      const chunk = queue.shift() as Chunk;
      if (flying.length === 0) settledAt = repliedAt = Date.now();
      flying.push(chunk);
      if (!send(chunk)) return;
    }
  }

  function send(chunk: Chunk): boolean {
    const bytes = framer().resendFrom(chunk);
    const expected = repliesFrom(chunk, chunk.unit);
    const sentIn = epoch;
    const isSent = sendBulk(client, bytes, expected, {
      reply: (reply) => {
        if (sentIn !== epoch || dead) return;
        awaited -= 1;
        repliedAt = Date.now();
        guarded(() => {
          if (remedy === 'none') take(chunk, reply);
          if (remedy !== 'none' && awaited === 0) heal();
        });
      },
      lost: () => {
        if (sentIn === epoch) loseConnection('the connection was lost');
      },
    });
    if (!isSent) {
      trouble('reconnect', 'the connection is closed');
      if (awaited === 0) heal();
      return false;
    }
    awaited += expected;
    options.count('bytesSent', bytes.length);
    options.count('chunksSent', 1);
    return true;
  }

  function loseConnection(how: string): void {
    epoch += 1;
    awaited = 0;
    trouble('reconnect', how);
    heal();
  }

  function take(chunk: Chunk, reply: Parameters<ReplyReader['take']>[0]): void {
    if (!replies.take(reply, chunk, outcomesOf(chunk)) || remedy !== 'none' || dead) return;
    chunk.unit += 1;
    if (chunk.unit < chunk.units) return;
    flying.shift();
    pool.give(chunk);
    pump();
    options.changed();
  }

  function settle(chunk: Chunk, rows: number): void {
    chunk.told += rows;
    settledAt = Date.now();
    attempt = 0;
  }

  function outcomesOf(chunk: Chunk): Outcomes {
    current = chunk;
    return outcomes;
  }

  let current: Chunk;
  const outcomes: Outcomes = {
    written: (rows) => {
      forOrigins(current, rows, listener.written);
      settle(current, rows);
    },
    skipped: (code) => {
      const origin = originOf(current, current.told);
      settle(current, 1);
      // A row that an earlier send may have written answers "unchanged": by itself. One that a later row of the
      // same key has passed meanwhile answers "stale", and is counted so: nobody can tell which it was.
      if (code === 'unchanged' && current.doubt) listener.written(origin, 1);
      else listener.skipped(origin, code, 1);
    },
    failed: (fault) => {
      const row = current.told;
      settle(current, 1);
      listener.failed(originOf(current, row), current.rowAt[row] as number, fault);
    },
    trouble: (text) => {
      const verdict = judge(text);
      if (verdict === 'fatal') return die(refusedError(text));
      trouble(verdict === 'reload' || verdict === 'reconnect' ? verdict : 'again', text);
    },
    refused: (text) => {
      if (rowsOfUnit(current, current.unit) > 1) return trouble('split', text);
      outcomes.failed(rowFault(text));
    },
  };

  function trouble(how: Remedy, text: string): void {
    remedy = how;
    lastTrouble = text;
  }

  function heal(): void {
    if (healing || dead) return;
    healing = true;
    void recover().then(
      () => {
        healing = false;
        guarded(resend);
      },
      (error: unknown) => {
        healing = false;
        dieOf(error);
      },
    );
  }

  /** An error that nobody expects ends the lane, not the process: ioredis calls from its own stack. */
  function guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      dieOf(error);
    }
  }

  function dieOf(error: unknown): void {
    const isKnown = error instanceof FeaturectlError;
    die(isKnown ? error : new FeaturectlError('INTERNAL', messageOf(error), { cause: error }));
  }

  /** Waits and mends until the lane can send again. Throws REDIS_LOST, REDIS_AUTH. */
  async function recover(): Promise<void> {
    if (remedy === 'split') return splitAll();
    let needsConnection = remedy === 'reconnect' || client.status !== 'ready';
    for (;;) {
      attempt += 1;
      options.count('retries', 1);
      const left = settledAt + options.retryForMs - Date.now();
      if (left <= 0 && attempt > 1) throw lostError(options.retryForMs, lastTrouble);
      if (remedy !== 'reload' || attempt > 1) {
        listener.retrying(`${lastTrouble}; trying again`);
        await sleep(Math.min(backoff(attempt), Math.max(left, 0)));
      }
      if (dead) return;
      try {
        const withinMs = Math.max(MIN_TRY_MS, Math.min(MAX_TRY_MS, left));
        if (needsConnection) await reconnect(withinMs);
        if (needsConnection || remedy === 'reload') await options.reload(client, withinMs);
        return;
      } catch (error) {
        if (error instanceof FeaturectlError && error.code === 'REDIS_AUTH') throw error;
        lastTrouble = messageOf(error);
        needsConnection = true;
      }
    }
  }

  async function reconnect(withinMs: number): Promise<void> {
    cut(client);
    if (!givenUp.includes(client)) givenUp.push(client);
    client = await options.connect(withinMs);
    await takeOver(client, givenUp, withinMs);
    givenUp.length = 0;
  }

  function splitAll(): void {
    for (const chunk of flying) framer().split(chunk);
  }

  /** Everything that is not settled, in order; what may be in Redis already is marked. */
  function resend(): void {
    if (dead) return;
    remedy = 'none';
    replies.reset();
    repliedAt = Date.now();
    const again = flying.splice(0);
    for (const [i, chunk] of again.entries()) {
      chunk.doubt = true;
      flying.push(chunk);
      if (remedy === 'none' && send(chunk)) continue;
      flying.push(...again.slice(i + 1));
      return;
    }
    pump();
    options.changed();
  }

  function die(error: FeaturectlError): void {
    dead ??= error;
    options.changed();
  }

  /** A server that holds the connection but never answers. */
  function watchReplies(): void {
    if (awaited === 0 || healing || dead) return;
    if (Date.now() - repliedAt < options.replyWithinMs) return;
    cut(client);
    loseConnection(`no reply within ${options.replyWithinMs} ms`);
  }

  return {
    enqueue: (chunk) => {
      queue.push(chunk);
      pump();
    },
    waiting: () => queue.length,
    isIdle: () => queue.length === 0 && flying.length === 0,
    error: () => dead,
    strip: () => {
      die(new FeaturectlError('REDIS_LOST', 'the run was given up'));
      return [...flying.splice(0), ...queue.splice(0)];
    },
    close: () => {
      clearInterval(watch);
      dead ??= new FeaturectlError('REDIS_LOST', 'the writer is closed');
      cut(client);
    },
  };
}
