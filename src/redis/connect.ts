/** Connections to Redis: from options to ready ioredis clients, with retries and clear refusals. */
import { Redis, type RedisOptions } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import { parseAddress, type RedisAddress } from './address.ts';
import { ask, inTime, messageOf } from './ask.ts';
import { cut } from './bulk-channel.ts';
import { logIn } from './log-in.ts';
import { type SentinelAddress, watchMaster } from './master-watch.ts';
import { type Patience, persist, thinned } from './persist.ts';
import { hostOf, portOf } from './redirect.ts';
import { firstWord } from './server-errors.ts';

export interface ConnectOptions {
  /** redis://, rediss:// or unix://; several hosts joined by commas are nodes of one Cluster. */
  readonly url: string;
  /** `host:port` of Sentinels that watch `sentinelName`; the URL then gives user, password and db only. */
  readonly sentinels?: readonly string[];
  readonly sentinelName?: string;
  /** The server must be a node of a Redis Cluster; one that is, is used as such without it too. */
  readonly cluster?: boolean;
  /** `replica`: of what the Sentinels watch, a replica instead of the master; of a Cluster, see cluster-reader.ts. */
  readonly readFrom?: 'master' | 'replica';
  /** PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Milliseconds until a server that cannot be reached is an error. */
  readonly retryForMs: number;
  /** One try only. */
  readonly failFast?: boolean;
  readonly signal?: AbortSignal;
  /** Told when a try has failed and another follows; at most once a second, of the same every 10 s. */
  readonly retrying?: (message: string) => void;
  /** Told once of what is odd about the address, although it works. */
  readonly warn?: (message: string) => void;
}

/** Makes connections to one address and to other nodes of its Cluster, and knows them all. */
export interface Opener {
  /** The address without its password. */
  readonly shown: string;
  /** One try of at most `withinMs` for a ready client; rejects with REDIS_AUTH or an ordinary error. */
  open(withinMs?: number): Promise<Redis>;
  /** As `open`, to another node (host:port) of the same Cluster, with the same user and TLS. */
  openAt(node: string, withinMs?: number): Promise<Redis>;
  /** host:port of the addresses given, any of which `openAt` knows; for a unix socket a stand-in. */
  readonly nodes: readonly string[];
  /** A Cluster was asked for. */
  readonly cluster: boolean;
  /** Of a Cluster: read from replicas where there are some. Sentinel's clients are of one already. */
  readonly readsReplicas: boolean;
  readonly bySentinel: boolean;
  /** Closes every client at once, also those that are being opened. */
  close(): Promise<void>;
}

export interface Connection extends Opener {
  /** A client that is connected, authenticated, loaded and ready. */
  readonly client: Redis;
  /** Ends all waiting before the first row. */
  readonly signal: AbortSignal | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Words of a refusal that no retry mends. */
const REFUSALS = new Set(['WRONGPASS', 'NOAUTH', 'NOPERM']);

/** Connects to nothing yet. Throws USAGE (address). */
export function createOpener(options: ConnectOptions): Opener {
  const address = clusterAddress(parseAddress(options.url), options);
  const clients = new Set<Redis>();
  let isClosed = false;
  let endWatch: (() => void) | null = null;
  let isWarned = false;
  const warn = (message: string): void => {
    if (!isWarned) options.warn?.(message);
    isWarned = true;
  };
  const openTo = async (to: RedisAddress, withinMs: number): Promise<Redis> => {
    if (isClosed) throw new Error('the connection was closed by featurectl');
    endWatch ??= cutAtFailover(options, clients);
    const client = new Redis({ ...clientOptions(to, options), connectTimeout: withinMs });
    clients.add(client);
    client.once('end', () => clients.delete(client));
    return ready(client, to, withinMs, warn);
  };
  const nodes = [`${address.host ?? '127.0.0.1'}:${address.port}`, ...address.others];
  const openAt = (node: string, withinMs = CONNECT_TIMEOUT_MS): Promise<Redis> =>
    openTo(node === nodes[0] ? address : addressOf(node, address), withinMs);
  const open = async (withinMs = CONNECT_TIMEOUT_MS): Promise<Redis> => {
    let trouble: unknown;
    for (const node of nodes) {
      try {
        return await openAt(node, withinMs / nodes.length);
      } catch (error) {
        if (error instanceof FeaturectlError) throw error;
        trouble = error;
      }
    }
    throw trouble;
  };
  const close = async (): Promise<void> => {
    isClosed = true;
    endWatch?.();
    for (const each of clients) cut(each);
  };
  return {
    shown: address.shown,
    nodes,
    cluster: options.cluster || nodes.length > 1,
    readsReplicas: options.readFrom === 'replica',
    bySentinel: (options.sentinels?.length ?? 0) > 0,
    open,
    openAt,
    close,
  };
}

/** Clients of a master that is no more the master are lost connections. Gives what ends it. */
function cutAtFailover(options: ConnectOptions, clients: Set<Redis>): () => void {
  const { sentinels, sentinelName, readFrom, retrying } = options;
  if (!sentinels || sentinelName === undefined || readFrom === 'replica') return () => {};
  return watchMaster(sentinels.map(sentinelAddress), sentinelName, () => {
    retrying?.(
      'Sentinel named another master; what the old one took last may be lost (featurectl verify tells)',
    );
    for (const each of clients) cut(each);
  });
}

/** Throws USAGE (address), REDIS_AUTH at once, REDIS_CONNECT after `retryForMs`, the signal's reason. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const opener = createOpener(options);
  try {
    const client = await persist(patience(opener.shown, options), opener.open);
    return { ...opener, client, signal: options.signal };
  } catch (error) {
    await opener.close();
    throw error;
  }
}

/** A Cluster has database 0 only, and Sentinels have one address. Throws USAGE. */
function clusterAddress(address: RedisAddress, { cluster, sentinelName }: ConnectOptions): RedisAddress {
  if (address.others.length > 0 && sentinelName !== undefined) {
    throw new FeaturectlError(
      'USAGE',
      `--sentinel: expected one host in --redis, found several (${address.shown}), which are nodes of a Cluster`,
    );
  }
  if (!(cluster || address.others.length > 0) || address.db === 0) return address;
  throw new FeaturectlError(
    'USAGE',
    `expected database 0, the only one of a Redis Cluster; found ${address.db} in ${address.shown}`,
  );
}

/** Another node, with the user and TLS of this address. */
function addressOf(node: string, address: RedisAddress): RedisAddress {
  return { ...address, host: hostOf(node), port: portOf(node), path: null, shown: node };
}

function patience(shown: string, options: ConnectOptions): Patience {
  const told = options.retrying;
  return {
    retryForMs: options.retryForMs,
    failFast: options.failFast ?? false,
    signal: options.signal,
    retrying: thinned((message) => told?.(`waiting for Redis at ${shown}: ${message}`)),
    gaveUp: (error) => unreachable(shown, error, options),
  };
}

function unreachable(shown: string, error: unknown, options: ConnectOptions): FeaturectlError {
  const tried = options.failFast ? '' : ` within ${Math.round(options.retryForMs / 1000)}s (--retry-for)`;
  const hasTls = shown.startsWith('rediss:');
  return new FeaturectlError(
    'REDIS_CONNECT',
    `expected a Redis at ${shown}, could not connect${tried}: ${messageOf(error)}. ` +
      `Is it running, ${hasTls ? 'is the address right, and does it speak TLS' : 'and is the address right'}? (--redis URL or FEATURECTL_REDIS_URL)`,
    { cause: error },
  );
}

/** RESP2: every server speaks it, and HGETALL is a flat list. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'> & { protocol: 2 };

function clientOptions(address: RedisAddress, options: ConnectOptions): ClientOptions {
  const tls = address.tls || options.tls ? { tls: { ...options.tls } } : {};
  const server =
    options.sentinels && options.sentinelName
      ? {
          sentinels: options.sentinels.map(sentinelAddress),
          name: options.sentinelName,
          role: options.readFrom === 'replica' ? ('slave' as const) : ('master' as const),
          sentinelRetryStrategy: () => null,
        }
      : address.path !== null
        ? { path: address.path }
        : { host: address.host ?? '127.0.0.1', port: address.port };
  return {
    ...server,
    ...tls,
    // User, password and database are for `logIn`.
    protocol: 2,
    lazyConnect: true,
    // Retries are the lane's: it knows which rows are settled.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    // It needs INFO, which a user may lack; PING below finds LOADING.
    enableReadyCheck: false,
    disableClientInfo: true,
  };
}

function sentinelAddress(text: string): SentinelAddress {
  const match = /^(.+?)(?::(\d+))?$/.exec(text);
  return { host: match?.[1] ?? text, port: Number(match?.[2] ?? 26379) };
}

/** Throws REDIS_AUTH for a refusal, an ordinary error for what may pass. */
async function ready(
  client: Redis,
  address: RedisAddress,
  withinMs: number,
  warn: (message: string) => void,
): Promise<Redis> {
  const until = Date.now() + withinMs;
  let trouble: Error | null = null;
  // Without a listener ioredis writes to the console.
  client.on('error', (error: Error) => {
    trouble ??= error;
  });
  try {
    await inTime(withinMs, client.connect(), 'the connection');
    if (trouble !== null) throw trouble;
    const warning = await logIn(client, address, until - Date.now());
    await ping(client, until - Date.now());
    if (warning !== null) warn(warning);
    return client;
  } catch (error) {
    cut(client);
    throw refusal(error, address) ?? badDatabase(error, address) ?? trouble ?? error;
  }
}

/** Finds LOADING and NOAUTH; a user who may not even PING is welcome. */
async function ping(client: Redis, withinMs: number): Promise<void> {
  try {
    await ask(client, withinMs, 'PING');
  } catch (error) {
    if (!/^NOPERM\b.*\bping\b/i.test(messageOf(error))) throw error;
  }
}

/** SELECT was refused: going on would write into database 0. */
function badDatabase(error: unknown, { db, shown }: RedisAddress): FeaturectlError | null {
  if (!(error instanceof Error) || error.name !== 'ReplyError' || !/DB index|SELECT/i.test(error.message))
    return null;
  const text = `Redis at ${shown} refused database ${db}: ${messageOf(error)}. Give one that it has: redis://host:port/0`;
  return new FeaturectlError('REDIS_SERVER', text, { cause: error });
}

function refusal(error: unknown, address: RedisAddress): FeaturectlError | null {
  const text = error === null ? '' : messageOf(error);
  if (!REFUSALS.has(firstWord(text)) && !/invalid password|without any password/i.test(text)) return null;
  return new FeaturectlError(
    'REDIS_AUTH',
    `Redis at ${address.shown} refused the user or password: ${text}. ${userAlone(address)}` +
      'Give them in the URL: redis://user:password@host:port/db (special characters percent-encoded)',
    { cause: error },
  );
}

/** redis://s3cret@host is a user without password, which is seldom meant; the text itself may be a secret. */
function userAlone({ username, password }: RedisAddress): string {
  return username !== null && password === null
    ? 'The text before the @ was taken as user, without a password; a password alone is redis://:password@host. '
    : '';
}
