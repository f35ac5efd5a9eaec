/** Finds cells that are stored as they stand, or writes what they are stored as, without a string made of them. */
import type { ByteString, TextColumn } from '../core/types.ts';
import type { Rewrite, StoredForm } from './codecs/codec.ts';
import type { Place } from './places.ts';

export interface SpanReader {
  /** The value found last is bytes[start .. end). */
  bytes: Uint8Array;
  start: number;
  end: number;
  /** False where the cell may be null, or is not sure to be found. */
  find(row: number): boolean;
}

/** What bytes[start .. end) of a column of text are stored as; false: not sure. */
export type Settle = (reader: SpanReader, bytes: Uint8Array, start: number, end: number) => boolean;

/** `place`: where the values of `rewrite` are written. Null: all values have to be made one by one. */
export function settler(stored: StoredForm | null, rewrite: Rewrite | null, place: Place): Settle | null {
  if (stored === null && rewrite === null) return null;
  return (reader, bytes, start, end) => {
    if (stored?.(bytes, start, end)) {
      // Mostly it is there already, and a look costs less than telling the garbage collector.
      if (reader.bytes !== bytes) reader.bytes = bytes;
      reader.start = start;
      reader.end = end;
      return true;
    }
    if (rewrite === null || end - start > place.length) return false;
    reader.bytes = place.bytes;
    reader.start = place.start;
    reader.end = rewrite(bytes, start, end, place.bytes, place.start);
    return reader.end >= 0;
  };
}

/** Null where the column's cells do not stand in memory. */
export function createSpanReader(
  { spans, quoted }: TextColumn,
  nullTokens: ReadonlySet<ByteString>,
  settle: Settle | null,
): SpanReader | null {
  if (spans === null || settle === null) return null;
  const { bytes, ends, stride, offset, escaped } = spans;
  const mayBeNull = nullFinder(nullTokens);

  const isPlain = (reader: SpanReader, row: number): boolean => {
    const at = row * stride + offset;
    const start = ends[at]! + 1;
    const end = ends[at + 1]!;
    return !mayBeNull(bytes, start, end) && settle(reader, bytes, start, end);
  };

  const isQuoted = (reader: SpanReader, row: number): boolean => {
    if (quoted === null || quoted[row] === 0) return isPlain(reader, row);
    if (escaped !== null && escaped[row] === 1) return false;
    const at = row * stride + offset;
    return settle(reader, bytes, ends[at]! + 2, ends[at + 1]! - 1);
  };

  const find = quoted === null ? isPlain : isQuoted;
  const reader: SpanReader = { bytes, start: 0, end: 0, find: (row) => find(reader, row) };
  return reader;
}

/** Whether bytes[start .. end) may be a token of null: by length and first byte. An empty cell always may. */
function nullFinder(tokens: ReadonlySet<ByteString>): StoredForm {
  const longest = Math.max(0, ...[...tokens].map((token) => token.length));
  const firsts = new Uint8Array(256);
  for (const token of tokens) if (token !== '') firsts[token.charCodeAt(0)] = 1;
  return (bytes, start, end) => end === start || (end - start <= longest && firsts[bytes[start]!] === 1);
}
