/** Finds cells that are stored as they stand, without a string made of them. */
import type { ByteString, TextColumn } from '../core/types.ts';
import type { StoredForm } from './codecs/codec.ts';

export interface SpanReader {
  readonly bytes: Uint8Array;
  /** The cell found last is bytes[start .. end). */
  start: number;
  end: number;
  /** False where the cell may be null, or is not sure to be stored as it stands. */
  find(row: number): boolean;
}

/** Null where the column's cells do not stand in memory. */
export function createSpanReader(
  { spans, quoted }: TextColumn,
  nullTokens: ReadonlySet<ByteString>,
  stored: StoredForm,
): SpanReader | null {
  if (spans === null) return null;
  const { bytes, ends, stride, offset, escaped } = spans;
  const longestToken = Math.max(0, ...[...nullTokens].map((token) => token.length));

  const isPlain = (reader: SpanReader, row: number): boolean => {
    const at = row * stride + offset;
    const start = ends[at]! + 1;
    const end = ends[at + 1]!;
    if (end - start <= longestToken) return false;
    reader.start = start;
    reader.end = end;
    return stored(bytes, start, end);
  };

  const isQuoted = (reader: SpanReader, row: number): boolean => {
    if (quoted === null || quoted[row] === 0) return isPlain(reader, row);
    if (escaped !== null && escaped[row] === 1) return false;
    const at = row * stride + offset;
    reader.start = ends[at]! + 2;
    reader.end = ends[at + 1]! - 1;
    return stored(bytes, reader.start, reader.end);
  };

  const find = quoted === null ? isPlain : isQuoted;
  const reader: SpanReader = { bytes, start: 0, end: 0, find: (row) => find(reader, row) };
  return reader;
}
