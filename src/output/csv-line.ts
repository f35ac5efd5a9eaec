/** CSV as the rejects file writes it: comma, double quotes where needed (RFC 4180), `\n` ends a line. */
import type { ByteString } from '../core/types.ts';

/** One cell. `quoted` keeps quotes that change the meaning: unquoted empty is null, `""` is an empty text. */
export function csvCell(text: ByteString, quoted: boolean): ByteString {
  return quoted || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvLine(cells: readonly ByteString[]): ByteString {
  return `${cells.join(',')}\n`;
}

/** Plain text → the bytes of its UTF-8 form. */
export function utf8Bytes(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}
