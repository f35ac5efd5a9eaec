/** The files of the rejects: which may be written, opened, cut and removed. */
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join, parse } from 'node:path';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteString } from '../core/types.ts';
import { REJECT_COLUMNS } from './reject-record.ts';
import { errnoCode, outputError } from './system-error.ts';

/** The most files that one run writes; each kind of columns has one open. */
export const MAX_FILES = 100;

export function refuseSource(path: string, sources: readonly string[]): void {
  const same = sources.find((source) => isSameFile(path, source));
  if (same === undefined) return;
  throw new FeaturectlError(
    'USAGE',
    `--rejects ${path} is also the source ${same}, and would be emptied before it is read; name another file`,
  );
}

/** A file of a user's own must not be emptied for want of a better name. */
export function refuseForeign(path: string): void {
  if (isEmptyOrMissing(path) || isRejectsFile(path)) return;
  throw new FeaturectlError(
    'USAGE',
    `--rejects ${path}: expected a new file or an earlier rejects file, found a file of another kind; name another`,
  );
}

/** Also true for what is no regular file, and for a path that opening it will tell the trouble of. */
function isEmptyOrMissing(path: string): boolean {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return !stats?.isFile() || stats.size === 0;
  } catch {
    return true;
  }
}

/** True for two names of one regular file; a device or pipe may be both read and written. */
function isSameFile(path: string, source: string): boolean {
  try {
    const a = statSync(path);
    const b = source === '-' ? fstatSync(0) : statSync(source);
    return a.isFile() && a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

export function openFirst(path: string): number {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFIFO()) assertReader(path);
    return openSync(path, 'a');
  } catch (error) {
    throw outputError('the rejects file', path, error);
  }
}

/** What is no regular file has no length. */
export function cut(path: string, fd: number, bytes: number): void {
  let found = bytes;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return;
    found = stat.size;
    if (found >= bytes) ftruncateSync(fd, bytes);
  } catch (error) {
    throw outputError('the rejects file', path, error);
  }
  if (found >= bytes) return;
  throw new FeaturectlError(
    'OUTPUT',
    `the rejects file ${path}: expected the ${bytes} bytes that the checkpoint knows of, found ${found}; bring it back, or remove the checkpoint to load everything from the start`,
  );
}

/** A pipe or device cannot be synced, and need not be. */
export async function syncFile(path: string, fd: number): Promise<void> {
  const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => fdatasync(fd, resolve));
  if (error && errnoCode(error) !== 'EINVAL') throw outputError('the rejects file', path, error);
}

/** A named pipe that nobody reads would hold the process up, against every signal. Throws ENXIO. */
function assertReader(path: string): void {
  closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
}

/** `bad.csv`, 2 → `bad-2.csv`. */
export function partPath(path: string, number: number): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${number}${ext}`);
}

/** Further files of an earlier run would be taken for this one's. Files that are not ours are left alone. */
export function removeStaleParts(path: string, sources: readonly string[]): void {
  for (let number = 2; number <= MAX_FILES; number += 1) {
    const stale = partPath(path, number);
    if (!isRejectsFile(stale)) return;
    if (!sources.some((source) => isSameFile(stale, source))) removeQuietly(stale);
  }
}

/** Whether the file's first line ends as a rejects file's header does. */
function isRejectsFile(path: string): boolean {
  let fd: number | null = null;
  try {
    if (!lstatSync(path).isFile()) return false;
    fd = openSync(path, 'r');
    const head = Buffer.alloc(64 * 1024);
    const line = head.toString('latin1', 0, readSync(fd, head)).split('\n', 1)[0] ?? '';
    return line.endsWith(`,${REJECT_COLUMNS.join(',')}`);
  } catch {
    return false;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

export function startsWith(path: string, header: ByteString): boolean {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(header.length);
    return readSync(fd, head) === head.length && head.toString('latin1') === header;
  } finally {
    closeSync(fd);
  }
}

/** Writes all or, on a regular file, nothing: a record cut in half would spoil the file. */
export function writeAll(fd: number, text: ByteString): number {
  const bytes = Buffer.from(text, 'latin1');
  let done = 0;
  try {
    while (done < bytes.length) done += writeSync(fd, bytes, done);
    return done;
  } catch (error) {
    const stat = fstatSync(fd);
    if (stat.isFile() && done > 0) ftruncateSync(fd, stat.size - done);
    throw error;
  }
}

export function isEmptyFile(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size === 0;
}

export function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // A file that may be written but not removed stays: an empty one says the same, a stale one has its own name.
  }
}
