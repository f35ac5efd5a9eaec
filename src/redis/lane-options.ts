/** What a lane is given, and what it gives. */
import type { Redis } from 'ioredis';
import type { FeaturectlError } from '../core/errors.ts';
import type { WriteListener } from '../core/types.ts';
import type { AskingLine } from './asking.ts';
import type { Chunk, ChunkPool } from './chunk.ts';
import type { ReplyReader } from './framer.ts';
import type { Witness } from './witness.ts';

export interface LaneOptions {
  /** A new ready connection; rejects with FeaturectlError REDIS_AUTH for good, with anything else for now. */
  readonly connect: (withinMs: number) => Promise<Redis>;
  /** Loads the script anew on this connection, where there is one. */
  readonly reload: (client: Redis, withinMs: number) => Promise<void>;
  readonly witness: Witness;
  /** Null on a single server. */
  readonly cluster: LaneCluster | null;
  readonly pool: ChunkPool;
  readonly replies: ReplyReader;
  readonly listener: WriteListener;
  readonly inFlight: number;
  /** Milliseconds without a settled row after which the lane gives up. */
  readonly retryForMs: number;
  /** Milliseconds without a reply after which the connection is taken for dead. */
  readonly replyWithinMs: number;
  /** Called whenever something that a waiter may wait for has changed. */
  readonly changed: () => void;
  readonly count: (what: 'bytesSent' | 'chunksSent' | 'retries', by: number) => void;
}

/** What a lane, which belongs to one node, needs of the rest of a Cluster. */
export interface LaneCluster {
  /** host:port. */
  readonly node: string;
  readonly asking: AskingLine;
  /**
   * Brings the topology up to date where a node answers, and has what was written last asked for where its slot has gone.
   * Throws REDIS_AUTH, REDIS_DATA_LOSS, NoAnswer.
   */
  refresh(withinMs: number, first?: string): Promise<void>;
  /**
   * Where slots of this lane have gone to other nodes, takes all that is not settled out of it and gives each
   * row to the lane that its slot belongs to now, in order; some may come back. `movedTo`: what MOVED said.
   */
  reroute(movedTo: ReadonlyMap<number, string>): void;
}

export interface Lane {
  enqueue(chunk: Chunk): void;
  /** Chunks that wait for a place in the window. */
  waiting(): number;
  isIdle(): boolean;
  error(): FeaturectlError | null;
  /** Takes all that is not settled out of the lane, in order; nothing more happens in it. */
  strip(): Chunk[];
  /** As strip, of a lane that waits for nothing and goes on. */
  release(): Chunk[];
  close(): void;
}
