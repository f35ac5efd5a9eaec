/** JSON text → the same JSON without blanks, checked by RFC 8259. Numbers and strings keep their exact text. */
import type { ByteString } from '../../core/types.ts';
import { type Coded, fault } from './codec.ts';

/** Deeper nesting than this is refused: it is no feature, and would use up the stack. */
const MAX_DEPTH = 200;

const BLANK = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** Up to a quote, escape or control character; no repeated group, which would use up the stack on long strings. */
const PLAIN = /[^"\\\x00-\x1f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

export function compactJson(cell: ByteString): Coded {
  const scan = { text: cell, at: 0 };
  const out = value(scan, 0);
  skipBlank(scan);
  return out !== null && scan.at === cell.length ? out : fault('JSON', 'JSON text', cell);
}

interface Scan {
  readonly text: ByteString;
  at: number;
}

function value(scan: Scan, depth: number): string | null {
  skipBlank(scan);
  const first = scan.text[scan.at];
  if (first === '"') return string(scan);
  if (first !== '[' && first !== '{') return take(scan, SCALAR);
  if (depth >= MAX_DEPTH) return null;
  scan.at += 1;
  return first === '[' ? items(scan, depth, ']') : items(scan, depth, '}');
}

/** After the opening bracket, up to and with the closing one. */
function items(scan: Scan, depth: number, close: ']' | '}'): string | null {
  const parts: string[] = [];
  skipBlank(scan);
  if (scan.text[scan.at] === close) {
    scan.at += 1;
    return close === ']' ? '[]' : '{}';
  }
  for (;;) {
    const item = close === ']' ? value(scan, depth + 1) : member(scan, depth);
    if (item === null) return null;
    parts.push(item);
    skipBlank(scan);
    const next = scan.text[scan.at];
    scan.at += 1;
    if (next === close) return close === ']' ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
    if (next !== ',') return null;
  }
}

function member(scan: Scan, depth: number): string | null {
  skipBlank(scan);
  const name = string(scan);
  skipBlank(scan);
  if (name === null || scan.text[scan.at] !== ':') return null;
  scan.at += 1;
  const item = value(scan, depth + 1);
  return item === null ? null : `${name}:${item}`;
}

/** From quote to quote, as it is written. */
function string(scan: Scan): string | null {
  const start = scan.at;
  if (scan.text[start] !== '"') return null;
  scan.at += 1;
  do take(scan, PLAIN);
  while (take(scan, ESCAPE) !== null);
  if (scan.text[scan.at] !== '"') return null;
  scan.at += 1;
  return scan.text.slice(start, scan.at);
}

function take(scan: Scan, form: RegExp): string | null {
  form.lastIndex = scan.at;
  const found = form.exec(scan.text)?.[0];
  if (found === undefined || found === '') return null;
  scan.at += found.length;
  return found;
}

function skipBlank(scan: Scan): void {
  BLANK.lastIndex = scan.at;
  scan.at += BLANK.exec(scan.text)?.[0].length ?? 0;
}
