import type { ByteString, Value } from '../../core/types.ts';
import { type Codec, type Coded, fault, toBytes, typedBy, type ValueFault } from './codec.ts';
import { putAscii } from './put.ts';

export interface BoolOptions {
  /** Words in place of true/1 and false/0; compared to the letter. Null: the usual ones in any case. */
  readonly trueWords: readonly string[] | null;
  readonly falseWords: readonly string[] | null;
  /** Stored as 1 and 0, or as true and false. */
  readonly store: 'digits' | 'words';
}

export function boolCodec(options: BoolOptions): Codec {
  const [yes, no] = options.store === 'words' ? ['true', 'false'] : ['1', '0'];
  const words = new Map<ByteString, ByteString>();
  for (const word of options.trueWords ?? ['true', '1']) words.set(toBytes(word), yes);
  for (const word of options.falseWords ?? ['false', '0']) words.set(toBytes(word), no);
  const anyCase = options.trueWords === null && options.falseWords === null;
  const advice = anyCase ? '; other words: true: […], false: […] of the feature' : '';
  const expected = `one of ${[...words.keys()].join(', ')}`;
  const text = (cell: ByteString): Coded =>
    words.get(cell) ??
    (anyCase ? words.get(cell.toLowerCase()) : undefined) ??
    wordFault(expected, cell, advice);
  const number = (value: Value): Coded => {
    if (value === 1 || value === 1n) return yes;
    return value === 0 || value === 0n ? no : fault('BOOL', '0 or 1', String(value));
  };
  const isKept = (digit: ByteString): boolean => words.get(digit) === digit;
  const keepsDigits = isKept('0') && isKept('1');
  return {
    text,
    stored: keepsDigits
      ? (bytes, start, end) => end - start === 1 && (bytes[start] === 48 || bytes[start] === 49)
      : null,
    rewrite: anyCase
      ? (bytes, start, end, target, at) => putWord(bytes, start, end, target, at, yes, no)
      : null,
    typed: typedBy(text, (type) => {
      if (type.kind === 'bool') return (value) => (value ? yes : no);
      return type.kind === 'int' ? number : null;
    }),
    put: (type) => {
      if (type.kind !== 'bool') return null;
      return (target, at, value) => putAscii(target, at, value === 0 ? no : yes);
    },
  };
}

function wordFault(expected: string, cell: ByteString, advice: string): ValueFault {
  const { code, reason } = fault('BOOL', expected, cell);
  return { code, reason: `${reason}${advice}` };
}

/** Of true and false in any case; -1 of others. */
function putWord(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
  yes: string,
  no: string,
): number {
  const word = end - start === 4 ? 'true' : 'false';
  if (end - start !== word.length) return -1;
  // 32 is what makes a capital letter a small one.
  for (let i = 0; i < word.length; i += 1) if ((bytes[start + i]! | 32) !== word.charCodeAt(i)) return -1;
  return putAscii(target, at, word === 'true' ? yes : no);
}
