/** Connections to Redis: from options to ready ioredis clients, with retries and clear refusals. */
import { Redis, type RedisOptions } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import { parseAddress, type RedisAddress } from './address.ts';
import { ask, backoff, messageOf, sleep } from './ask.ts';
import { firstWord } from './server-errors.ts';

export interface ConnectOptions {
  /** redis://, rediss:// or unix://. */
  readonly url: string;
  /** `host:port` of Sentinels that watch `sentinelName`; the URL then gives user, password and db only. */
  readonly sentinels?: readonly string[];
  readonly sentinelName?: string;
  /** PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Milliseconds until a server that cannot be reached is an error. */
  readonly retryForMs: number;
  /** One try only. */
  readonly failFast?: boolean;
  readonly signal?: AbortSignal;
  /** Told when a try has failed and another follows; at most about once in two seconds. */
  readonly retrying?: (message: string) => void;
}

export interface Connection {
  /** The address without its password. */
  readonly shown: string;
  /** A client that is connected, authenticated, loaded and ready; the caller's to disconnect. */
  readonly client: Redis;
  /** One more such client: one try, rejects with REDIS_AUTH or an ordinary error. */
  open(): Promise<Redis>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Words of a refusal that no retry mends. */
const REFUSALS = new Set(['WRONGPASS', 'NOAUTH', 'NOPERM']);

/** Throws USAGE (address), REDIS_AUTH at once, REDIS_CONNECT after `retryForMs`. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const address = parseAddress(options.url);
  const open = (): Promise<Redis> => openClient(clientOptions(address, options), address.shown);
  const client = await firstClient(open, address.shown, options);
  return {
    shown: address.shown,
    client,
    open,
    close: async () => client.disconnect(),
  };
}

async function firstClient(
  open: () => Promise<Redis>,
  shown: string,
  options: ConnectOptions,
): Promise<Redis> {
  const until = Date.now() + options.retryForMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await open();
    } catch (error) {
      if (error instanceof FeaturectlError) throw error;
      options.signal?.throwIfAborted();
      const wait = backoff(attempt);
      if (options.failFast || Date.now() + wait > until) throw unreachable(shown, error, options);
      options.retrying?.(`waiting for Redis at ${shown}: ${messageOf(error)}`);
      await sleep(wait);
    }
  }
}

function unreachable(shown: string, error: unknown, options: ConnectOptions): FeaturectlError {
  const tried = options.failFast ? '' : ` within ${Math.round(options.retryForMs / 1000)}s (--retry-for)`;
  return new FeaturectlError(
    'REDIS_CONNECT',
    `expected a Redis at ${shown}, could not connect${tried}: ${messageOf(error)}. ` +
      'Is it running, and is the address right? (--redis URL or REDIS_URL)',
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
          sentinelRetryStrategy: () => null,
        }
      : address.path !== null
        ? { path: address.path }
        : { host: address.host ?? '127.0.0.1', port: address.port };
  return {
    ...server,
    ...tls,
    ...(address.username === null ? {} : { username: address.username }),
    ...(address.password === null ? {} : { password: address.password }),
    db: address.db,
    protocol: 2,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
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

function sentinelAddress(text: string): { host: string; port: number } {
  const match = /^(.+?)(?::(\d+))?$/.exec(text);
  return { host: match?.[1] ?? text, port: Number(match?.[2] ?? 26379) };
}

/** Throws REDIS_AUTH for a refusal, an ordinary error for what may pass. */
async function openClient(options: ClientOptions, shown: string): Promise<Redis> {
  const client = new Redis(options);
  let trouble: Error | null = null;
  client.on('error', (error: Error) => {
    trouble ??= error;
  });
  try {
    await client.connect();
    await ask(client, CONNECT_TIMEOUT_MS, 'PING');
  } catch (error) {
    client.disconnect();
    // A refused password closes the connection; what was refused came before as an event.
    throw refusal(trouble, shown) ?? refusal(error, shown) ?? trouble ?? error;
  }
  const refused = refusal(trouble, shown);
  if (!refused) return client;
  client.disconnect();
  throw refused;
}

function refusal(error: unknown, shown: string): FeaturectlError | null {
  const text = error === null ? '' : messageOf(error);
  if (firstWord(text) === 'NOPERM' && /\bping\b/i.test(text)) return null;
  if (!REFUSALS.has(firstWord(text)) && !/invalid password|without any password/i.test(text)) return null;
  return new FeaturectlError(
    'REDIS_AUTH',
    `Redis at ${shown} refused the user or password: ${text}. ` +
      'Give them in the URL: redis://user:password@host:port/db (special characters percent-encoded)',
    { cause: error },
  );
}
