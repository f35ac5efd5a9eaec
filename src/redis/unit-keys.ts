/** What a unit's bytes say of it; read where a Cluster sends rows elsewhere, which is seldom. */
import type { ByteString } from '../core/types.ts';
import { type Chunk, endOfUnit } from './chunk.ts';
import { slotOf } from './slot.ts';

/** Where each command of the unit begins, and where the last one ends. */
export function commandStarts(chunk: Chunk, unit: number): number[] {
  const end = endOfUnit(chunk, unit);
  const starts = [chunk.unitStart[unit] as number];
  while ((starts[starts.length - 1] as number) < end) {
    starts.push(readWords(chunk.buffer, starts[starts.length - 1] as number, Infinity).end);
  }
  return starts;
}

/** The keys of a unit's rows: those of a script call, or the one key that its commands name. */
export function unitKeys(chunk: Chunk, unit: number): readonly ByteString[] {
  const { buffer } = chunk;
  let { words, end } = readWords(buffer, chunk.unitStart[unit] as number, 3);
  if (words[0] === 'MULTI') ({ words, end } = readWords(buffer, end, 3));
  if (words[0] !== 'EVALSHA') return [words[1] ?? ''];
  const count = Number(words[2]);
  return readWords(buffer, chunk.unitStart[unit] as number, 3 + count).words.slice(3);
}

/** Numbers that `keyMark` gives. */
export const KEY_MARKS = 4096;

/** The same number for units of the same key, without reading words; -1 where a unit does not begin with its key. */
export function keyMark(chunk: Chunk, unit: number): number {
  const { buffer } = chunk;
  const command = endOfLine(buffer, chunk.unitStart[unit]!);
  const name = endOfLine(buffer, command);
  const isOther = buffer[name] === E || buffer[name] === M;
  if (isOther) return -1;
  const head = name + lengthAt(buffer, command) + 2;
  const key = endOfLine(buffer, head);
  const length = lengthAt(buffer, head);
  let mark = length;
  for (let i = key + Math.max(0, length - 8); i < key + length; i++) mark = (mark * 31 + buffer[i]!) | 0;
  return (mark ^ (mark >>> 12)) & (KEY_MARKS - 1);
}

/** EVALSHA, MULTI. */
const E = 69;
const M = 77;

function endOfLine(buffer: Buffer, at: number): number {
  let pos = at;
  while (buffer[pos] !== 10) pos++;
  return pos + 1;
}

/** The digits after `$`. */
function lengthAt(buffer: Buffer, at: number): number {
  let length = 0;
  for (let pos = at + 1; buffer[pos] !== 13; pos++) length = length * 10 + buffer[pos]! - 48;
  return length;
}

/** A unit holds rows of one slot. */
export function unitSlot(chunk: Chunk, unit: number): number {
  return slotOf(unitKeys(chunk, unit)[0] ?? '');
}

/** The first words of the command at `at`; `end` is where the reading stopped. */
export function readWords(buffer: Buffer, at: number, most: number): { words: ByteString[]; end: number } {
  const words: ByteString[] = [];
  let pos = buffer.indexOf('\r\n', at);
  const count = Math.min(most, Number(buffer.latin1Slice(at + 1, pos)));
  pos += 2;
  while (words.length < count) {
    const head = buffer.indexOf('\r\n', pos);
    const length = Number(buffer.latin1Slice(pos + 1, head));
    words.push(buffer.latin1Slice(head + 2, head + 2 + length));
    pos = head + 2 + length + 2;
  }
  return { words, end: pos };
}
