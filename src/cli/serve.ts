/** The grammar of `serve`. */
import { type Command, Option } from 'commander';
import type { Io, ServeOptions } from '../commands/options.ts';
import { FeaturectlError } from '../core/errors.ts';
import { addConnectionOptions, type ConnectionFlags, connectionOptions } from './flags.ts';
import { asBytes, asCount, asDuration } from './values.ts';

interface ServeFlags extends ConnectionFlags {
  schema?: string[];
  host: string;
  port: number;
  typed: boolean;
  staleAfter?: number;
  tokenFile?: string;
  httpsCert?: string;
  httpsKey?: string;
  bodyLimit?: number;
  maxBatch: number;
  maxInFlight: number;
  requestTimeout?: number;
  redisTimeout?: number;
  shutdownGrace?: number;
  readFrom: 'master' | 'replica';
  workers: number;
  quiet: boolean;
  log: 'text' | 'json';
}

export type ServeHandler = (options: ServeOptions, io: Io) => Promise<number>;

export function addServe(
  program: Command,
  io: Io,
  handler: ServeHandler,
  done: (code: number) => void,
): void {
  const command = program
    .command('serve')
    .description('Answer HTTP requests for the features of entities, until SIGTERM or SIGINT.')
    .option('-s, --schema <file...>', 'schema file of a feature view; several are several views')
    .option('--host <address>', 'address to listen on; 0.0.0.0 is all of them', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 is any free one', asCount(0, 65_535), 8000)
    .option('--typed', 'values have JSON types by the schema, not text as stored', false)
    .option(
      '--stale-after <duration>',
      'age above which an entity is stale (default: the ttl of its schema)',
      asDuration(1),
    )
    .option(
      '--token-file <file>',
      'ask for a bearer token, one of the lines of this file; read again when it changes',
    )
    .option('--https-cert <file>', 'serve HTTPS with this PEM certificate')
    .option('--https-key <file>', 'PEM key of --https-cert')
    .option('--body-limit <bytes>', 'longest request body (default: 1MiB)', asBytes(1024, 2 ** 28))
    .option('--max-batch <n>', 'entities in one batch', asCount(1, 100_000), 1000)
    .option(
      '--max-in-flight <n>',
      'requests that wait for Redis at once; more are answered 503',
      asCount(1, 100_000),
      1000,
    )
    .option(
      '--request-timeout <duration>',
      'in which a request must have arrived (default: 10s)',
      asDuration(100),
    )
    .option(
      '--redis-timeout <duration>',
      'in which Redis must answer, else 503 (default: 1s)',
      asDuration(10),
    )
    .option(
      '--shutdown-grace <duration>',
      'in which requests on the way are still answered (default: 10s)',
      asDuration(0),
    )
    .addOption(
      new Option('--read-from <role>', 'with --sentinel or on a Cluster: read from masters or from replicas')
        .choices(['master', 'replica'])
        .default('master'),
    )
    .option('--workers <n>', 'processes that share the port', asCount(1, 256), 1)
    .option('--quiet', 'log nothing but failures to start', false)
    .addOption(new Option('--log <form>', 'form of log lines').choices(['text', 'json']).default('text'));
  addConnectionOptions(command);
  command.addHelpText('after', EXAMPLES).action(async (flags: ServeFlags) => {
    done(await handler(serveOptions(flags), io));
  });
}

const EXAMPLES = `
Examples:
  featurectl serve --schema users.yaml
  featurectl serve --schema users.yaml items.yaml --host 0.0.0.0 --port 8000 --token-file tokens.txt --workers 4

  curl -s localhost:8000/features -H 'Content-Type: application/json' -d '{"entity_key": "user_0001"}'
  curl -s localhost:8000/views/items/features/batch -H 'Content-Type: application/json' -d '{"entity_keys": ["a", "b"]}'

GET /docs lists all endpoints, GET /health/ready and /health/live are for probes, GET /metrics for Prometheus.
`;

/** Throws USAGE where no schema is named. */
function serveOptions(flags: ServeFlags): ServeOptions {
  if (flags.schema === undefined) {
    throw new FeaturectlError(
      'USAGE',
      'expected --schema FILE, the schema file of a feature view, found none',
    );
  }
  return {
    schemaFiles: flags.schema,
    connection: connectionOptions(flags),
    host: flags.host,
    port: flags.port,
    typed: flags.typed,
    staleAfterMs: flags.staleAfter ?? null,
    tokenFile: flags.tokenFile ?? null,
    httpsCert: flags.httpsCert ?? null,
    httpsKey: flags.httpsKey ?? null,
    bodyLimit: flags.bodyLimit ?? 1024 * 1024,
    maxBatch: flags.maxBatch,
    maxInFlight: flags.maxInFlight,
    requestTimeoutMs: flags.requestTimeout ?? 10_000,
    redisTimeoutMs: flags.redisTimeout ?? 1000,
    shutdownGraceMs: flags.shutdownGrace ?? 10_000,
    readFrom: flags.readFrom,
    workers: flags.workers,
    quiet: flags.quiet,
    log: flags.log,
  };
}
