import type { Ledger } from '../core/ledger.ts';
import type { RowEncoder, Writer } from '../core/types.ts';
import type { Watch } from '../core/watch.ts';
import type { JsonLog } from '../output/log.ts';
import type { Progress } from '../output/progress.ts';
import type { RejectsFile } from '../output/rejects.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { EncodePool } from './encode-pool.ts';
import type { IngestOptions, Io } from './options.ts';
import type { SourceTrack } from './source-track.ts';

/** What a run has gathered when it ends, however it ends. */
export interface Run {
  readonly options: IngestOptions;
  readonly io: Io;
  readonly runId: string;
  readonly startedAt: Date;
  readonly ledger: Ledger;
  readonly progress: Progress;
  /** Null: what is said is text. */
  readonly log: JsonLog | null;
  readonly track: SourceTrack;
  /** One a source that has been begun; they find things to warn of in the rows. */
  readonly encoders: RowEncoder[];
  rejects: RejectsFile | null;
  /** Null without --checkpoint, and until the sources are known. */
  checkpoints: Checkpoints | null;
  /** Whether report and metrics are known to overwrite nothing that the run reads. */
  mayWriteOutputs: boolean;
  writer: Writer | null;
  /** Encoding threads; null where there are none, and until the schema is known. */
  pool: EncodePool | null;
  /** Null where no page with charts is asked for, and until the schema is known. */
  watch: { readonly features: readonly string[]; readonly watch: Watch } | null;
}
