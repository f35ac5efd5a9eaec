/** How a run uses encoding threads: how many, and which sources are read by them. */
import { stat } from 'node:fs/promises';
import { createReplayer } from '../core/recording.ts';
import type { RowEncoder, Source } from '../core/types.ts';
import { compileEncoder, type FeatureSchema } from '../schema/index.ts';
import type { SourceLocation } from '../sources/index.ts';
import type { FileState } from './encode-link.ts';
import type { EncodePool } from './encode-pool.ts';
import type { Part } from './parts.ts';
import type { SchemaRecipe } from './resolve-schema.ts';
import type { Run } from './run.ts';

/** Cores from which on threads are started unasked: one is for this thread, one for Redis or the rest of the machine. */
const MIN_CORES = 4;
const MAX_DEFAULT = 4;
/** Bytes of all sources from which on threads are worth their start. */
const MIN_BYTES = 32 * 1024 * 1024;

/** Null: everything is done in this thread. */
export async function openPool(run: Run, recipe: SchemaRecipe): Promise<EncodePool | null> {
  const { options, io } = run;
  const workers = options.workers.count ?? defaultWorkers(run);
  if (workers === 0) return null;
  const { createPool } = await import('./encode-pool.ts');
  const setup = {
    recipe,
    reading: options.reading,
    startedAt: startOf(run),
    mode: options.writing.mode,
    withRecords: options.rejects !== null,
  };
  const { pieceBytes } = options.workers;
  return createPool({
    workers,
    setup,
    signal: io.signal,
    ...(pieceBytes === undefined ? {} : { pieceBytes }),
  });
}

function defaultWorkers({ io: { cores = 1 }, track }: Run): number {
  const { bytesTotal } = track.bytes();
  const isWorth = cores >= MIN_CORES && bytesTotal !== null && bytesTotal >= MIN_BYTES;
  return isWorth ? Math.min(MAX_DEFAULT, cores - 2) : 0;
}

/** When the load was started, in epoch milliseconds; a resumed one keeps the time of its first run. */
export function startOf({ checkpoints, startedAt }: Run): number {
  return Date.parse(checkpoints?.saved?.started_at ?? startedAt.toISOString());
}

/** Throws COLUMN and TYPE where the source does not fit the schema. */
export function encoderOf(run: Run, schema: FeatureSchema, { info, columns }: Source): RowEncoder {
  const { mode } = run.options.writing;
  return compileEncoder(schema, columns, { sourceName: info.name, startedAt: startOf(run), mode });
}

/** The encoder, which gives rows that a thread has encoded as they come. */
export function replaying({ pool }: Run, schema: FeatureSchema, encoder: RowEncoder): RowEncoder {
  return pool === null ? encoder : createReplayer(encoder, schema.features.length);
}

/** The source, whose rows come from threads where there is a pool when they are asked for. */
export function withPool(
  source: Source,
  { location, range }: Part,
  state: FileState | null,
  pool: () => EncodePool | null,
): Source {
  if (state === null) return source;
  let bytesRead: number | null = null;
  return {
    ...source,
    bytesRead: () => bytesRead ?? source.bytesRead(),
    batches: (selected) => {
      const progress = (bytes: number): void => {
        bytesRead = Math.max(bytesRead ?? 0, bytes);
      };
      return pool()?.batches({ location, source, range, state, progress }) ?? source.batches(selected);
    },
  };
}

/** To be asked before the file is opened. Null: no regular file of this machine, whose pieces threads could open. */
export async function fileState({ kind, path }: SourceLocation): Promise<FileState | null> {
  if (kind !== 'file') return null;
  const now = await stat(path).catch(() => null);
  return now?.isFile() ? { size: now.size, mtimeMs: now.mtimeMs, ino: now.ino } : null;
}
