/** Why the system does not let a file be read, in words with what to do about it. */

const WHY: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'there is no such file; check the path'],
  ['ENOTDIR', 'a part of its path is not a directory; check the path'],
  ['EISDIR', 'it is a directory; name the file in it'],
  ['EACCES', 'permission denied; give this user read access'],
  ['EPERM', 'permission denied; give this user read access'],
  ['ELOOP', 'its symbolic links lead in a circle; name the file itself'],
  ['ENAMETOOLONG', 'the name is longer than this system allows; check the path'],
  ['EMFILE', 'this process has too many files open; raise the limit (ulimit -n)'],
  ['ENFILE', 'this machine has too many files open; close some'],
  ['EIO', 'the disk or network file system failed; try again, or copy the file elsewhere'],
  ['ESTALE', 'the network file system has lost it; mount it again'],
  ['ETIMEDOUT', 'the network file system did not answer; try again'],
  ['ENXIO', 'it is a socket or a device that is not there; name a file'],
  ['ENODEV', 'it is a device that is not there; name a file'],
  ['ERR_FS_FILE_TOO_LARGE', 'it is larger than 2 GiB, so it can hardly be the right file; check the path'],
]);

/** Of what is no error of the system, the message. */
export function whyUnread(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return WHY.get(code) ?? `${message}; check the path`;
}
