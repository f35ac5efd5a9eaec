/** The pipelined writer: rows by key into lanes, chunks into windows, every row's fate to the listener. */
import type { Redis } from 'ioredis';
import type { FeaturectlError } from '../core/errors.ts';
import type { RowOrigin, TakenRow, WriteListener, Writer } from '../core/types.ts';
import { atMost, sleep, together } from './ask.ts';
import { createAskingLine } from './asking.ts';
import { type Chunk, createChunkPool, originOf } from './chunk.ts';
import { assertFollowed } from './cluster-witness.ts';
import type { Connection } from './connect.ts';
import type { Framer, ReplyReader } from './framer.ts';
import { createLane } from './lane.ts';
import type { Lane, LaneCluster, LaneOptions } from './lane-options.ts';
import { createNewKeyFramer, createNewKeyReplies } from './new-key-framer.ts';
import { createNovelty } from './novelty.ts';
import { thinned } from './persist.ts';
import { createPipelineFramer, createPipelineReplies } from './pipeline-framer.ts';
import { reloadScript } from './probe.ts';
import { createRestoreFramer, createRestoreReplies } from './restore-framer.ts';
import { createRoutes } from './routes.ts';
import { createScriptFramer } from './script-framer.ts';
import { createScriptReplies } from './script-replies.ts';
import { type SetUp, setUp, type WriterOptions } from './set-up.ts';
import type { Topology } from './topology.ts';
import { createWitness, type Witness } from './witness.ts';

/** Rows a script call, which keeps every other client waiting for about half a millisecond. */
const CALL_ROWS = 99;

/** The longest silence that is not taken for a dead connection. */
const REPLY_WITHIN_MS = 15_000;

/** A limited rate is kept evenly: a chunk is at most this part of a second. */
const RATE_PARTS = 10;

/** Waits end late by a timer's step each; what was lost in so much time is caught up. */
const CATCH_UP_MS = 100;

/** Throws REDIS_AUTH and REDIS_SERVER where the server cannot do it. Owns the connection from then on. */
export async function createWriter(
  connection: Connection,
  options: WriterOptions,
  listener: WriteListener,
): Promise<Writer> {
  // Over all lanes.
  const calm = { ...listener, retrying: thinned(listener.retrying) };
  return startWriter(connection, options, calm, await setUp(connection, options, calm.retrying));
}

/** Long, since it is the writer's one state: lanes, framers and who waits for them. */
function startWriter(
  connection: Connection,
  options: WriterOptions,
  listener: WriteListener,
  { probe: { plan, script, limits }, topology, clock, lanes: first }: SetUp,
): Writer {
  const stats = { bytesSent: 0, chunksSent: 0, retries: 0 };
  const chunkRows = Math.max(
    1,
    Math.min(options.chunkRows, Math.ceil((options.rate ?? Infinity) / RATE_PARTS)),
  );
  const pool = createChunkPool(chunkRows, options.chunkBytes, (options.inFlight + 2) * first.length);
  const limiter = createLimiter(options.rate);
  const waiters = new Set<() => void>();
  const changed = (): void => {
    for (const waiter of waiters) waiter();
  };
  const reload = async (at: Redis, withinMs: number): Promise<void> => {
    await together(reloadScript(at, script, withinMs), clock?.read(at, withinMs) ?? Promise.resolve());
  };
  const asking = createAskingLine({ connect: connection.openAt, reload });
  const novelty = createNovelty();
  const witnesses: { readonly node: string | null; readonly witness: Witness }[] = [];
  let closed = false;
  let emitted = 0;
  const routes = createRoutes({
    topology,
    connections: options.connections,
    pool,
    createFramer,
    createLane: laneTo,
  });
  const { lanes, framers } = routes;
  for (const { node, client } of first) routes.add(node, client);
  routes.begin();

  function laneTo(node: string | null, index: number, client: Redis | null): Lane {
    const witness = createWitness(first[index]?.runId ?? null, options.fields.length, connection.shown);
    witnesses.push({ node, witness });
    const laneOptions: LaneOptions = {
      connect: (withinMs) => (node === null ? connection.open(withinMs) : connection.openAt(node, withinMs)),
      cluster: node === null || topology === null ? null : clusterOf(topology, node, index, witness),
      reload,
      witness,
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
    };
    return createLane(laneOptions, () => framers[index] as Framer, client);
  }

  function clusterOf(topology: Topology, node: string, index: number, witness: Witness): LaneCluster {
    return {
      node,
      asking,
      refresh: async (withinMs, first) => {
        await topology.refresh(withinMs, first);
        const last = witness.last();
        if (last !== null) await assertFollowed({ connection, topology }, node, last.taken, withinMs);
      },
      reroute: (movedTo) => routes.reroute(index, movedTo),
    };
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
    if (script === null) {
      return limits === null
        ? createPipelineFramer(shared)
        : createRestoreFramer({ ...shared, limits, clock, flags: () => 0 });
    }
    // The keys of a call must be of one slot.
    const calls = { ...shared, sha: script.sha, callRows: topology === null ? CALL_ROWS : 1 };
    const { eventTimeField } = options;
    return limits === null
      ? createScriptFramer(calls)
      : createNewKeyFramer({ ...calls, limits, clock, eventTimeField, novelty });
  }

  function createReplies(): ReplyReader {
    if (script === null) return limits === null ? createPipelineReplies() : createRestoreReplies();
    return limits === null ? createScriptReplies() : createNewKeyReplies(novelty);
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
    plan: topology === null ? plan : { ...plan, why: `${plan.why}; ${clusterWhy(connection, topology)}` },
    stats: () => ({ ...stats }),
    lastTaken: () => lastOf(witnesses),
    begin: (key, keyLength, ttlMs, eventTime) => {
      if (framers.length > 1) framer = routes.framerOf(key, keyLength);
      framer.begin(key, keyLength, ttlMs, eventTime);
    },
    value: (feature, bytes) => framer.value(feature, bytes),
    cell: (feature, bytes, start, end) => framer.cell(feature, bytes, start, end),
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

/** What was written last through any lane of each node. */
function lastOf(
  witnesses: readonly { readonly node: string | null; readonly witness: Witness }[],
): TakenRow[] {
  const ofNode = new Map<string | null, { readonly taken: TakenRow; readonly seenAt: number }>();
  for (const { node, witness } of witnesses) {
    const last = witness.last();
    if (last !== null && last.seenAt >= (ofNode.get(node)?.seenAt ?? 0)) ofNode.set(node, last);
  }
  return [...ofNode.values()].map(({ taken }) => taken);
}

function clusterWhy({ cluster }: Connection, topology: Topology): string {
  const masters = topology.masters().length;
  const how = cluster ? 'asked for by --cluster' : 'found by asking the server';
  return `Redis Cluster of ${masters} master${masters === 1 ? '' : 's'} (${how})`;
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
      freeAt = Math.max(freeAt, performance.now() - CATCH_UP_MS) + (rows * 1000) / rate;
    },
    mustWait: () => freeAt > performance.now(),
    wait: async () => {
      const wait = freeAt - performance.now();
      if (wait > 0) await sleep(wait);
    },
  };
}
