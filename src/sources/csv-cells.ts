import type { ByteString, RawCell } from '../core/types.ts';

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** The text of the cell at [start, end), where it opens with a quote: without its quotes, doubled ones made one. */
export function unquote(text: ByteString, start: number, end: number): ByteString {
  const inner = text.slice(start + 1, end - 1);
  return inner.includes('"') ? inner.replaceAll('""', '"') : inner;
}

/** All cells of the record that starts at `start`. The record is complete and well quoted. */
export function splitRecord(text: ByteString, start: number, delimiter: number): readonly RawCell[] {
  const cells: RawCell[] = [];
  for (let at = start; ; at++) {
    const quoted = text.charCodeAt(at) === QUOTE;
    const end = quoted ? endOfQuoted(text, at) : endOfBare(text, at, delimiter);
    cells.push({ text: quoted ? unquote(text, at, end) : text.slice(at, end), quoted });
    at = end;
    if (text.charCodeAt(at) !== delimiter) return cells;
  }
}

function endOfQuoted(text: ByteString, open: number): number {
  let at = text.indexOf('"', open + 1);
  while (text.charCodeAt(at + 1) === QUOTE) at = text.indexOf('"', at + 2);
  return at + 1;
}

function endOfBare(text: ByteString, start: number, delimiter: number): number {
  let at = start;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === delimiter || code === LF || code === CR) break;
  }
  return at;
}
