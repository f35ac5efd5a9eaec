/** Whether Redis holds just what a row says, byte by byte: so that `verify` makes strings of what differs only. */
import { type ExpectedRows, NONE, REMOVED } from './expectations.ts';
import type { VerdictOptions } from './verdicts.ts';

/**
 * `spans`: start and end in `reply` of `count` names and values in turn. `ttlMs` negative: none. False where anything
 * is other than expected, and for a hash that is not there.
 */
export type RowMatcher = (
  rows: ExpectedRows,
  row: number,
  ttlMs: number,
  reply: Buffer,
  spans: Int32Array,
  count: number,
) => boolean;

export function createRowMatcher({ fields, ignored, isReplace, hasTtl }: VerdictOptions): RowMatcher {
  const names = fields.map((field) => Buffer.from(field, 'latin1'));
  const indexes = new Map(fields.map((field, i) => [field, i]));
  /** Features by their place in the reply: hashes of one load have them in one order. */
  const guesses: number[] = [];
  const isIgnored = fields.map((_, i) => ignored.has(i));

  function featureAt(place: number, reply: Buffer, start: number, end: number): number {
    const guess = guesses[place] ?? -1;
    const name = names[guess];
    if (name !== undefined && isSame(name, 0, name.length, reply, start, end)) return guess;
    const found = indexes.get(reply.latin1Slice(start, end)) ?? -1;
    // Bounded by the schema: a hash of another program may have any number of fields.
    if (found >= 0 && place < 2 * names.length) guesses[place] = found;
    return found;
  }

  function sentValues(rows: ExpectedRows, row: number): number {
    let sent = 0;
    for (let i = 0; i < names.length; i += 1) if (!isIgnored[i] && rows.start(row, i) >= 0) sent += 1;
    return sent;
  }

  return (rows, row, ttlMs, reply, spans, count) => {
    if (count === 0 || (hasTtl && ttlMs < 0)) return false;
    let found = 0;
    for (let i = 0; i < count; i += 2) {
      const feature = featureAt(i / 2, reply, spans[2 * i]!, spans[2 * i + 1]!);
      if (feature < 0) {
        if (isReplace) return false;
        continue;
      }
      if (isIgnored[feature]) continue;
      const start = rows.start(row, feature);
      if (start === REMOVED || (start === NONE && isReplace)) return false;
      if (start === NONE) continue;
      const end = rows.end(row, feature);
      if (!isSame(rows.bytes, start, end, reply, spans[2 * i + 2]!, spans[2 * i + 3]!)) return false;
      found += 1;
    }
    return found === sentValues(rows, row);
  };
}

function isSame(a: Uint8Array, start: number, end: number, b: Uint8Array, from: number, to: number): boolean {
  if (end - start !== to - from) return false;
  for (let i = start, j = from; i < end; i += 1, j += 1) if (a[i] !== b[j]) return false;
  return true;
}
