/** JSON text as bytes that grow: stored values go in without becoming strings first. */

export interface JsonBytes {
  bytes: Buffer;
  length: number;
}

const POOLED = 64;
/** Larger ones are left to the garbage collector. */
const MAX_POOLED_BYTES = 256 * 1024;
const pool: JsonBytes[] = [];

export function takeJson(): JsonBytes {
  return pool.pop() ?? { bytes: Buffer.allocUnsafe(4096), length: 0 };
}

/** Its content is gone afterwards. At most POOLED are kept. */
export function giveJson(out: JsonBytes): void {
  out.length = 0;
  if (pool.length < POOLED && out.bytes.length <= MAX_POOLED_BYTES) pool.push(out);
}

function makeRoom(out: JsonBytes, more: number): void {
  if (out.length + more <= out.bytes.length) return;
  const larger = Buffer.allocUnsafe(Math.max(out.bytes.length * 2, out.length + more));
  out.bytes.copy(larger, 0, 0, out.length);
  out.bytes = larger;
}

/** Text that is JSON already. */
export function putText(out: JsonBytes, text: string): void {
  makeRoom(out, text.length * 3);
  out.length += out.bytes.utf8Write(text, out.length);
}

/** Bytes that are JSON already. */
export function putBytes(out: JsonBytes, from: Buffer, start: number, end: number): void {
  makeRoom(out, end - start);
  const { bytes } = out;
  let at = out.length;
  // A call into native code costs more than the bytes of a name or number.
  for (let i = start; i < end; i += 1) bytes[at++] = from[i] as number;
  out.length = at;
}

/** UTF-8 bytes as a JSON string; what is no UTF-8 becomes U+FFFD. */
export function putString(out: JsonBytes, from: Buffer, start: number, end: number): void {
  makeRoom(out, end - start + 2);
  const { bytes } = out;
  let at = out.length;
  bytes[at++] = 34;
  for (let i = start; i < end; i += 1) {
    const byte = from[i] as number;
    // Control characters, quote, backslash and everything beyond ASCII.
    if (byte < 32 || byte > 126 || byte === 34 || byte === 92) {
      return putText(out, JSON.stringify(from.utf8Slice(start, end)));
    }
    bytes[at++] = byte;
  }
  bytes[at++] = 34;
  out.length = at;
}

/** A copy, so that `out` may be used again. */
export function copyOf(out: JsonBytes): Buffer {
  return Buffer.from(out.bytes.subarray(0, out.length));
}
