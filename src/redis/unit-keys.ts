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

/** A unit holds rows of one slot. */
export function unitSlot(chunk: Chunk, unit: number): number {
  return slotOf(unitKeys(chunk, unit)[0] ?? '');
}

/** The first words of the command at `at`; `end` is where the reading stopped. */
function readWords(buffer: Buffer, at: number, most: number): { words: ByteString[]; end: number } {
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
