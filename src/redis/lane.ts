/**
 * One connection that rows go through in file order. Chunks are sent without waiting, a bounded number at a
 * time. On trouble that may pass nothing more is sent until everything on the way is answered; then all rows
 * from the first that was not taken are sent again, in order (go-back-N), so the last row of a key wins under
 * every fault. In mode newer a row that failed may come again after a later one of its key was taken; it is
 * stale then, and fields that only it has are not written. Bounds: `inFlight` chunks on the way, and what the
 * caller enqueues before it waits for room.
 *
 * Rows of keys that were taken for new and exist are set aside while the rest of the window is answered, and are
 * then sent first, in another form. On a Cluster a lane belongs to one node, and all rows of a slot that are not
 * settled are in one lane. Rows that the node sends elsewhere are set aside too. Then those under ASK are
 * brought to the node that it named; where slots have moved, all that the lane holds is dealt out anew.
 */
import type { Redis } from 'ioredis';
import { type ErrorCode, FeaturectlError } from '../core/errors.ts';
import { type AskedChunk, createAside, unheard } from './aside.ts';
import { backoff, messageOf, sleep } from './ask.ts';
import { bringChunk } from './asking.ts';
import { cut, sendBulk } from './bulk-channel.ts';
import { type Chunk, repliesFrom, rowsOfUnit } from './chunk.ts';
import { createFates } from './fates.ts';
import { takeOver } from './fence.ts';
import type { Framer, Reply } from './framer.ts';
import type { Lane, LaneOptions } from './lane-options.ts';
import { parseRedirect } from './redirect.ts';
import { firstWord, judge, lostError, refusedError, strayError } from './server-errors.ts';

/** Milliseconds that one try to mend may take, whatever is left of `retryForMs`. */
const MIN_TRY_MS = 200;
const MAX_TRY_MS = 10_000;

/** What no other try mends. */
const FOR_GOOD: ReadonlySet<ErrorCode> = new Set(['REDIS_AUTH', 'REDIS_DATA_LOSS']);

/** Longer than any wait between two tries. */
const AT_REST_MS = 5000;

/** A row that was sent as new was not taken for sure: it is set aside by itself, behind those that hold it back. */
function isForExisting(reply: Reply): boolean {
  return reply instanceof Error && judge(reply.message) === 'exists';
}

/** What is done once everything on the way is answered, besides what becomes of rows that are set aside. */
type Remedy = 'none' | 'again' | 'reconnect' | 'reload' | 'split';

/** Long, since all of it is one state: what waits, what is on the way, and whether the lane is being mended. */
export function createLane(options: LaneOptions, framer: () => Framer, first: Redis | null): Lane {
  const { pool, replies, listener, cluster, witness } = options;
  const aside = createAside(pool, framer);
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
  let healedAt = 0;
  const watch = setInterval(() => watchReplies(), Math.max(20, Math.min(250, options.replyWithinMs / 4)));
  watch.unref();

  function pump(): void {
    while (!dead && !healing && remedy === 'none' && aside.isEmpty() && queue.length > 0) {
      if (flying.length >= options.inFlight) return;
      const before = flying[flying.length - 1];
      if (before && !framer().mayFollow(queue[0] as Chunk, before)) return;
      const chunk = queue.shift() as Chunk;
      if (flying.length === 0) repliedAt = Date.now();
      if (flying.length === 0 && attempt === 0) settledAt = Date.now();
      flying.push(chunk);
      if (!send(chunk)) return;
    }
  }

  function send(chunk: Chunk): boolean {
    const bytes = framer().resendFrom(chunk);
    const expected = repliesFrom(chunk, chunk.unit);
    const sentIn = epoch;
    const isSent =
      client !== null &&
      sendBulk(client, bytes, expected, {
        reply: (reply, times) => {
          if (sentIn !== epoch || dead) return;
          awaited -= times;
          repliedAt = Date.now();
          guarded(() => {
            takeRun(chunk, reply, times);
            if (awaited === 0 && (remedy !== 'none' || !aside.isEmpty())) heal();
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

  /** Of the same reply: nearly all that a load is answered are runs of OK. */
  function takeRun(chunk: Chunk, reply: Reply, times: number): void {
    const isPlain = reply === 'OK' && remedy === 'none' && aside.isEmpty();
    if (isPlain && replies.takeOks?.(times, chunk, outcomesOf(chunk))) return pass(chunk, times);
    for (let i = 0; i < times && remedy === 'none' && !dead; i += 1) take(chunk, reply);
  }

  function take(chunk: Chunk, reply: Reply): void {
    const isHeld = !aside.isEmpty() && !isForExisting(reply) && aside.holds(chunk);
    const isWhole = replies.take(
      reply,
      chunk,
      isHeld ? unheard(outcomesOf(chunk).trouble) : outcomesOf(chunk),
    );
    if (!isWhole || remedy !== 'none' || dead) return;
    if (isHeld) aside.add(chunk, 'held');
    pass(chunk, 1);
  }

  /** So many units of the chunk are answered for. */
  function pass(chunk: Chunk, units: number): void {
    chunk.unit += units;
    if (chunk.unit < chunk.units) return;
    flying.shift();
    witness.release(chunk);
    pool.give(chunk);
    pump();
    options.changed();
  }

  const outcomesOf = createFates(listener, {
    settled: () => {
      settledAt = Date.now();
      attempt = 0;
    },
    written: (chunk, row) => witness.saw(chunk, row),
    trouble: (text, chunk) => {
      const verdict = judge(text);
      const isAlone = rowsOfUnit(chunk, chunk.unit) === 1;
      if (verdict === 'fatal') return die(refusedError(text));
      if (verdict === 'redirect') return redirected(text, chunk, isAlone);
      if (verdict === 'exists') return aside.add(chunk, 'exists');
      if (firstWord(text) === 'TRYAGAIN' && !isAlone) return trouble('split', text);
      trouble(verdict === 'reload' || verdict === 'reconnect' ? verdict : 'again', text);
    },
    split: (text) => trouble('split', text),
  });

  function redirected(text: string, chunk: Chunk, isAlone: boolean): void {
    const redirect = cluster === null ? null : parseRedirect(text, cluster.node);
    if (redirect === null) return die(strayError(text));
    // Of several keys some may have gone and some not.
    if (redirect.kind === 'ask' && !isAlone) return trouble('split', text);
    lastTrouble = text;
    aside.add(chunk, redirect);
  }

  function trouble(how: Remedy, text: string): void {
    remedy = how;
    lastTrouble = text;
  }

  /** From here on all that is not settled waits in the queue, in order; what may be in Redis already is marked. */
  function heal(): void {
    if (healing || dead) return;
    healing = true;
    const { asked, others, movedTo } = aside.take();
    for (const chunk of flying) witness.release(chunk);
    if (remedy === 'split') for (const chunk of flying) framer().split(chunk);
    for (const chunk of flying) chunk.doubt = true;
    queue.unshift(...asked.map(({ chunk }) => chunk), ...others, ...flying.splice(0));
    void recover([...asked], movedTo).then(
      () => {
        healing = false;
        guarded(goOn);
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

  /** Waits and mends until the lane can send again. Throws REDIS_LOST, REDIS_AUTH, REDIS_DATA_LOSS. */
  async function recover(asked: AskedChunk[], movedTo: ReadonlyMap<number, string>): Promise<void> {
    const isRedirected = asked.length > 0 || movedTo.size > 0;
    if ((remedy === 'split' || remedy === 'none') && !isRedirected) return;
    let isQuick = remedy === 'reload' || remedy === 'split' || remedy === 'none' || client === null;
    let needsConnection = remedy === 'reconnect' || client?.status !== 'ready';
    for (;;) {
      attempt += 1;
      options.count('retries', 1);
      const left = settledAt + options.retryForMs - Date.now();
      if (left <= 0 && attempt > 1) throw lostError(options.retryForMs, lastTrouble);
      if (!isQuick || attempt > 1) {
        listener.retrying(`${lastTrouble}; trying again`);
        await sleep(Math.min(backoff(attempt), Math.max(left, 0)));
      }
      if (dead) return;
      try {
        const withinMs = Math.max(MIN_TRY_MS, Math.min(MAX_TRY_MS, left));
        await bring(asked, withinMs);
        if (movedTo.size > 0 || needsConnection || remedy === 'again') await reroute(movedTo, withinMs);
        if (dead || (cluster !== null && queue.length === 0)) return;
        if (needsConnection) await reconnect(withinMs);
        if (needsConnection || remedy === 'reload') {
          await witness.check(client as Redis, withinMs);
          await options.reload(client as Redis, withinMs);
        }
        return;
      } catch (error) {
        if (error instanceof FeaturectlError && FOR_GOOD.has(error.code)) throw error;
        lastTrouble = messageOf(error);
        isQuick = false;
        // What could not be brought is asked for again.
        if (asked.splice(0).length === 0) needsConnection = true;
      }
    }
  }

  /** The rows under ASK, which are the first in the queue. */
  async function bring(asked: AskedChunk[], withinMs: number): Promise<void> {
    if (cluster === null || asked.length === 0) return;
    replies.reset();
    const replyMs = Math.min(withinMs, options.replyWithinMs);
    for (let next = asked[0]; next && !dead; next = asked[0]) {
      const { node, chunk } = next;
      await bringChunk(cluster.asking, node, chunk, replyMs, { framer: framer(), replies, outcomesOf });
      if (dead) return;
      asked.shift();
      queue.shift();
      witness.release(chunk);
      pool.give(chunk);
    }
    options.changed();
  }

  async function reroute(movedTo: ReadonlyMap<number, string>, withinMs: number): Promise<void> {
    if (cluster === null) return;
    const [first] = movedTo.values();
    await cluster.refresh(withinMs, first);
    if (!dead) cluster.reroute(movedTo);
  }

  async function reconnect(withinMs: number): Promise<void> {
    if (client !== null) cut(client);
    if (client !== null && !givenUp.includes(client)) givenUp.push(client);
    client = await options.connect(withinMs);
    await takeOver(client, givenUp, withinMs);
    givenUp.length = 0;
  }

  function goOn(): void {
    if (dead) return;
    healedAt = Date.now();
    remedy = 'none';
    replies.reset();
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
    if (client !== null) cut(client);
    loseConnection(`no reply within ${options.replyWithinMs} ms`);
  }

  return {
    enqueue: (chunk) => {
      // A lane whose slots were all gone for a while begins anew; rows sent to and fro between nodes do not.
      if (queue.length === 0 && flying.length === 0 && Date.now() - healedAt > AT_REST_MS) attempt = 0;
      queue.push(chunk);
      pump();
    },
    waiting: () => queue.length,
    isIdle: () => queue.length === 0 && flying.length === 0 && aside.isEmpty(),
    error: () => dead,
    strip: () => {
      die(new FeaturectlError('REDIS_LOST', 'the run was given up'));
      const { asked, others } = aside.take();
      const held = [...asked.map(({ chunk }) => chunk), ...others];
      return [...held, ...flying.splice(0), ...queue.splice(0)];
    },
    release: () => queue.splice(0),
    close: () => {
      clearInterval(watch);
      dead ??= new FeaturectlError('REDIS_LOST', 'the writer is closed');
      if (client !== null) cut(client);
    },
  };
}
