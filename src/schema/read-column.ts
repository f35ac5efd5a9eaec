/** A column and a codec → the stored value of a row. */
import type { ByteString, TextColumn, TypedColumn } from '../core/types.ts';
import type { Coded, TextCodec, TypedCodec } from './codecs/codec.ts';

/** The stored value of a row, null for a null. */
export type Read = (row: number) => Coded | null;

export function bindText(column: TextColumn, tokens: ReadonlySet<ByteString>, codec: TextCodec): Read {
  const { quoted } = column;
  return (row) => {
    const cell = column.cell(row);
    return tokens.has(cell) && (quoted === null || quoted[row] === 0) ? null : codec(cell);
  };
}

export function bindTyped(column: TypedColumn, codec: TypedCodec): Read {
  return (row) => {
    const value = column.at(row);
    return value === null ? null : codec(value);
  };
}
