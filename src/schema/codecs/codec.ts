/** What a codec is: one pure function a type and kind of column, from a cell or value to what Redis stores. */
import type { RowCode } from '../../core/errors.ts';
import type { ByteString, LogicalType, Value } from '../../core/types.ts';
import type { PutNumber } from './put.ts';

/** Why a value cannot be stored; the encoder adds the column. */
export interface ValueFault {
  readonly code: RowCode;
  readonly reason: string;
}

export type Coded = ByteString | ValueFault;

/** Takes a CSV cell that is not null. */
export type TextCodec = (cell: ByteString) => Coded;

/** Takes a typed value that is not null. */
export type TypedCodec = (value: Value) => Coded;

/** Whether bytes[start .. end), a cell that is not null, are already what `text` would store; false: not sure. */
export type StoredForm = (bytes: Uint8Array, start: number, end: number) => boolean;

/**
 * Writes what `text` stores of bytes[start .. end), a cell that is not null, at `at` and gives the position after it;
 * -1: not sure. There is room for PUT_BYTES.
 */
export type Rewrite = (
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
) => number;

export interface Codec {
  readonly text: TextCodec;
  /** Most cells are stored as they stand: they are copied without a string made of them. Null: ask `text`. */
  readonly stored: StoredForm | null;
  /** Of most of the others, without a string made of them. Absent or null: ask `text`. */
  readonly rewrite?: Rewrite | null;
  /** The codec of such a column, or, in words, what to do since none of its values can be stored. */
  typed(type: LogicalType): TypedCodec | string;
  /** As `typed`, of most numbers of such a column, without a string made of them. Absent or null: ask `typed`. */
  put?(type: LogicalType): PutNumber | null;
  /** Lists of finite floats that are stored one behind the other, each as it stands in memory. Absent: none are. */
  readonly packed?: PackedFloats | null;
}

export interface PackedFloats {
  readonly bits: 32 | 64;
  /** Floats a list. */
  readonly length: number;
}

export function isFault(coded: Coded): coded is ValueFault {
  return typeof coded !== 'string';
}

/** `found` is shown as readable text, cut to 40 characters. */
export function fault(code: RowCode, expected: string, found: ByteString): ValueFault {
  return { code, reason: `expected ${expected}, found ${show(found)}` };
}

/** As `fault`, of a cell that should have been a number, with what to do where that is known. */
export function numberFault(code: RowCode, expected: string, cell: ByteString): ValueFault {
  const { reason } = fault(code, expected, cell);
  return { code, reason: `${reason}${numberAdvice(code, cell)}` };
}

function numberAdvice(code: RowCode, cell: ByteString): string {
  if (cell.length > SHOWN) return '';
  if (/^[+-]?\d{1,3}(?:,\d{3})+$/.test(cell)) return '; write it without a comma, or with a decimal point';
  if (/^[+-]?(?:\d+|\d{1,3}(?:[. ]\d{3})+),\d+$/.test(cell)) return '; write a decimal point, not a comma';
  if (/^[+-]?\d{1,3}(?:,\d{3})+\.\d*$/.test(cell)) return '; write it without commas';
  if (/^(?:[$€£¥] ?[+-]?[\d.,]+|[+-]?[\d.,]+ ?[$€£¥%])$/.test(fromBytes(cell)))
    return '; write the number alone';
  if (code !== 'INT') return '';
  if (/^[+-]?\d+(?:\.\d*)?[eE]\+?\d+$/.test(cell)) return '; take float64 in the schema, or write all digits';
  if (/^[+-]?\d+\.0*$/.test(cell)) {
    return '; take float64 in the schema, or write integers (pandas: astype("Int64"))';
  }
  return /^[+-]?\d*\.\d+$/.test(cell) ? '; take float64 in the schema' : '';
}

/** `11/28/2026`, `28.11.26`, with or without a time of day: its month cannot be told from its day. */
export function isYearLast(cell: ByteString): boolean {
  return /^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?:[ ,T]|$)/.test(cell);
}

const SHOWN = 40;

/** Bytes as a person reads them: UTF-8 decoded, control characters escaped, quoted. */
export function show(bytes: ByteString): string {
  const text = fromBytes(bytes.length > SHOWN * 4 ? bytes.slice(0, SHOWN * 4) : bytes);
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}

const IS_ASCII = /^[\0-\x7f]*$/;

/** UTF-16 text → its UTF-8 bytes. */
export function toBytes(text: string): ByteString {
  return IS_ASCII.test(text) ? text : Buffer.from(text, 'utf8').latin1Slice();
}

/** UTF-8 bytes → text; bytes that are no UTF-8 become U+FFFD, so for showing only. */
export function fromBytes(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** A codec for a utf8 column read like CSV text, other kinds as given. */
export function typedBy(
  text: TextCodec,
  kinds: (type: LogicalType) => TypedCodec | string | null,
): Codec['typed'] {
  return (type) => {
    if (type.kind === 'utf8') return (value) => text(value as ByteString);
    // Every value of such a column is null, and nulls never reach a codec.
    if (type.kind === 'null') return () => '';
    return kinds(type) ?? 'map another column, or cast it when the file is written';
  };
}
