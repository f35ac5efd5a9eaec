/** The reader that fits the server: a single one, or a Redis Cluster, asked for or found. */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import type { FeatureReader } from '../core/feature-reader.ts';
import { messageOf, sleep } from './ask.ts';
import { cut } from './bulk-channel.ts';
import { createClusterReader } from './cluster-reader.ts';
import type { Opener } from './connect.ts';
import { atMostEvery } from './persist.ts';
import { isClusterNode } from './probe.ts';
import { refusalOf } from './reading-rights.ts';
import { noAnswerText } from './server-errors.ts';
import { createServerReader, type ReaderOptions } from './server-reader.ts';

const PAUSE_MS = 200;
const READ_MS = 10_000;

/**
 * For a command that ends: over a client that is ready, of which the reader is the owner from here on. Throws
 * REDIS_CONNECT where the server does not say what it is.
 */
export async function readerOver(opener: Opener, client: Redis, withinMs = READ_MS): Promise<FeatureReader> {
  const options: ReaderOptions = { withinMs, tell: () => {} };
  const isCluster = opener.cluster || (await saysCluster(opener, client, withinMs));
  return (isCluster ? createClusterReader : createServerReader)(opener, options, client);
}

async function saysCluster(opener: Opener, client: Redis, withinMs: number): Promise<boolean> {
  try {
    return await isClusterNode(client, withinMs);
  } catch (error) {
    const text = noAnswerText(opener.shown, messageOf(error));
    throw new FeaturectlError('REDIS_CONNECT', text, { cause: error });
  }
}

function noReplicas({ shown }: Opener): string {
  return (
    `--read-from replica: expected a Redis Cluster or --sentinel, found one server at ${shown}, which is read itself; ` +
    'give the URL of its replica to read that'
  );
}

/** For a server: until Redis answers what it is, reads fail as `away`. */
export function openReader(opener: Opener, options: ReaderOptions): FeatureReader {
  let reader: FeatureReader | null = opener.cluster ? createClusterReader(opener, options) : null;
  let denial: string | null = null;
  let isClosed = false;
  if (reader === null) void decide();

  async function decide(): Promise<void> {
    const tellFailure = atMostEvery(10_000, options.tell);
    const withinMs = Math.max(1000, options.withinMs);
    while (reader === null && !isClosed) {
      try {
        const client = await opener.open(withinMs);
        const isCluster = await isClusterNode(client, withinMs).finally(() => cut(client));
        if (isClosed) return;
        if (!isCluster && opener.readsReplicas && !opener.bySentinel) options.tell(noReplicas(opener));
        reader = (isCluster ? createClusterReader : createServerReader)(opener, options);
      } catch (error) {
        denial = refusalOf(error);
        if (!isClosed) tellFailure(`Redis at ${opener.shown} cannot be reached: ${messageOf(error)}`);
        await sleep(PAUSE_MS);
      }
    }
  }

  return {
    read: (keys, fields, taker, withTtl) => {
      if (reader !== null) return reader.read(keys, fields, taker, withTtl);
      if (denial !== null) return taker.failed('denied', denial);
      taker.failed('away', noAnswerText(opener.shown, 'not connected yet'));
    },
    isReady: () => reader?.isReady() ?? false,
    refusal: () => (reader === null ? denial : reader.refusal()),
    close: async () => {
      isClosed = true;
      await (reader ?? opener).close();
    },
  };
}
