/** What the commands take, in plain typed form; cli.ts makes these from argv and the environment. */
import type { Budget } from '../core/ledger.ts';
import type { SourceFormat, WriteMode } from '../core/types.ts';

/** What a command may use of the process around it. */
export interface Io {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** The command line, without node and script. */
  readonly argv?: readonly string[];
  /** That this process may use; absent: none but its own thread. */
  readonly cores?: number;
  /** Aborts on the first SIGINT or SIGTERM; its reason is the exit code. */
  readonly signal: AbortSignal;
}

export interface ConnectionOptions {
  readonly redis: string;
  /** The server must be a node of a Redis Cluster. */
  readonly cluster: boolean;
  /** `host:port` each; empty: no Sentinel. */
  readonly sentinels: readonly string[];
  readonly sentinelName: string | null;
  /** Paths of PEM files. */
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  readonly retryForMs: number;
}

/** A schema file, or the few options that stand in for one. */
export interface SchemaOptions {
  readonly file: string | null;
  readonly key: readonly string[];
  readonly prefix: string;
  readonly ttl: string | null;
  readonly ttlJitter: string | null;
  readonly timezone: string | null;
  readonly allowNonfinite: boolean;
  readonly nullTokens: readonly string[] | null;
}

export interface ReadingOptions {
  readonly format: SourceFormat | null;
  /** Null: a byte order mark decides, else UTF-8. */
  readonly encoding: 'utf8' | 'latin1' | 'windows-1252' | 'utf16le' | null;
  readonly delimiter: string | null;
  /** Bytes. */
  readonly maxRecordSize: number;
}

export interface WritingOptions {
  readonly mode: WriteMode;
  readonly write: 'auto' | 'script' | 'pipeline' | 'restore';
  readonly chunkRows: number;
  /** Bytes. */
  readonly chunkBytes: number;
  /** Chunks on the way to Redis at once, each connection. */
  readonly inFlight: number;
  readonly connections: number;
  /** Rows a second; null: as fast as it goes. */
  readonly rate: number | null;
}

/** Threads that read and encode. */
export interface WorkerOptions {
  /** Null: by the cores of the machine and the size of the sources. */
  readonly count: number | null;
  /** Bytes of text that a thread takes at once; for tests. */
  readonly pieceBytes?: number;
}

export interface PlanOptions {
  readonly sources: readonly string[];
  readonly reading: ReadingOptions;
  readonly shards: number;
}

export interface IngestOptions {
  readonly sources: readonly string[];
  readonly schema: SchemaOptions;
  readonly reading: ReadingOptions;
  readonly connection: ConnectionOptions;
  readonly writing: WritingOptions;
  readonly workers: WorkerOptions;
  readonly budget: Budget;
  readonly rejects: string | null;
  readonly checkpoint: string | null;
  /** `2/4`, `FILE:n` or a line of a plan; the last two name the sources. */
  readonly shard: string | null;
  /** A path, or '-' for stdout. */
  readonly report: string | null;
  readonly reportHtml: string | null;
  /** A Prometheus textfile. */
  readonly metrics: string | null;
  /** What the run is called in metrics; null: after its schema file or key prefix. */
  readonly metricsName: string | null;
  readonly pushgateway: string | null;
  readonly dryRun: boolean;
  readonly failOnEmpty: boolean;
  readonly quiet: boolean;
  readonly log: 'text' | 'json';
  readonly progressIntervalMs: number;
}

export interface GetOptions {
  readonly entities: readonly string[];
  readonly schemaFile: string | null;
  readonly prefix: string;
  readonly connection: ConnectionOptions;
  readonly json: boolean;
}

export interface InferOptions {
  readonly source: string;
  /** Rows that are looked at; Infinity: all. */
  readonly sample: number;
  /** Empty: chosen by what the sample shows. */
  readonly key: readonly string[];
  /** Null: after the file's name. */
  readonly name: string | null;
  /** Null: `features:NAME:`. */
  readonly prefix: string | null;
  readonly ttl: string | null;
  readonly timezone: string | null;
  readonly nullTokens: readonly string[];
  readonly reading: ReadingOptions;
}

export interface VerifyOptions {
  readonly sources: readonly string[];
  readonly schema: SchemaOptions;
  readonly reading: ReadingOptions;
  readonly connection: ConnectionOptions;
  /** As the sources were loaded. */
  readonly mode: 'merge' | 'replace';
  /** Keys that are compared; Infinity: all. */
  readonly sample: number;
  readonly seed: number;
  /** Differing keys that are shown. */
  readonly show: number;
  readonly json: boolean;
  /** A path, or '-' for stdout. */
  readonly report: string | null;
  /** Differing keys that are held at once; for tests. */
  readonly heldKeys?: number;
}

export interface ServeOptions {
  /** One or more; /features is the first one's. */
  readonly schemaFiles: readonly string[];
  readonly connection: ConnectionOptions;
  readonly host: string;
  readonly port: number;
  readonly typed: boolean;
  /** Null: the TTL of each schema. */
  readonly staleAfterMs: number | null;
  readonly tokenFile: string | null;
  /** Paths of PEM files. */
  readonly httpsCert: string | null;
  readonly httpsKey: string | null;
  /** Bytes. */
  readonly bodyLimit: number;
  readonly maxBatch: number;
  readonly maxInFlight: number;
  readonly requestTimeoutMs: number;
  readonly redisTimeoutMs: number;
  readonly shutdownGraceMs: number;
  readonly readFrom: 'master' | 'replica';
  readonly workers: number;
  readonly quiet: boolean;
  readonly log: 'text' | 'json';
}

export interface NullRateLimit {
  /** Null: every feature that has no limit of its own. */
  readonly feature: string | null;
  /** Share of the entities, 0 to 1. */
  readonly max: number;
}

/** What must hold; null: anything does. Durations in milliseconds. */
export interface CheckThresholds {
  readonly minCount: number;
  readonly maxAge: number | null;
  readonly maxMedianAge: number | null;
  readonly minTtl: number | null;
  readonly maxNoTtl: number | null;
  readonly maxNullRates: readonly NullRateLimit[];
}

export interface CheckOptions {
  readonly schemaFile: string;
  /** A file of entities, one a line, or '-'; null: all keys of the schema. */
  readonly entities: string | null;
  /** Keys that are read; Infinity: all. */
  readonly sample: number;
  readonly thresholds: CheckThresholds;
  readonly connection: ConnectionOptions;
  readonly json: boolean;
}
