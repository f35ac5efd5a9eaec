/** What a checkpoint file holds: which load it is of, how far that has come, and what was counted up to there. */
import { FeaturectlError, type RowCode, type SkipCode } from './errors.ts';
import type { Counts, LedgerState, RowFailure } from './ledger.ts';
import type { SourcePosition, TakenRow } from './types.ts';

/** Raised when an older file cannot be gone on with. */
export const CHECKPOINT_VERSION = 3;

/** One state of a source: size, time of change or version, and a hash of its head. */
export interface SourcePrint {
  readonly name: string;
  readonly bytes: number | null;
  readonly modified_at: string | null;
  readonly head_sha256: string | null;
  /** Of a remote object: its ETag or time of change. */
  readonly version: string | null;
}

/** What has to be the same for a load to be gone on with. */
export interface LoadPrint {
  readonly sources: readonly SourcePrint[];
  readonly schema_sha256: string;
  /** By the option's name as users write it; null: not given. */
  readonly options: Readonly<Record<string, string | null>>;
}

export interface Checkpoint {
  readonly checkpoint_version: typeof CHECKPOINT_VERSION;
  readonly load: LoadPrint;
  /** Of the first run: RFC 3339. Times of ingestion that are stored stay those of this one. */
  readonly started_at: string;
  readonly saved_at: string;
  readonly complete: boolean;
  /** Everything before it is settled. Null: nothing is. `source` is an index of the parts that are loaded. */
  readonly place: { readonly source: number; readonly position: SourcePosition } | null;
  /** Rows that may have been sent before the next checkpoint was written, counted from the start of the load. */
  readonly sent_up_to: number;
  /** What Redis must still have for the load to be gone on with: of each node one row. */
  readonly taken: readonly TakenRow[];
  readonly counts: Counts;
  readonly failures_by_code: Readonly<Record<string, number>>;
  readonly skipped_by_code: Readonly<Record<string, number>>;
  readonly first_failures: readonly RowFailure[];
  /** How long the rejects files are up to the place. */
  readonly rejects: readonly { readonly path: string; readonly bytes: number }[];
}

export function ledgerState(checkpoint: Checkpoint): LedgerState {
  return {
    counts: checkpoint.counts,
    // Codes come from a file that this program wrote.
    failures: new Map(Object.entries(checkpoint.failures_by_code) as [RowCode, number][]),
    skips: new Map(Object.entries(checkpoint.skipped_by_code) as [SkipCode, number][]),
    first: checkpoint.first_failures,
  };
}

/** Throws CHECKPOINT where the load that is asked for is not the one that the file is of; all changes at once. */
export function assertSameLoad(path: string, checkpoint: Checkpoint, now: LoadPrint): void {
  const saved = checkpoint.load;
  const changes = [...sourceChanges(saved.sources, now.sources), ...schemaChange(saved, now)];
  for (const [name, value] of Object.entries(now.options)) {
    const before = saved.options[name] ?? null;
    if (before !== value) changes.push(`${name} was ${before ?? 'not given'}, is ${value ?? 'not given'}`);
  }
  if (changes.length === 0) return;
  throw new FeaturectlError(
    'CHECKPOINT',
    `--checkpoint ${path}: expected the load that it was begun with, found another: ${changes.join('; ')}. ` +
      (checkpoint.complete
        ? 'That load is complete: remove the file to begin this one'
        : 'Go back to what it was, or remove the file to load everything from the start'),
  );
}

function schemaChange(saved: LoadPrint, now: LoadPrint): string[] {
  return saved.schema_sha256 === now.schema_sha256 ? [] : ['the schema has changed'];
}

function sourceChanges(saved: readonly SourcePrint[], now: readonly SourcePrint[]): string[] {
  const names = (prints: readonly SourcePrint[]): string => prints.map(({ name }) => name).join(', ');
  if (saved.length !== now.length || saved.some(({ name }, i) => name !== now[i]?.name)) {
    return [`the sources were ${names(saved)}, are ${names(now)}`];
  }
  return saved.flatMap((before, i) => changeOf(before, now[i] as SourcePrint));
}

function changeOf(before: SourcePrint, now: SourcePrint): string[] {
  if (before.bytes !== now.bytes) {
    return [`source ${now.name} had ${before.bytes} bytes, has ${now.bytes}`];
  }
  if (before.head_sha256 !== now.head_sha256) return [`source ${now.name} begins with other bytes`];
  if (before.version !== now.version) {
    return [`source ${now.name} was of version ${before.version}, is of ${now.version}`];
  }
  if (before.modified_at !== now.modified_at) {
    return [`source ${now.name} was of ${before.modified_at}, is of ${now.modified_at}`];
  }
  return [];
}
