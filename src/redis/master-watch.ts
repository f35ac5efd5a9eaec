/**
 * Listens to Sentinels for the moment in which they name another master. The old one may only have been silent: it
 * then goes on taking rows for some ten seconds, and loses them when it is told to follow the new one.
 */
import { Redis } from 'ioredis';

const CHANNEL = '+switch-master';

/** Milliseconds until a Sentinel that cannot be reached is tried again. */
const AGAIN_MS = 1000;

export interface SentinelAddress {
  readonly host: string;
  readonly port: number;
}

/** Calls `switched` for every failover of the master `name` that any of the Sentinels tells. Gives what ends it. */
export function watchMaster(
  sentinels: readonly SentinelAddress[],
  name: string,
  switched: () => void,
): () => void {
  const clients = sentinels.map(({ host, port }) => {
    const client = new Redis({
      host,
      port,
      retryStrategy: () => AGAIN_MS,
      maxRetriesPerRequest: null,
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    // A Sentinel that is away says nothing; the others do.
    client.on('error', () => {});
    // It listens beside what the process lives for.
    client.on('connect', () => client.stream.unref());
    client.on('message', (_channel, text) => {
      // name old-host old-port new-host new-port
      if (String(text).split(' ')[0] === name) switched();
    });
    client.subscribe(CHANNEL).catch(() => {});
    return client;
  });
  return () => {
    for (const client of clients) client.disconnect();
  };
}
