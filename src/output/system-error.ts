/** What the system says when a file cannot be written, in words with what to do about it. */
import { FeaturectlError } from '../core/errors.ts';

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'its directory does not exist; create it or name another path'],
  ['ENOTDIR', 'a part of its path is not a directory; name another path'],
  ['EISDIR', 'it is a directory; name a file in it'],
  ['EACCES', 'permission denied; give this user write access or name another path'],
  ['EPERM', 'permission denied; give this user write access or name another path'],
  ['EROFS', 'the file system is read-only; name another path'],
  ['ENOSPC', 'no space is left on the device; free some or name a path on another one'],
  ['EDQUOT', 'the disk quota is used up; free some space or name a path on another device'],
  ['EFBIG', 'the file would be larger than this system allows'],
  ['ELOOP', 'its symbolic links lead in a circle; name another path'],
  ['ENAMETOOLONG', 'the name is longer than this system allows; name another path'],
  ['EMFILE', 'this process has too many files open; raise the limit (ulimit -n)'],
  ['EIO', 'the disk or network file system failed; name a path on another device'],
  ['EPIPE', 'its reader has gone away'],
  ['ENXIO', 'it is a named pipe that no process reads; start its reader first'],
]);

export function errnoCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** An OUTPUT error; `what` names the file's role, such as "the rejects file". */
export function outputError(what: string, path: string, error: unknown, more = ''): FeaturectlError {
  const code = errnoCode(error);
  const reason = REASONS.get(code) ?? (error instanceof Error ? error.message : String(error));
  const message = `cannot write ${what} ${path}: ${reason}${code ? ` (${code})` : ''}${more}`;
  return new FeaturectlError('OUTPUT', message, { cause: error });
}
