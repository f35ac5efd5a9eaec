/** The flags that commands share, and how they become typed options. */
import { type Command, Option } from 'commander';
import type {
  ConnectionOptions,
  GetOptions,
  IngestOptions,
  ReadingOptions,
  SchemaOptions,
  WritingOptions,
} from '../commands/options.ts';
import { FeaturectlError } from '../core/errors.ts';
import type { Budget } from '../core/ledger.ts';
import type { SourceFormat, WriteMode } from '../core/types.ts';
import { type OptionOrigin, refuseStandIns, type SchemaFlags } from './stand-ins.ts';
import {
  asBudget,
  asBytes,
  asCount,
  asDelimiter,
  asDuration,
  asHttpUrl,
  asRate,
  asRepeated,
  commaList,
} from './values.ts';

export interface ConnectionFlags {
  redis: string;
  cluster: boolean;
  sentinel?: string[];
  sentinelName?: string;
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
  retryFor?: number;
}

export interface ReadingFlags {
  format?: SourceFormat;
  encoding?: 'utf8' | 'latin1' | 'windows-1252' | 'utf16le';
  delimiter?: string;
  maxRecordSize?: number;
}

export interface IngestFlags extends ConnectionFlags, ReadingFlags, SchemaFlags {
  mode: WriteMode;
  write: 'auto' | 'script' | 'pipeline' | 'restore';
  chunkRows: number;
  chunkBytes?: number;
  inFlight: number;
  connections: number;
  rate?: number;
  workers?: number;
  maxErrors?: Budget;
  rejects?: string;
  checkpoint?: string;
  shard?: string;
  report?: string;
  reportHtml?: string;
  metrics?: string;
  metricsName?: string;
  pushgateway?: string;
  dryRun?: boolean;
  failOnEmpty: boolean;
  quiet: boolean;
  log: 'text' | 'json';
  progressInterval?: number;
}

export interface GetFlags extends ConnectionFlags {
  schema?: string;
  prefix: string;
  json: boolean;
}

export function addSchemaOptions(command: Command): void {
  command
    .option('-s, --schema <file>', 'schema file (YAML or JSON)')
    .option('--key <columns>', 'without a schema: entity column, or several joined by commas', commaList)
    .option('--prefix <text>', 'without a schema: what stands before the entity in the key', '')
    .option('--ttl <duration>', 'without a schema: time to live of each key, such as 24h; or none')
    .option('--ttl-jitter <percent>', 'without a schema: shorten each TTL by up to this, such as 10%')
    .option('--timezone <zone>', 'without a schema: zone of times that name none')
    .option('--allow-nonfinite', 'without a schema: take NaN and Infinity', false)
    .option(
      '--null-token <text>',
      'without a schema: an unquoted CSV cell that means null besides the empty one; may be repeated',
      asRepeated,
    );
}

export function addReadingOptions(command: Command): void {
  command
    .addOption(
      new Option('--format <format>', 'instead of by file extension').choices([
        'csv',
        'tsv',
        'ndjson',
        'parquet',
        'arrow',
      ]),
    )
    .addOption(
      new Option(
        '--encoding <encoding>',
        'of CSV and ndjson text (default: a byte order mark decides, else utf8)',
      ).choices(['utf8', 'latin1', 'windows-1252', 'utf16le']),
    )
    .option(
      '--delimiter <char>',
      'CSV field delimiter, such as ; or \\t or || (default: a comma, for tsv a tab)',
      asDelimiter,
    )
    .option(
      '--max-record-size <bytes>',
      'longest CSV record or ndjson line (default: 1MiB)',
      asBytes(1024, 2 ** 30),
    );
}

export function addWritingOptions(command: Command): void {
  command
    .addOption(
      new Option('--mode <mode>', 'what a row does to the hash')
        .choices(['merge', 'replace', 'newer'])
        .default('merge'),
    )
    .addOption(
      new Option('--write <path>', 'how rows are sent')
        .choices(['auto', 'script', 'pipeline', 'restore'])
        .default('auto'),
    )
    .option('--chunk-rows <n>', 'rows a pipeline chunk', asCount(1, 1_000_000), 1000)
    .option('--chunk-bytes <bytes>', 'bytes a pipeline chunk (default: 256KiB)', asBytes(1024, 2 ** 28))
    .option('--in-flight <n>', 'chunks on the way at once', asCount(1, 1024), 16)
    .option('--connections <n>', 'connections; the rows of a key always take the same one', asCount(1, 64), 1)
    .option('--rate <rows/s>', 'write no faster than this, such as 50000/s', asRate)
    .option(
      '--workers <n>',
      'threads that read and encode local files; 0 is none (default: none with fewer than 4 cores or 32 MiB of files, else up to 4)',
      asCount(0, 64),
    );
}

/** What --retry-for is for commands that answer at once where Redis is away. */
export const ONE_TRY = 'wait so long for a Redis that cannot be reached (default: one try)';

export function addConnectionOptions(
  command: Command,
  retryFor = 'give up after this long without progress (default: 60s)',
): void {
  command
    .option(
      '--redis <url>',
      'redis://, rediss:// or unix:// (env FEATURECTL_REDIS_URL, REDIS_URL)',
      DEFAULT_URL,
    )
    .option(
      '--cluster',
      'expect a Redis Cluster, of which --redis names a node or several (it is found without this too)',
      false,
    )
    .option('--sentinel <host:port,...>', 'ask these Sentinels for the master', commaList)
    .option('--sentinel-name <name>', 'name of the master that the Sentinels watch')
    .option('--tls-ca <file>', 'PEM certificate authority')
    .option('--tls-cert <file>', 'PEM client certificate')
    .option('--tls-key <file>', 'PEM client key')
    .option('--retry-for <duration>', retryFor, asDuration(0));
}

const DEFAULT_URL = 'redis://127.0.0.1:6379';

export function addRunOptions(command: Command): Command {
  return command
    .option('--max-errors <n|p%|all>', 'rows that may fail before the run stops (default: 0)', asBudget)
    .option('--rejects <file>', 'write failed rows to this CSV; mended, it can be ingested again')
    .option('--report <file>', 'write a JSON report; - is stdout')
    .option('--report-html <file>', 'write a report to look at, with charts; one file that loads nothing')
    .option(
      '--metrics <file>',
      'write Prometheus metrics of the run (textfile collector: a name that ends in .prom)',
    )
    .option('--pushgateway <url>', 'push the same metrics; if that fails, the run still counts', asHttpUrl)
    .option(
      '--metrics-name <name>',
      'label "load" of the metrics (default: name of the schema file, else the prefix)',
    )
    .option('--fail-on-empty', 'exit 3 when the sources hold no row', false)
    .option('--quiet', 'print nothing on success', false)
    .addOption(new Option('--log <form>', 'form of progress lines').choices(['text', 'json']).default('text'))
    .option(
      '--progress-interval <duration>',
      'between progress lines off a terminal (default: 10s)',
      asDuration(10),
    );
}

export function ingestOptions(
  sources: readonly string[],
  flags: IngestFlags,
  origin: OptionOrigin,
): IngestOptions {
  if (flags.checkpoint !== undefined && flags.dryRun) {
    throw new FeaturectlError(
      'USAGE',
      '--checkpoint: cannot go with --dry-run, which writes nothing to resume',
    );
  }
  return {
    sources,
    schema: schemaOptions(flags, origin),
    reading: readingOptions(flags),
    connection: connectionOptions(flags),
    writing: writingOptions(flags),
    workers: { count: flags.workers ?? null },
    budget: flags.maxErrors ?? { kind: 'count', max: 0 },
    rejects: flags.rejects ?? null,
    checkpoint: flags.checkpoint ?? null,
    shard: flags.shard ?? null,
    report: flags.report ?? null,
    reportHtml: flags.reportHtml ?? null,
    metrics: flags.metrics ?? null,
    metricsName: flags.metricsName ?? null,
    pushgateway: flags.pushgateway ?? null,
    dryRun: flags.dryRun ?? false,
    failOnEmpty: flags.failOnEmpty,
    quiet: flags.quiet,
    log: flags.log,
    progressIntervalMs: flags.progressInterval ?? 10_000,
  };
}

export function getOptions(entities: readonly string[], flags: GetFlags): GetOptions {
  return {
    entities,
    schemaFile: flags.schema ?? null,
    prefix: flags.prefix,
    connection: connectionOptions({ ...flags, retryFor: flags.retryFor ?? 0 }),
    json: flags.json,
  };
}

/** A schema file and the options that stand in for one exclude each other. Throws USAGE. */
export function schemaOptions(flags: SchemaFlags, origin: OptionOrigin): SchemaOptions {
  if (flags.schema !== undefined) refuseStandIns(flags.schema, flags, origin);
  if (flags.schema === undefined && (flags.key === undefined || flags.ttl === undefined)) {
    throw new FeaturectlError(
      'USAGE',
      'expected --schema FILE, or --key COLUMN with --ttl DURATION (such as --key user_id --prefix features:user: --ttl 24h)',
    );
  }
  return {
    file: flags.schema ?? null,
    key: flags.key ?? [],
    prefix: flags.prefix,
    ttl: flags.ttl ?? null,
    ttlJitter: flags.ttlJitter ?? null,
    timezone: flags.timezone ?? null,
    allowNonfinite: flags.allowNonfinite,
    nullTokens: flags.nullToken ?? null,
  };
}

export function readingOptions(flags: ReadingFlags): ReadingOptions {
  return {
    format: flags.format ?? null,
    encoding: flags.encoding ?? null,
    delimiter: flags.delimiter ?? null,
    maxRecordSize: flags.maxRecordSize ?? 1024 * 1024,
  };
}

function writingOptions(flags: IngestFlags): WritingOptions {
  return {
    mode: flags.mode,
    write: flags.write,
    chunkRows: flags.chunkRows,
    chunkBytes: flags.chunkBytes ?? 256 * 1024,
    inFlight: flags.inFlight,
    connections: flags.connections,
    rate: flags.rate ?? null,
  };
}

export function connectionOptions(flags: ConnectionFlags): ConnectionOptions {
  return {
    redis: flags.redis,
    cluster: flags.cluster,
    sentinels: flags.sentinel ?? [],
    sentinelName: flags.sentinelName ?? null,
    tlsCa: flags.tlsCa ?? null,
    tlsCert: flags.tlsCert ?? null,
    tlsKey: flags.tlsKey ?? null,
    retryForMs: flags.retryFor ?? 60_000,
  };
}
