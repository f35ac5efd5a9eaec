/** One read of a Redis Cluster: to which node each key goes, and what is asked again elsewhere. */
import type { Redis } from 'ioredis';
import type { ByteString } from '../core/types.ts';
import { backoff, sleep } from './ask.ts';
import { cut } from './bulk-channel.ts';
import { type Answer, createClusterLines } from './cluster-lines.ts';
import type { Opener } from './connect.ts';
import { parseRedirect } from './redirect.ts';
import { firstWord } from './server-errors.ts';
import { slotOf } from './slot.ts';
import { readTopology, type Topology } from './topology.ts';

export interface ClusterReading {
  /**
   * In the order of the keys. Rejects with REDIS_AUTH, or with an ordinary error where no answer comes in time.
   * Of a replica that does not have a key its master is asked: the replica may be behind, and does not know of keys
   * that are on their way to another node.
   */
  read(
    keys: readonly ByteString[],
    fields: readonly ByteString[] | null,
    withTtl: boolean,
  ): Promise<readonly Answer[]>;
  close(): void;
}

/** A key that is to be asked for, and of whom; node null: where the topology says. */
interface Place {
  readonly index: number;
  readonly node: string | null;
  readonly asking: boolean;
}

interface Group {
  readonly node: string;
  readonly asking: boolean;
  readonly isReplica: boolean;
  readonly indexes: number[];
}

/** Redirections that are followed at once: a node that does not know better than the last one is given time. */
const QUICK_REDIRECTS = 3;
/** So long a replica that did not answer is not asked. */
const REST_MS = 1000;
/** Between looks at which node has what, so that replicas that come and change are known; and after a surprise. */
const LOOK_MS = 5000;
const SOON_MS = 500;

/** `first`: a client of one node, where there is one already. */
export function createClusterReading(
  opener: Opener,
  withinMs: number,
  first: Redis | null = null,
): ClusterReading {
  const lines = createClusterLines(opener, withinMs);
  let topology: Promise<Topology> | null = null;
  let lookedAt = 0;
  /** Of replicas: until when they are left alone. */
  const resting = new Map<string, number>();
  let turn = 0;

  async function findTopology(): Promise<Topology> {
    const client = first?.status === 'ready' ? first : await opener.open(withinMs);
    try {
      lookedAt = performance.now();
      return await readTopology(opener, client, withinMs);
    } finally {
      if (client !== first) cut(client);
    }
  }

  /** Whoever waits for a topology waits for the same one; one that failed is asked for anew. */
  function known(): Promise<Topology> {
    topology ??= findTopology().catch((error: unknown) => {
      topology = null;
      throw error;
    });
    return topology;
  }

  /** In the background: nobody's read waits for it. */
  function lookAgain(map: Topology, afterMs: number): void {
    const now = performance.now();
    if (now - lookedAt < afterMs) return;
    lookedAt = now;
    map.refresh(withinMs).catch(() => {});
  }

  /** The replicas of a master take turns, read by read. */
  function replicaFor(map: Topology, slot: number): string | null {
    const now = performance.now();
    const able = map.replicas(slot).filter((node) => (resting.get(node) ?? 0) <= now);
    // A replica that is not in step yet is not told of, nor one that was down.
    if (able.length === 0) lookAgain(map, REST_MS);
    return able[turn % able.length] ?? null;
  }

  function groupsOf(places: readonly Place[], slots: readonly number[], map: Topology, isFirst: boolean) {
    const groups = new Map<string, Group>();
    for (const { index, node, asking } of places) {
      const slot = slots[index] as number;
      const replica = isFirst && opener.readsReplicas ? replicaFor(map, slot) : null;
      const to = node ?? replica ?? map.owner(slot) ?? opener.nodes[0] ?? '';
      const group = groups.get(`${asking} ${to}`) ?? {
        node: to,
        asking,
        isReplica: replica !== null,
        indexes: [],
      };
      groups.set(`${asking} ${to}`, group);
      group.indexes.push(index);
    }
    return [...groups.values()];
  }

  /** Puts what is answered into `found`; gives what has to be asked again, all of it of masters. */
  function sort(
    { node, isReplica, indexes }: Group,
    answers: readonly Answer[],
    found: (Answer | undefined)[],
    map: Topology,
  ): { again: Place[]; trouble: string; isAway: boolean } {
    const again: Place[] = [];
    let trouble = '';
    let isAway = false;
    for (const [i, index] of indexes.entries()) {
      const answer = answers[i] as Answer;
      if (!mayPass(answer)) {
        found[index] = answer;
        if (isReplica && answer.kind === 'entity' && answer.count === 0) {
          again.push({ index, node: null, asking: false });
        }
        continue;
      }
      trouble = answer.text;
      const redirect = parseRedirect(trouble, node);
      if (redirect?.kind === 'moved') map.learn(redirect.slot, redirect.node);
      if (redirect === null) {
        // The replica's word, where its master is away.
        if (found[index] !== undefined) continue;
        if (isReplica) resting.set(node, performance.now() + REST_MS);
        else isAway = true;
      }
      if (isReplica || redirect?.kind === 'moved') lookAgain(map, SOON_MS);
      again.push({ index, node: redirect?.node ?? null, asking: redirect?.kind === 'ask' });
    }
    return { again, trouble, isAway };
  }

  async function read(
    keys: readonly ByteString[],
    fields: readonly ByteString[] | null,
    withTtl: boolean,
  ): Promise<readonly Answer[]> {
    const until = performance.now() + withinMs;
    const left = (): number => Math.max(1, until - performance.now());
    const map = await known();
    if (opener.readsReplicas) lookAgain(map, LOOK_MS);
    turn += 1;
    const slots = keys.map(slotOf);
    const found: (Answer | undefined)[] = new Array(keys.length);
    let pending: readonly Place[] = keys.map((_, index) => ({ index, node: null, asking: false }));
    for (let attempt = 1; ; attempt += 1) {
      const groups = groupsOf(pending, slots, map, attempt === 1);
      const sorted = await Promise.all(
        groups.map(async (group) => {
          const { node, asking, isReplica, indexes } = group;
          const own = indexes.map((index) => keys[index] as ByteString);
          // A replica that hangs leaves time for its master.
          const askMs = isReplica ? left() / 2 : left();
          return sort(group, await lines.ask(node, own, { fields, withTtl, asking }, askMs), found, map);
        }),
      );
      const again = sorted.flatMap((each) => each.again);
      if (again.length === 0) return found as Answer[];
      const isAway = sorted.some((each) => each.isAway);
      if (performance.now() >= until)
        throw new Error(
          sorted
            .map(({ trouble }) => trouble)
            .join(' ')
            .trim(),
        );
      if (isAway || attempt > QUICK_REDIRECTS) await sleep(Math.min(backoff(attempt), left()));
      if (isAway) await map.refresh(left());
      pending = again;
    }
  }

  return { read, close: lines.close };
}

/** Whether the key is to be asked for again: no answer, a redirection, or an error that passes. */
function mayPass(answer: Answer): answer is Exclude<Answer, { kind: 'entity' }> {
  if (answer.kind === 'entity') return false;
  return answer.kind === 'lost' || PASSING.has(firstWord(answer.text));
}

const PASSING: ReadonlySet<string> = new Set([
  ...['MOVED', 'ASK', 'CLUSTERDOWN', 'TRYAGAIN', 'LOADING', 'MASTERDOWN'],
]);
