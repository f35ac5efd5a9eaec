/** Stored bytes for people: UTF-8 as text, anything else byte by byte. */
import { isUtf8 } from 'node:buffer';
import type { ByteString } from './types.ts';

/**
 * UTF-8 as its text. In other bytes those that are no printable ASCII, and backslashes, are written `\xNN`, so that
 * no byte is lost.
 */
export function showBytes(bytes: ByteString): string {
  const buffer = Buffer.from(bytes, 'latin1');
  if (isUtf8(buffer)) return buffer.toString('utf8');
  return bytes.replace(
    /[^\x20-\x5b\x5d-\x7e]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
