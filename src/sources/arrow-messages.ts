import { type Envelope, readEnvelope } from './arrow-envelope.ts';
import { arrowError, cutError } from './arrow-errors.ts';
import type { ByteStream } from './bytes.ts';

/** The metadata of one message is a description of columns and buffers, not data. */
const MAX_METADATA = 256 * 1024 * 1024;
const CONTINUATION = 0xffffffff;

/** What of the messages is passed on. */
export interface MessageCount {
  /** Record batches passed on, to be compared with those that came out. */
  batches: number;
  /** Record batches that end before this row are left out; to be set before the first one is read. */
  skip: number;
  /** Rows of those left out. */
  skippedRows: number;
}

/** Counts a record batch; false: it is left out. */
export function countBatch(seen: MessageCount, rows: number): boolean {
  if (seen.skippedRows < seen.skip && seen.skippedRows + rows <= seen.skip) {
    seen.skippedRows += rows;
    return false;
  }
  seen.skip = 0;
  seen.batches++;
  return true;
}

/**
 * Passes an IPC stream on one message at a time and watches that it is not cut inside of one, which
 * apache-arrow takes for the end. Throws SOURCE_TRUNCATED and SOURCE_CORRUPT.
 * https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
 */
export async function* wholeMessages(chunks: ByteStream, name: string, seen: MessageCount): ByteStream {
  const take = exactReader(chunks);
  const whole = async (size: number): Promise<Buffer> => {
    const bytes = await take(size);
    if (bytes.length < size) throw cutError(name, 'a whole message');
    return bytes;
  };
  for (;;) {
    const prefix = await take(8);
    // The format allows a stream without the mark of its end, but then a cut one looks whole.
    if (prefix.length === 0) throw cutError(name, 'the mark of its end');
    if (prefix.length < 8) throw cutError(name, 'a whole message');
    const size = prefix.readUInt32LE(4);
    if (prefix.readUInt32LE(0) !== CONTINUATION || size > MAX_METADATA) {
      throw arrowError(name, 0, new Error('no message where one should begin'));
    }
    if (size === 0) return;
    const metadata = await whole(size);
    const { kind, bodyLength, rows } = envelope(name, metadata);
    const body = await whole(bodyLength);
    if (kind === 'batch' && !countBatch(seen, rows)) continue;
    yield Buffer.concat([prefix, metadata, body]);
  }
}

function envelope(name: string, metadata: Buffer): Envelope {
  try {
    return readEnvelope(metadata);
  } catch (error) {
    throw arrowError(name, 0, error);
  }
}

/** Gives exactly so many bytes, fewer only at the end. */
function exactReader(chunks: ByteStream): (size: number) => Promise<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  return async (size) => {
    while (length < size) {
      const step = await chunks.next();
      if (step.done) break;
      parts.push(step.value);
      length += step.value.length;
    }
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const rest = all.subarray(size);
    parts = rest.length > 0 ? [rest] : [];
    length = rest.length;
    return all.subarray(0, size);
  };
}
