import { rmSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteStream } from './bytes.ts';

export interface Spool {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Writes a pipe or remote object to a temporary file that only this user can read, for formats that need to be read at any
 * place. Throws SOURCE_READ where the disk does not take it; nothing is left behind then.
 */
export async function spoolToFile(chunks: ByteStream, name: string): Promise<Spool> {
  const directory = await mkdtemp(join(tmpdir(), 'featurectl-')).catch((error: unknown) => {
    throw notKept(name, tmpdir(), error);
  });
  const path = join(directory, 'source');
  // A second signal ends the process without a further turn.
  const removeAtExit = (): void => rmSync(directory, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  const remove = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true });
    process.off('exit', removeAtExit);
  };
  try {
    await writeAll(chunks, path, name);
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, remove };
}

async function writeAll(chunks: ByteStream, path: string, name: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of chunks) {
      await handle.writeFile(chunk).catch((error: unknown) => {
        throw notKept(name, path, error);
      });
    }
  } finally {
    await handle.close();
  }
}

function notKept(name: string, path: string, error: unknown): FeaturectlError {
  const { code } = error as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const why = isFull ? 'no space is left there' : `that cannot be written (${code ?? String(error)})`;
  const message = `${name}: expected to keep it in ${path} while reading, but ${why}; free some space, or set TMPDIR to a directory on another disk`;
  return new FeaturectlError('SOURCE_READ', message, { cause: error });
}
