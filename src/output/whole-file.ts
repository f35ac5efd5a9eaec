/** Output files that are written once, at the end of a run: whole, and checked before its start. */
import { constants } from 'node:fs';
import { access, lstat, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoCode, outputError } from './system-error.ts';

/**
 * Throws OUTPUT where `path` could not be written later; leaves what is there as it is. `what` names the file's role,
 * such as "the report"; '-' is stdout.
 */
export async function assertWritable(what: string, path: string): Promise<void> {
  if (path === '-') return;
  try {
    const { target, temporary } = await placeFor(path);
    await (temporary ? tryCreate(temporary) : access(target, constants.W_OK));
  } catch (error) {
    if (!(await canWriteInPlace(path))) throw outputError(what, path, error);
  }
}

/**
 * Writes the text to `path`, or to `stdout` for '-'. A reader of the path finds the old text or the whole new one,
 * never a part, unless only the file itself may be written (a mounted file). Throws OUTPUT.
 */
export async function writeWhole(
  what: string,
  path: string,
  text: string,
  stdout: NodeJS.WritableStream,
): Promise<void> {
  try {
    if (path === '-') await writeStream(stdout, text);
    else await writeTo(path, text);
  } catch (error) {
    throw outputError(what, path, error);
  }
}

function writeStream(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // A stream that fails tells it by this event too, which without a listener would end the process.
    stream.once('error', reject);
    stream.write(text, (error) => {
      if (error) return;
      stream.removeListener('error', reject);
      resolve();
    });
  });
}

async function writeTo(path: string, text: string): Promise<void> {
  const { target, temporary } = await placeFor(path);
  if (!temporary) return writeFile(target, text);
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    if (errnoCode(error) === 'ENOSPC' || !(await canWriteInPlace(path))) throw error;
    await writeFile(target, text);
  }
}

async function tryCreate(path: string): Promise<void> {
  await (await open(path, 'wx')).close();
  await rm(path);
}

/** True for an existing file in a directory that takes no new ones. */
async function canWriteInPlace(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

interface Place {
  /** What a symbolic link points to: a rename onto the link would replace the link. */
  readonly target: string;
  /** Beside the target, on the same file system. Null: a device or pipe, which is written straight. */
  readonly temporary: string | null;
}

async function placeFor(path: string): Promise<Place> {
  const target = await realpath(path).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return path;
    throw error;
  });
  const found = await lstat(target).catch(() => null);
  if (found?.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
  if (found && !found.isFile()) return { target, temporary: null };
  return { target, temporary: join(dirname(target), `.${basename(target)}.${process.pid}.tmp`) };
}
