/** What tells one state of a source file from another, cheaply: size, time of change, hash of its head. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';

export const FINGERPRINT_HEAD_BYTES = 64 * 1024;

/** All null for what is no regular file: stdin, a pipe, a URL. */
export interface Fingerprint {
  readonly bytes: number | null;
  /** RFC 3339, UTC. */
  readonly modifiedAt: string | null;
  /** SHA-256 in hex of the first FINGERPRINT_HEAD_BYTES bytes, or of all where the file is shorter. */
  readonly headSha256: string | null;
}

export const NO_FINGERPRINT: Fingerprint = { bytes: null, modifiedAt: null, headSha256: null };

/** Never throws: a file that cannot be read is told by whoever opens it as a source. */
export async function fingerprint(name: string): Promise<Fingerprint> {
  if (name === '-' || /^[a-z][a-z0-9+.-]*:\/\//i.test(name)) return NO_FINGERPRINT;
  try {
    return await fingerprintFile(name);
  } catch {
    return NO_FINGERPRINT;
  }
}

async function fingerprintFile(path: string): Promise<Fingerprint> {
  // Looked at before it is opened: opening a named pipe would wait for its writer.
  const found = await stat(path);
  if (!found.isFile()) return NO_FINGERPRINT;
  const file = await open(path, 'r');
  try {
    const headSha256 = createHash('sha256')
      .update(await readHead(file))
      .digest('hex');
    return { bytes: found.size, modifiedAt: found.mtime.toISOString(), headSha256 };
  } finally {
    await file.close();
  }
}

async function readHead(file: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(FINGERPRINT_HEAD_BYTES);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(head, length, head.length - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length === head.length) return head.subarray(0, length);
  }
}
