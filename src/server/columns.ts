/** How the features of a view are written as JSON; compiled once for each view and way of showing. */
import { type JsonBytes, putBytes, putString, putText } from './json-bytes.ts';
import type { View, ViewFeature } from './view.ts';

export interface Showing {
  /** JSON types by the schema, or strings as stored. */
  readonly typed: boolean;
  /** Packed vectors; null: arrays where typed, else base64. */
  readonly vectors: 'array' | 'base64' | null;
}

export interface FeatureColumn {
  readonly name: string;
  /** The name as Redis has it. */
  readonly field: Buffer;
  /** `"name":` */
  readonly head: Buffer;
  readonly put: (out: JsonBytes, bytes: Buffer, start: number, end: number) => void;
}

export function compileColumns(view: View, showing: Showing): readonly FeatureColumn[] {
  return view.features.map((feature) => ({
    name: feature.name,
    field: Buffer.from(feature.field, 'latin1'),
    head: Buffer.from(`${JSON.stringify(feature.name)}:`),
    put: putOf(feature, showing),
  }));
}

function putOf({ form, typed }: ViewFeature, showing: Showing): FeatureColumn['put'] {
  const decoded: FeatureColumn['put'] = (out, bytes, start, end) =>
    putText(out, JSON.stringify(typed(bytes.latin1Slice(start, end))));
  if (form === 'packed' && (showing.vectors ?? (showing.typed ? 'array' : 'base64')) === 'array')
    return decoded;
  if (form === 'bytes' || form === 'packed') {
    return (out, bytes, start, end) => putText(out, `"${bytes.base64Slice(start, end)}"`);
  }
  if (!showing.typed) return putString;
  if (form !== 'number') return decoded;
  return (out, bytes, start, end) =>
    (isPlainNumber(bytes, start, end) ? putBytes : decoded)(out, bytes, start, end);
}

/** Digits that any double holds exactly. */
const SAFE_DIGITS = 15;

/** Whether the bytes are a JSON number without exponent that reads back the same everywhere. */
function isPlainNumber(bytes: Buffer, start: number, end: number): boolean {
  let at = bytes[start] === 45 ? start + 1 : start;
  if (end - at > SAFE_DIGITS || at >= end) return false;
  if (bytes[at] === 48 && at + 1 < end && bytes[at + 1] !== 46) return false;
  let digits = 0;
  let hasPoint = false;
  for (; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte >= 48 && byte <= 57) digits += 1;
    else if (byte === 46 && !hasPoint && digits > 0 && at + 1 < end) hasPoint = true;
    else return false;
  }
  return true;
}
