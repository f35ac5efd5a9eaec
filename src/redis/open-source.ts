/** The source of entities that fits the server: a single one, or a Redis Cluster, asked for or found. */
import type { EntitySource } from '../core/feature-reader.ts';
import { messageOf, sleep } from './ask.ts';
import { cut } from './bulk-channel.ts';
import { createClusterSource } from './cluster-source.ts';
import type { Opener } from './connect.ts';
import { createEntitySource, type EntitySourceOptions } from './entity-source.ts';
import { atMostEvery } from './persist.ts';
import { isClusterNode } from './probe.ts';
import { refusalOf } from './reading-rights.ts';

const PAUSE_MS = 200;

/** Until a server answers what it is, reads fail as `away`. */
export function openEntitySource(opener: Opener, options: EntitySourceOptions): EntitySource {
  let source: EntitySource | null = opener.cluster ? createClusterSource(opener, options) : null;
  let denial: string | null = null;
  let isClosed = false;
  if (source === null) void decide();

  async function decide(): Promise<void> {
    const tellFailure = atMostEvery(10_000, options.tell);
    const withinMs = Math.max(1000, options.withinMs);
    while (source === null && !isClosed) {
      try {
        const client = await opener.open(withinMs);
        const isCluster = await isClusterNode(client, withinMs).finally(() => cut(client));
        if (isClosed) return;
        source = isCluster ? createClusterSource(opener, options) : createEntitySource(opener, options);
      } catch (error) {
        denial = refusalOf(error);
        if (!isClosed) tellFailure(`Redis at ${opener.shown} cannot be reached: ${messageOf(error)}`);
        await sleep(PAUSE_MS);
      }
    }
  }

  return {
    read: (keys, fields, taker) =>
      source === null ? taker.failed(denial === null ? 'away' : 'denied') : source.read(keys, fields, taker),
    isReady: () => source?.isReady() ?? false,
    refusal: () => (source === null ? denial : source.refusal()),
    close: async () => {
      isClosed = true;
      await (source ?? opener).close();
    },
  };
}
