/** A quote that breaks a record: where its field opens and what is wrong with it. */
export interface QuoteFault {
  /** Lines after the record's first one. */
  readonly lines: number;
  /** From 1. */
  readonly field: number;
  readonly found: string;
  /** A quote with a backslash before it stands in the record up to there. */
  readonly isEscaped: boolean;
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Finds what is wrong with the quotes of the record that `bytes` start with, for a message. Null: nothing
 * up to its line end. Runs once a source, after the reading has failed.
 */
export function findQuoteFault(bytes: Buffer, delimiter: string): QuoteFault | null {
  const separator = Buffer.from(delimiter, 'utf8');
  let at = 0;
  let lines = 0;
  for (let field = 1; ; field++) {
    if (bytes[at] === QUOTE) {
      const close = closingQuote(bytes, at + 1);
      if (close === -1)
        return { lines, field, found: 'found a quote that is never closed', isEscaped: false };
      if (!endsField(bytes, close + 1, separator)) {
        const isEscaped = hasEscape(bytes, close);
        return { lines, field, found: 'found text after a closing quote', isEscaped };
      }
      lines += countLines(bytes.subarray(at, close));
      at = close + 1;
    } else {
      while (!endsField(bytes, at, separator)) {
        if (bytes[at] === QUOTE) {
          const isEscaped = hasEscape(bytes, at);
          return { lines, field, found: 'found a quote inside an unquoted field', isEscaped };
        }
        at++;
      }
    }
    if (!standsAt(bytes, at, separator)) return null;
    at += separator.length;
  }
}

/** Of a quote at `end` or before it. */
function hasEscape(bytes: Buffer, end: number): boolean {
  return bytes.subarray(0, end + 1).includes('\\"');
}

function endsField(bytes: Buffer, at: number, separator: Buffer): boolean {
  const byte = bytes[at];
  return byte === undefined || byte === LF || byte === CR || standsAt(bytes, at, separator);
}

function standsAt(bytes: Buffer, at: number, separator: Buffer): boolean {
  return separator.every((byte, index) => bytes[at + index] === byte);
}

function closingQuote(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(QUOTE, from);
  while (at !== -1 && bytes[at + 1] === QUOTE) at = bytes.indexOf(QUOTE, at + 2);
  return at;
}

function countLines(bytes: Buffer): number {
  return bytes.toString('latin1').match(/\r\n|\n|\r/g)?.length ?? 0;
}
