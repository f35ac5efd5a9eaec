/** Reads keys from a Redis Cluster: each from the master of its slot, redirections followed. */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteString } from '../core/types.ts';
import { backoff, messageOf, sleep } from './ask.ts';
import type { AskServer, RawEntity } from './ask-entities.ts';
import { cut } from './bulk-channel.ts';
import type { Opener } from './connect.ts';
import { parseRedirect } from './redirect.ts';
import { firstWord, judge } from './server-errors.ts';
import { slotOf } from './slot.ts';
import { readTopology, type Topology } from './topology.ts';

/** In the order of the keys, redirections followed. Rejects with an ordinary error where no answer comes in time. */
export type ReadCluster = (keys: readonly ByteString[], withinMs: number) => Promise<readonly RawEntity[]>;

/** Where a key is asked for; node null: where the topology says. */
interface Place {
  readonly index: number;
  readonly node: string | null;
  readonly asking: boolean;
}

/** Redirections that are followed at once: a node that does not know better than the last one is given time. */
const QUICK_REDIRECTS = 3;

/** `first`: a client of one node, where there is one already. */
export function createClusterReader(
  connection: Opener,
  askServer: AskServer,
  first: Redis | null = null,
): ReadCluster {
  let topology: Topology | null = null;
  const clientOf = createClients(connection);

  async function findTopology(withinMs: number): Promise<Topology> {
    const client = first?.status === 'ready' ? first : await connection.open(withinMs);
    const found = await readTopology(connection, client, withinMs);
    if (client !== first) cut(client);
    return found;
  }

  async function askGroup(keys: readonly ByteString[], group: Group, withinMs: number) {
    const client = await clientOf(group.node, withinMs);
    const own = group.indexes.map((index) => keys[index] as ByteString);
    try {
      return await askServer(client, own, group.asking, withinMs);
    } catch (error) {
      cut(client);
      throw error;
    }
  }

  return async (keys, withinMs) => {
    const until = Date.now() + withinMs;
    const left = (): number => Math.max(1, until - Date.now());
    topology ??= await findTopology(withinMs);
    const map = topology;
    const found: RawEntity[] = new Array(keys.length);
    let pending: readonly Place[] = keys.map((_, index) => ({ index, node: null, asking: false }));
    for (let attempt = 1; ; attempt += 1) {
      const nodeOf = ({ index, node }: Place): string =>
        node ?? map.owner(slotOf(keys[index] as ByteString)) ?? connection.nodes[0] ?? '';
      const groups = groupsOf(pending, nodeOf);
      const asked = await Promise.allSettled(groups.map((group) => askGroup(keys, group, left())));
      const { again, trouble, isAway } = sort(groups, asked, found, map);
      if (again.length === 0) return found;
      if (Date.now() >= until) throw new Error(trouble);
      if (isAway || attempt > QUICK_REDIRECTS) await sleep(Math.min(backoff(attempt), left()));
      if (isAway) await map.refresh(left());
      pending = again;
    }
  };
}

/** At most one client to each node; those of nodes that left go with the connection. */
function createClients(connection: Opener): (node: string, withinMs: number) => Promise<Redis> {
  const clients = new Map<string, Promise<Redis>>();
  return async (node, withinMs) => {
    const known = await clients.get(node)?.catch(() => null);
    if (known?.status === 'ready') return known;
    const opening = connection.openAt(node, withinMs);
    clients.set(node, opening);
    return opening;
  };
}

interface Group {
  readonly node: string;
  readonly asking: boolean;
  readonly indexes: number[];
}

function groupsOf(places: readonly Place[], nodeOf: (place: Place) => string): Group[] {
  const groups = new Map<string, Group>();
  for (const place of places) {
    const { asking } = place;
    const node = nodeOf(place);
    const group = groups.get(`${asking} ${node}`) ?? { node, asking, indexes: [] };
    groups.set(`${asking} ${node}`, group);
    group.indexes.push(place.index);
  }
  return [...groups.values()];
}

/** Puts what is answered into `found`; gives what has to be asked again. Throws what no asking mends. */
function sort(
  groups: readonly Group[],
  asked: readonly PromiseSettledResult<readonly RawEntity[]>[],
  found: RawEntity[],
  map: Topology,
): { again: Place[]; trouble: string; isAway: boolean } {
  const again: Place[] = [];
  let trouble = '';
  let isAway = false;
  for (const [g, { node, indexes }] of groups.entries()) {
    const answer = asked[g] as PromiseSettledResult<readonly RawEntity[]>;
    if (answer.status === 'rejected' && answer.reason instanceof FeaturectlError) throw answer.reason;
    for (const [i, index] of indexes.entries()) {
      const raw = answer.status === 'fulfilled' ? (answer.value[i] as RawEntity) : null;
      if (raw !== null && !mayPass(raw)) {
        found[index] = raw;
        continue;
      }
      trouble = messageOf(answer.status === 'rejected' ? answer.reason : raw?.error);
      const redirect = parseRedirect(trouble, node);
      if (redirect?.kind === 'moved') map.learn(redirect.slot, redirect.node);
      if (redirect === null) isAway = true;
      again.push({ index, node: redirect?.node ?? null, asking: redirect?.kind === 'ask' });
    }
  }
  return { again, trouble, isAway };
}

/** Error replies after which the key is asked for again. */
function mayPass({ error }: RawEntity): boolean {
  return error !== null && (judge(error.message) === 'redirect' || PASSING.has(firstWord(error.message)));
}

const PASSING: ReadonlySet<string> = new Set(['CLUSTERDOWN', 'TRYAGAIN', 'LOADING', 'MASTERDOWN']);
