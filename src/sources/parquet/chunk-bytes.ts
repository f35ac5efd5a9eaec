import type { FileHandle } from 'node:fs/promises';
import { tooEarly } from './errors.ts';

/** The bytes of one column chunk, read as they are needed. */
export interface ChunkBytes {
  /** Bytes that were not taken yet, in the file and here. */
  left(): number;
  /** Fetches the next `count` bytes or all that are left: a look at them. */
  peek(count: number): Promise<Buffer>;
  /** Goes on behind `count` bytes that were looked at. */
  take(count: number): void;
}

/** `readBytes`: to read at once. Throws an Error where the file ends before. */
export function createChunkBytes(
  file: FileHandle,
  start: number,
  length: number,
  readBytes: number,
): ChunkBytes {
  let held: Buffer = Buffer.alloc(0);
  let at = 0;
  let unread = length;
  const fetch = async (count: number): Promise<void> => {
    const kept = held.length - at;
    const more = Math.min(Math.max(count - kept, readBytes), unread);
    // What was looked at before may still be in use, so that it is left as it is.
    const next = Buffer.allocUnsafeSlow(kept + more);
    held.copy(next, 0, at);
    for (let filled = kept; filled < kept + more; ) {
      const { bytesRead } = await file.read(next, filled, kept + more - filled, start + length - unread);
      if (bytesRead === 0) throw tooEarly();
      filled += bytesRead;
      unread -= bytesRead;
    }
    held = next;
    at = 0;
  };
  return {
    left: () => held.length - at + unread,
    peek: async (count) => {
      const wanted = Math.min(count, held.length - at + unread);
      if (held.length - at < wanted) await fetch(wanted);
      return held.subarray(at, at + wanted);
    },
    take: (count) => {
      at += count;
    },
  };
}
