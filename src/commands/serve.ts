/** `featurectl serve`: the HTTP feature server over schema files, until a signal ends it. */
import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, FeaturectlError } from '../core/errors.ts';
import type { FeatureReader } from '../core/feature-reader.ts';
import type { Tell } from '../core/tell.ts';
import { whyUnread } from '../core/unread.ts';
import { openJsonLog } from '../output/log.ts';
import { createOpener, openReader } from '../redis/index.ts';
import { type FeatureSchema, keyOf, keyParts } from '../schema/index.ts';
import { startServer, type TokenCheck, type View, watchTokens } from '../server/index.ts';
import { connectOptions } from './connection.ts';
import type { Io, ServeOptions } from './options.ts';
import { assertPems, readPem } from './pem.ts';
import { readSchema } from './resolve-schema.ts';
import { collectFromAll, runWorkers, stopAsked } from './serve-workers.ts';
import { packageVersion } from './version.ts';

/** Exit code 0 after SIGTERM or SIGINT, once what was on the way is answered. Throws USAGE, SCHEMA. */
export async function serveCommand(options: ServeOptions, io: Io): Promise<number> {
  const tell = await openTeller(options, io);
  if (options.workers > 1 && cluster.isPrimary) {
    // What is wrong with the options is told once, not by every worker.
    await readViews(options);
    return runWorkers(options.workers, io.signal, tell);
  }
  const stopped = stopAsked(io.signal);
  const views = await readViews(options);
  const tls = await httpsFiles(options);
  const tokens = await tokensOf(options, tell);
  const reader = openReader(
    createOpener({
      ...(await connectOptions(options.connection, io.signal)),
      readFrom: options.readFrom,
      warn: tell,
    }),
    { withinMs: options.redisTimeoutMs, tell },
  );
  try {
    // Who can connect is answered: a port that is open without Redis behind it would be 503 at first.
    await Promise.race([stopped, readyWithin(options.redisTimeoutMs, reader)]);
    const server = await startServer({
      ...options,
      views,
      reader,
      tokens,
      tls,
      version: packageVersion(),
      collectMetrics: cluster.isWorker ? collectFromAll : null,
      tell,
    }).catch((error: Error) => {
      throw new FeaturectlError(
        'LISTEN',
        `cannot listen on ${options.host}:${options.port}: ${listenProblem(error)}`,
      );
    });
    const why = reader.refusal() ?? 'Redis does not answer yet: reads are 503 until it does';
    if (reader.isReady()) tell(`listening on ${server.url}`, 'info');
    else tell(`listening on ${server.url}; ${why}`, 'warn');
    await stopped;
    tell('shutting down: requests on the way are answered first', 'info');
    await server.close(options.shutdownGraceMs);
    return EXIT.ok;
  } finally {
    tokens?.close();
    await reader.close();
    // Listening to the first process would keep this one alive.
    if (cluster.isWorker) process.channel?.unref();
  }
}

/** Resolves when Redis answers or refuses, or after `ms`. */
async function readyWithin(ms: number, reader: FeatureReader): Promise<void> {
  const until = performance.now() + ms;
  while (!reader.isReady() && reader.refusal() === null && performance.now() < until) await delay(POLL_MS);
}

const POLL_MS = 10;

/** Lines on stderr; never a key or a value. */
async function openTeller({ quiet, log }: ServeOptions, io: Io): Promise<Tell> {
  if (quiet) return () => {};
  const pid = cluster.isWorker ? process.pid : null;
  if (log === 'json') {
    const json = await openJsonLog(io.stderr, pid === null ? {} : { pid });
    return (message, level = 'warn') => (level === 'info' ? json.info(message) : json.note(message, 'note'));
  }
  const who = pid === null ? '' : ` [${pid}]`;
  return (message) => void io.stderr.write(`${new Date().toISOString()}${who} ${message}\n`);
}

async function readViews({ schemaFiles, staleAfterMs }: ServeOptions): Promise<readonly View[]> {
  const views: View[] = [];
  for (const file of schemaFiles) {
    const view = viewOf(await readSchema(file), staleAfterMs);
    if (!/^[\w.-]{1,100}$/.test(view.name)) {
      throw new FeaturectlError(
        'USAGE',
        `${file}: expected a name of letters, digits and _ . - to stand in a path, found "${view.name}"`,
      );
    }
    if (views.some(({ name }) => name === view.name)) {
      throw new FeaturectlError(
        'USAGE',
        `${file}: expected a name of its own, found ${view.name} a second time`,
      );
    }
    views.push(view);
  }
  return views;
}

function viewOf(schema: FeatureSchema, staleAfterMs: number | null): View {
  const eventTime = schema.eventTimeField;
  return {
    name: schema.name,
    parts: keyParts(schema),
    keyOf: (values) => keyOf(schema, values),
    features: schema.features.map(({ name, field, type, storedForm, decode }) => ({
      name,
      field,
      type,
      form: storedForm,
      typed: decode,
    })),
    eventTime,
    epochMs: (eventTime === null ? undefined : schema.features[eventTime]?.epochMs) ?? (() => Number.NaN),
    staleAfterMs: staleAfterMs ?? (schema.ttlMs === 0 ? null : schema.ttlMs),
  };
}

async function httpsFiles({
  httpsCert,
  httpsKey,
}: ServeOptions): Promise<{ cert: string; key: string } | null> {
  if (httpsCert === null && httpsKey === null) return null;
  if (httpsCert === null || httpsKey === null) {
    throw new FeaturectlError(
      'USAGE',
      '--https-cert and --https-key: expected both, found one; give the other too',
    );
  }
  const pems = {
    cert: await readPem('--https-cert', httpsCert, 'certificate'),
    key: await readPem('--https-key', httpsKey, 'key'),
  };
  assertPems('--https-cert and --https-key', pems);
  return pems;
}

async function tokensOf({ tokenFile }: ServeOptions, tell: Tell): Promise<TokenCheck | null> {
  if (tokenFile === null) return null;
  try {
    return await watchTokens(tokenFile, tell);
  } catch (error) {
    const message = `--token-file ${tokenFile}: cannot be used: ${whyUnread(error)}`;
    throw new FeaturectlError('USAGE', message, { cause: error });
  }
}

const UNHEARD: ReadonlyMap<string | undefined, string> = new Map([
  ['EADDRINUSE', 'the port is taken; give another --port'],
  ['EACCES', 'this user may not take that port; give --port 1024 or above'],
  ['EADDRNOTAVAIL', 'the address is not of this machine; give another --host'],
  ['ENOTFOUND', 'there is no host of that name; give another --host'],
  ['EAI_AGAIN', 'the name of the host cannot be looked up; give its address as --host'],
]);

/** In words, without the address, which is named already. */
function listenProblem(error: NodeJS.ErrnoException): string {
  return UNHEARD.get(error.code) ?? `${error.message}; give another --host or --port`;
}
