import type { ByteStream } from './bytes.ts';

/** Reads a stream in pieces of a known length; holds one chunk and one piece. */
export interface ByteReader {
  /** The next `length` bytes, fewer only where the stream ends. */
  take(length: number): Promise<Buffer>;
  /** Passes over bytes; how many there were. */
  skip(length: number): Promise<number>;
}

export function createByteReader(chunks: ByteStream): ByteReader {
  let held: Buffer = Buffer.alloc(0);

  /** False: the stream has ended. */
  async function refill(): Promise<boolean> {
    const step = await chunks.next();
    if (step.done) return false;
    held = step.value;
    return true;
  }

  async function take(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let missing = length;
    while (missing > 0 && (held.length > 0 || (await refill()))) {
      const piece = held.subarray(0, missing);
      pieces.push(piece);
      missing -= piece.length;
      held = held.subarray(piece.length);
    }
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }

  return {
    take,
    skip: async (length) => {
      let skipped = 0;
      while (skipped < length && (held.length > 0 || (await refill()))) {
        const some = Math.min(length - skipped, held.length);
        held = held.subarray(some);
        skipped += some;
      }
      return skipped;
    },
  };
}
