/**
 * The checkpoint file. It is written beside itself, brought to the disk and renamed, so that whoever reads it finds
 * an old one or the whole new one, whenever the process or the machine ends.
 */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { CHECKPOINT_VERSION, type Checkpoint } from '../core/checkpoint.ts';
import { FeaturectlError } from '../core/errors.ts';
import { errnoCode, outputError } from './system-error.ts';

/** The least time between two files, in milliseconds. */
const SAVE_EVERY_MS = 1000;

export interface CheckpointFile {
  /** Begins to write what `make` gives if the last write is a second ago. Throws OUTPUT of an earlier write. */
  offer(make: () => Checkpoint): Promise<void>;
  /** Writes and resolves when it is on the disk. Throws OUTPUT. */
  save(checkpoint: Checkpoint): Promise<void>;
  /** Throws OUTPUT. */
  remove(): Promise<void>;
}

/** Null: there is none. Throws CHECKPOINT for a file of another kind, OUTPUT for one that cannot be read. */
export async function readCheckpoint(path: string): Promise<Checkpoint | null> {
  let text = '';
  try {
    // Opening a named pipe would wait for its writer.
    if (mayBeRead(await stat(path))) text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return null;
    throw outputError('the checkpoint', path, error);
  }
  const parsed = parse(text);
  if (isCheckpoint(parsed)) return intact(path, parsed);
  throw new FeaturectlError(
    'CHECKPOINT',
    `--checkpoint ${path}: expected a new file or a checkpoint of version ${CHECKPOINT_VERSION}, found a file of another kind; name another`,
  );
}

function mayBeRead(found: Stats): boolean {
  return found.isFile() || found.isDirectory();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Without its sum. A place or count that is another than was written would skip rows, or load them twice. */
function intact(path: string, { sha256, ...checkpoint }: Checkpoint & Sum): Checkpoint {
  if (sha256 === sumOf(checkpoint)) return checkpoint;
  throw new FeaturectlError(
    'CHECKPOINT',
    `--checkpoint ${path}: expected what a run wrote there, found other contents: it is damaged or was edited; bring it back, or remove it to load everything from the start`,
  );
}

interface Sum {
  readonly sha256?: string;
}

function sumOf(checkpoint: Checkpoint): string {
  return createHash('sha256').update(JSON.stringify(checkpoint)).digest('hex');
}

/** The rest of the file is held to its sum. */
function isCheckpoint(value: unknown): value is Checkpoint {
  return (
    typeof value === 'object' &&
    value !== null &&
    'checkpoint_version' in value &&
    value.checkpoint_version === CHECKPOINT_VERSION &&
    'load' in value &&
    'counts' in value
  );
}

/** `sync` is called before each write: what the checkpoint relies on has to be on the disk by then. */
export function createCheckpointFile(path: string, sync: () => Promise<void>): CheckpointFile {
  let writing: Promise<void> = Promise.resolve();
  let isWriting = false;
  let failure: { readonly error: unknown } | null = null;
  let savedAt = performance.now();

  /** One at a time; a failure is kept. */
  function begin(checkpoint: Checkpoint): Promise<void> {
    isWriting = true;
    savedAt = performance.now();
    writing = sync()
      .then(() => write(path, checkpointText(checkpoint)))
      .catch((error: unknown) => {
        failure = { error };
      })
      .then(() => {
        isWriting = false;
      });
    return writing;
  }

  function throwFailure(): void {
    if (!failure) return;
    const { error } = failure;
    failure = null;
    throw error instanceof FeaturectlError ? error : outputError('the checkpoint', path, error);
  }

  return {
    offer: async (make) => {
      throwFailure();
      if (!isWriting && performance.now() - savedAt >= SAVE_EVERY_MS) void begin(make());
    },
    save: async (checkpoint) => {
      await writing;
      throwFailure();
      await begin(checkpoint);
      throwFailure();
    },
    remove: async () => {
      await writing;
      await rm(path, { force: true }).catch((error: unknown) => {
        throw outputError('the checkpoint', path, error);
      });
    },
  };
}

/** What the file holds. */
export function checkpointText(checkpoint: Checkpoint): string {
  const summed: Checkpoint & Sum = { ...checkpoint, sha256: sumOf(checkpoint) };
  return `${JSON.stringify(summed, null, 1)}\n`;
}

async function write(path: string, text: string): Promise<void> {
  // Always the same name: what a killed run leaves behind is written over by the next.
  const temporary = `${path}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}
