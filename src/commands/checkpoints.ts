/** `--checkpoint`: where a run begins, what it keeps of how far it has come, and how that gets into the file. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FailureSink } from '../core/accounts.ts';
import {
  assertSameLoad,
  CHECKPOINT_VERSION,
  type Checkpoint,
  type LoadPrint,
  ledgerState,
  type SourcePrint,
} from '../core/checkpoint.ts';
import { FeaturectlError } from '../core/errors.ts';
import type { Ledger, LedgerState } from '../core/ledger.ts';
import { createLowWater, type LowWater } from '../core/low-water.ts';
import type { Source, TakenRow, Writer } from '../core/types.ts';
import { createCheckpointFile, readCheckpoint } from '../output/checkpoint.ts';
import { redactUrls } from '../output/redact.ts';
import type { KeptRejects, RejectsFile } from '../output/rejects.ts';
import type { IngestOptions } from './options.ts';
import type { Part } from './parts.ts';
import { isTold, type Print } from './prints.ts';

/**
 * Rows that may be sent before the next checkpoint must be written, in mode newer: rows that an earlier run may have
 * written answer "unchanged", and those behind this bound cannot have been.
 */
const SENT_AHEAD_ROWS = 1_000_000;

/** More than a batch holds. */
const BATCH_ROWS = 16_384;

/** Batches that may be open although the lanes have long gone on: a row waits for a chunk of its lane to fill. */
const SPARE_BATCHES = 64;

/** What of a run is asked for. */
interface CheckpointedRun {
  readonly options: IngestOptions;
  readonly startedAt: Date;
  readonly ledger: Ledger;
}

/** A run with --checkpoint. */
export interface Checkpoints {
  /** What earlier runs left; null: there was none. */
  readonly saved: Checkpoint | null;
  readonly lowWater: LowWater;
  /** The parts that are left, the first of them from where the last run came to. */
  remaining(parts: readonly Part[]): readonly Part[];
  /** To be told of every source whose batches are read: the very object that they will name. */
  opened(source: Source, part: Part): void;
  /** Begins the files: cuts the rejects to what the checkpoint knows of, and writes the first checkpoint. */
  start(rejects: RejectsFile | null, writer: Pick<Writer, 'lastTaken'>): Promise<void>;
  /** Puts the checkpoint behind the rejects file: it is saved when the rejects up to it are written. */
  sink(rejects: FailureSink): FailureSink;
  /** The last checkpoint of the run. Throws OUTPUT. */
  finish(isComplete: boolean): Promise<void>;
  /** In place of `finish`, where what it counts is not in Redis any more. Throws OUTPUT. */
  discard(): Promise<void>;
}

/** Null without --checkpoint. Throws CHECKPOINT, and USAGE for a source that cannot be read again. */
export async function openCheckpoints(
  run: CheckpointedRun,
  sources: readonly { readonly name: string; readonly print: Print }[],
  shard: string | null,
): Promise<Checkpoints | null> {
  const { options } = run;
  if (options.checkpoint === null) return null;
  const load = await printOf(options, sources, shard);
  const saved = await readCheckpoint(options.checkpoint);
  if (saved) assertSameLoad(options.checkpoint, saved, load);
  return createCheckpoints(run, options.checkpoint, load, saved);
}

/** Long, since all of it is one state: the mark, and what the rejects file held when the mark was there. */
function createCheckpoints(
  run: CheckpointedRun,
  path: string,
  load: LoadPrint,
  saved: Checkpoint | null,
): Checkpoints {
  const { writing } = run.options;
  const countsDoubt = writing.mode === 'newer';
  const parts = new Map<Source, number>();
  const startedAt = saved?.started_at ?? run.startedAt.toISOString();
  const lowWater = createLowWater({
    state: saved ? ledgerState(saved) : run.ledger.state(),
    doubtRows: saved?.sent_up_to ?? 0,
    maxBatches: SPARE_BATCHES + 2 * writing.connections * writing.inFlight,
  });
  let rejects: RejectsFile | null = null;
  let lastTaken: Writer['lastTaken'] = () => [];
  const file = createCheckpointFile(path, async () => rejects?.sync());
  let seen = lowWater.mark();
  let kept: readonly KeptRejects[] = saved?.rejects ?? [];
  let sentUpTo = saved?.sent_up_to ?? 0;

  function look(): void {
    const mark = lowWater.mark();
    if (mark === seen) return;
    seen = mark;
    kept = rejects?.lengths() ?? [];
  }

  function place(): Checkpoint['place'] {
    if (seen.at === null) return saved?.place ?? null;
    const source = parts.get(seen.at.source);
    // A guess would have rows read twice, or not at all.
    if (source === undefined) throw new FeaturectlError('INTERNAL', 'a source that no part was opened for');
    return { source, position: seen.at.position };
  }

  function make(complete: boolean): Checkpoint {
    if (countsDoubt) sentUpTo = Math.max(sentUpTo, run.ledger.counts().read + SENT_AHEAD_ROWS);
    return {
      checkpoint_version: CHECKPOINT_VERSION,
      load,
      started_at: startedAt,
      saved_at: new Date().toISOString(),
      complete,
      place: place(),
      sent_up_to: sentUpTo,
      taken: takenUpTo(lastTaken(), saved),
      ...countsOf(seen.state),
      rejects: kept,
    };
  }

  return {
    saved,
    lowWater,
    remaining: (all) => remainingParts(all, saved?.place ?? null),
    opened: (source, part) => void parts.set(source, part.index),
    start: async (target, writer) => {
      rejects = target;
      lastTaken = writer.lastTaken;
      rejects?.start(kept);
      await file.save(make(false));
    },
    sink: (inner) => ({
      write: inner.write,
      flush: async () => {
        await inner.flush();
        look();
        const mustSave = countsDoubt && run.ledger.counts().read + BATCH_ROWS > sentUpTo;
        await (mustSave ? file.save(make(false)) : file.offer(() => make(false)));
      },
    }),
    finish: (isComplete) => file.save(make(isComplete)),
    discard: file.remove,
  };
}

/** A node that has taken nothing since still has to have what an earlier run wrote there. */
function takenUpTo(now: readonly TakenRow[], saved: Checkpoint | null): TakenRow[] {
  const runIds = new Set(now.map(({ runId }) => runId));
  return [...now, ...(saved?.taken ?? []).filter(({ runId }) => !runIds.has(runId))];
}

function remainingParts(parts: readonly Part[], place: Checkpoint['place']): readonly Part[] {
  if (place === null) return parts;
  return parts.slice(place.source).map((part) => {
    if (part.index !== place.source) return part;
    return { ...part, range: { from: place.position, to: part.range?.to ?? null } };
  });
}

function countsOf(state: LedgerState) {
  return {
    counts: state.counts,
    failures_by_code: Object.fromEntries(state.failures),
    skipped_by_code: Object.fromEntries(state.skips),
    first_failures: state.first,
  };
}

async function printOf(
  options: IngestOptions,
  sources: readonly { readonly name: string; readonly print: Print }[],
  shard: string | null,
): Promise<LoadPrint> {
  const { reading, writing, connection } = options;
  const target = connection.sentinelName === null ? redactUrls(connection.redis) : null;
  return {
    sources: sources.map(({ name, print }) => sourcePrint(name, print)),
    schema_sha256: await schemaHash(options),
    options: {
      '--mode': writing.mode,
      '--format': reading.format,
      '--encoding': reading.encoding,
      '--delimiter': reading.delimiter,
      '--redis': target,
      '--sentinel-name': connection.sentinelName,
      '--rejects': options.rejects,
      '--shard': shard,
    },
  };
}

function sourcePrint(name: string, print: Print): SourcePrint {
  const { bytes, modifiedAt, headSha256, version } = print;
  if (isTold(print)) return { name, bytes, modified_at: modifiedAt, head_sha256: headSha256, version };
  throw new FeaturectlError(
    'USAGE',
    `--checkpoint: expected sources that can be read again from any place, found ${name}; save it to a file first, or leave --checkpoint out`,
  );
}

/** Of the schema as the user wrote it, in a file or in options. */
async function schemaHash({ schema }: IngestOptions): Promise<string> {
  const text = schema.file === null ? JSON.stringify(schema) : await readFile(schema.file).catch(() => '');
  return createHash('sha256').update(text).digest('hex');
}
