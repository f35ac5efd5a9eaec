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

/** What one column is read into, of one chunk after the other. */
export interface ReadBuffer {
  bytes: Buffer;
}

/** Above it a buffer is not kept: one page was so large, or all of a chunk. */
const MAX_KEPT = 2 * 1024 * 1024;

/**
 * `readBytes`: to hold at once. `into`: read over again, so that bytes that were looked at stand until the next page is
 * asked for; null: they stay as they are. Throws an Error where the file ends before.
 */
export function createChunkBytes(
  file: FileHandle,
  start: number,
  length: number,
  readBytes: number,
  into: ReadBuffer | null,
): ChunkBytes {
  let held: Buffer = Buffer.alloc(0);
  let at = 0;
  let end = 0;
  let unread = length;
  const room = (size: number): Buffer => {
    if (into !== null && size <= into.bytes.length) return into.bytes;
    const bytes = Buffer.allocUnsafeSlow(size);
    if (into !== null && size <= MAX_KEPT) into.bytes = bytes;
    return bytes;
  };
  const fetch = async (count: number): Promise<void> => {
    const kept = end - at;
    const wanted = Math.min(Math.max(count, readBytes), kept + unread);
    const next = room(wanted);
    held.copy(next, 0, at, end);
    held = next;
    at = 0;
    end = kept;
    while (end < wanted) {
      const { bytesRead } = await file.read(next, end, wanted - end, start + length - unread);
      if (bytesRead === 0) throw tooEarly();
      end += bytesRead;
      unread -= bytesRead;
    }
  };
  return {
    left: () => end - at + unread,
    peek: async (count) => {
      const wanted = Math.min(count, end - at + unread);
      if (end - at < wanted) await fetch(wanted);
      return held.subarray(at, at + wanted);
    },
    take: (count) => {
      at += count;
    },
  };
}
