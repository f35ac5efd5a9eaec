import type { ByteString } from '../core/types.ts';
import { decodeString, skipBlank, skipColon, skipString, skipValue } from './json-skip.ts';

/** What is wrong with a line: no JSON object from character `at` on, or a key that must not be there. */
export type RecordFault =
  | { readonly kind: 'json'; readonly at: number }
  | { readonly kind: 'duplicate' | 'unknown'; readonly key: ByteString };

/** Where the values of one line's object stand, by the number of their key. */
export interface RecordScanner {
  /** Looks at the object of the line that begins at `start`. What it finds is there until the next call. */
  scan(text: ByteString, start: number): RecordFault | null;
  /** Index of the first byte of the value; -1: the line does not have the key. */
  start(key: number): number;
  /** Index after the value. */
  end(key: number): number;
  /** The keys that the line has, in the order of their numbers. */
  keys(): readonly ByteString[];
}

/** Keys that are remembered beside those asked for, so that ever new ones do not fill the memory. */
const MAX_KEYS = 10_000;

const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const LF = 0x0a;

/** Numbers of keys, and a key's place in the last line. */
interface KeyTable {
  readonly numbers: Map<ByteString, number>;
  /** As they are written, quotes included. */
  readonly written: Map<ByteString, number>;
  readonly order: { text: ByteString; number: number }[];
  starts: Int32Array;
  ends: Int32Array;
  /** The line that the key was last seen in. */
  lines: Float64Array;
}

/**
 * `keys` have the numbers 0, 1, …. With `onlyThese` another key is a fault. Lines mostly have the same keys in
 * the same order, so a key is first compared with the one that stood in its place before.
 */
export function createRecordScanner(keys: readonly ByteString[], onlyThese: boolean): RecordScanner {
  const table = createTable(keys);
  let line = 0;

  function member(text: ByteString, at: number, place: number): number | RecordFault {
    const key = table.order[place];
    const isExpected = key !== undefined && text.startsWith(key.text, at);
    const end = isExpected ? at + key.text.length : skipString(text, at);
    const value = skipColon(text, end);
    if (value < 0) return value;
    const number = isExpected ? key.number : numberOf(table, text.slice(at, end), place);
    if (number < 0) return at;
    if (table.lines[number] === line) return { kind: 'duplicate', key: keyOf(text, at, end) };
    if (onlyThese && number >= keys.length) return { kind: 'unknown', key: keyOf(text, at, end) };
    table.lines[number] = line;
    table.starts[number] = value;
    const next = skipValue(text, value);
    table.ends[number] = next;
    return next < 0 ? next : skipBlank(text, next);
  }

  function scan(text: ByteString, start: number): RecordFault | null {
    line++;
    if (table.numbers.size > keys.length + MAX_KEYS) forget(table, keys);
    let at = skipBlank(text, start);
    if (text.charCodeAt(at) !== OPEN) return { kind: 'json', at };
    at = skipBlank(text, at + 1);
    if (text.charCodeAt(at) === CLOSE) return lineEnd(text, at + 1);
    for (let place = 0; ; place++) {
      const next = member(text, at, place);
      if (typeof next !== 'number') return next;
      if (next < 0) return { kind: 'json', at: ~next };
      const code = text.charCodeAt(next);
      if (code === CLOSE) return lineEnd(text, next + 1);
      if (code !== COMMA) return { kind: 'json', at: next };
      at = skipBlank(text, next + 1);
    }
  }

  return {
    scan,
    start: (key) => (table.lines[key] === line ? (table.starts[key] as number) : -1),
    end: (key) => table.ends[key] as number,
    keys: () => [...table.numbers].flatMap(([key, number]) => (table.lines[number] === line ? [key] : [])),
  };
}

function createTable(keys: readonly ByteString[]): KeyTable {
  const size = Math.max(64, keys.length);
  return {
    numbers: new Map(keys.map((key, number) => [key, number])),
    written: new Map(),
    order: [],
    starts: new Int32Array(size),
    ends: new Int32Array(size),
    lines: new Float64Array(size),
  };
}

function numberOf(table: KeyTable, written: ByteString, place: number): number {
  let number = table.written.get(written);
  if (number === undefined) {
    number = addKey(table, decodeKey(written));
    table.written.set(written, number);
  }
  if (place <= table.order.length) table.order[place] = { text: written, number };
  return number;
}

function addKey(table: KeyTable, key: ByteString): number {
  const known = table.numbers.get(key);
  if (known !== undefined) return known;
  const number = table.numbers.size;
  table.numbers.set(key, number);
  if (number >= table.starts.length) grow(table);
  return number;
}

function grow(table: KeyTable): void {
  const { starts, ends, lines } = table;
  const size = starts.length * 2;
  table.starts = new Int32Array(size);
  table.starts.set(starts);
  table.ends = new Int32Array(size);
  table.ends.set(ends);
  table.lines = new Float64Array(size);
  table.lines.set(lines);
}

function forget(table: KeyTable, keys: readonly ByteString[]): void {
  table.numbers.clear();
  table.written.clear();
  table.order.length = 0;
  table.lines.fill(0);
  for (const [number, key] of keys.entries()) table.numbers.set(key, number);
}

/** A key with half of a surrogate pair has no bytes: it stays as it is written, which no column is called. */
function decodeKey(written: ByteString): ByteString {
  return decodeString(written.slice(1, -1)) ?? written;
}

function keyOf(text: ByteString, at: number, end: number): ByteString {
  return decodeKey(text.slice(at, end));
}

/** Behind the object only blanks may stand. */
function lineEnd(text: ByteString, at: number): RecordFault | null {
  const end = skipBlank(text, at);
  return end >= text.length || text.charCodeAt(end) === LF ? null : { kind: 'json', at: end };
}
