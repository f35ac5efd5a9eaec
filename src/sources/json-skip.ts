/**
 * Finds where JSON values end, by the grammar of RFC 8259, in text that is held as bytes. A line end is no blank
 * here: no value goes beyond its line.
 */
import type { ByteString } from '../core/types.ts';

/** Deeper nesting than this is refused: it is no feature, and would use up the stack. */
const MAX_DEPTH = 200;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const POINT = 0x2e;

/** Index after the value that begins at `at`; ~index of the first wrong character where there is none. */
export function skipValue(text: ByteString, at: number, depth = 0): number {
  switch (text.charCodeAt(at)) {
    case QUOTE:
      return skipString(text, at);
    case 0x7b:
      return depth < MAX_DEPTH ? skipItems(text, at, depth, 0x7d) : ~at;
    case 0x5b:
      return depth < MAX_DEPTH ? skipItems(text, at, depth, 0x5d) : ~at;
    case 0x74:
      return text.startsWith('true', at) ? at + 4 : ~at;
    case 0x66:
      return text.startsWith('false', at) ? at + 5 : ~at;
    case 0x6e:
      return text.startsWith('null', at) ? at + 4 : ~at;
    default:
      return skipNumber(text, at);
  }
}

export function skipBlank(text: ByteString, at: number): number {
  let next = at;
  for (; ; next++) {
    const code = text.charCodeAt(next);
    if (code !== 0x20 && code !== 0x09 && code !== 0x0d) return next;
  }
}

/** From quote to quote. */
export function skipString(text: ByteString, at: number): number {
  if (text.charCodeAt(at) !== QUOTE) return ~at;
  for (let next = at + 1; ; next++) {
    const code = text.charCodeAt(next);
    if (code === QUOTE) return next + 1;
    if (code === BACKSLASH) {
      const length = escapeLength(text, next);
      if (length === 0) return ~next;
      next += length - 1;
    } else if (!(code >= 0x20)) return ~next;
  }
}

/** Members of an object or items of a list, with their brackets. */
function skipItems(text: ByteString, at: number, depth: number, close: number): number {
  let next = skipBlank(text, at + 1);
  if (text.charCodeAt(next) === close) return next + 1;
  for (;;) {
    if (close === 0x7d) {
      next = skipColon(text, skipString(text, next));
      if (next < 0) return next;
    }
    next = skipValue(text, next, depth + 1);
    if (next < 0) return next;
    next = skipBlank(text, next);
    const code = text.charCodeAt(next);
    if (code === close) return next + 1;
    if (code !== COMMA) return ~next;
    next = skipBlank(text, next + 1);
  }
}

/** From behind a name to its value. A fault is passed on. */
export function skipColon(text: ByteString, at: number): number {
  if (at < 0) return at;
  const colon = skipBlank(text, at);
  return text.charCodeAt(colon) === COLON ? skipBlank(text, colon + 1) : ~colon;
}

function skipNumber(text: ByteString, at: number): number {
  const start = text.charCodeAt(at) === MINUS ? at + 1 : at;
  let next = text.charCodeAt(start) === 0x30 ? start + 1 : skipDigits(text, start);
  if (next === start) return ~start;
  if (text.charCodeAt(next) === POINT) {
    const end = skipDigits(text, next + 1);
    if (end === next + 1) return ~end;
    next = end;
  }
  if ((text.charCodeAt(next) | 0x20) !== 0x65) return next;
  const sign = text.charCodeAt(next + 1);
  const digits = sign === MINUS || sign === 0x2b ? next + 2 : next + 1;
  const end = skipDigits(text, digits);
  return end === digits ? ~end : end;
}

function skipDigits(text: ByteString, at: number): number {
  let next = at;
  for (; ; next++) {
    const code = text.charCodeAt(next);
    if (!(code >= 0x30 && code <= 0x39)) return next;
  }
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Characters of the escape that begins at `at`; 0: it is none. */
function escapeLength(text: ByteString, at: number): number {
  ESCAPE.lastIndex = at;
  return ESCAPE.exec(text)?.[0].length ?? 0;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** What stands between the quotes of a string, as UTF-8; null where half of a surrogate pair stands alone. */
export function decodeString(inner: ByteString): ByteString | null {
  if (!inner.includes('\\')) return inner;
  let isWhole = true;
  const text = inner.replace(
    /\\(?:u([dD][89abAB]..)\\u([dD][c-fC-F]..)|u(....)|(.))/g,
    (_all, high: string | undefined, low: string, unit: string | undefined, short: string) => {
      if (high !== undefined) return utf8(Number.parseInt(high, 16), Number.parseInt(low, 16));
      if (unit === undefined) return SHORT_ESCAPES[short] ?? short;
      const code = Number.parseInt(unit, 16);
      if (code >= 0xd800 && code <= 0xdfff) isWhole = false;
      return utf8(code);
    },
  );
  return isWhole ? text : null;
}

function utf8(...units: readonly number[]): ByteString {
  return Buffer.from(String.fromCharCode(...units), 'utf8').latin1Slice();
}
