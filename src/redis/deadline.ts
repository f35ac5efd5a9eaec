/**
 * A TTL as a moment of the server's clock, in a unit that is sent as RESTORE … ABSTTL. The deadlines of a chunk count
 * from when it was begun, and are moved where it is sent much later or again: a row lives for its TTL, however long
 * it waited. Where the clock is not known by then, they become spans.
 */
import { type Chunk, endOfUnit } from './chunk.ts';
import { bulk } from './resp.ts';
import type { ServerClock } from './server-clock.ts';
import { bytesOf, type Words } from './words.ts';

/** The flag of a unit that has a deadline. */
export const DATED = 2;

/** Digits of Unix time in milliseconds (server-clock.ts). */
const DIGITS = 13;

/** Below it a moment more or less would count: what a row waits for its turn at the server is not given back. */
const SHORTEST_MS = 3_600_000;

/** So late a chunk is sent with the deadlines that it has. */
const LATE_MS = 1000;

export function fitsDeadline(ttlMs: number): boolean {
  return ttlMs >= SHORTEST_MS;
}

/** What stands before the key and behind the payload; the heads of both forms have the same length. */
export interface Form {
  readonly head: Words;
  readonly tail: Words;
}

export interface Forms {
  readonly dated: Form;
  readonly plain: Form;
}

/** Before a chunk is sent. */
export function keepDeadlines(chunk: Chunk, forms: Forms, clock: ServerClock): void {
  if (chunk.datedAt === 0) return;
  if (!clock.isSure()) return dropDeadlines(chunk, forms);
  const late = clock.now() - chunk.datedAt;
  if (Math.abs(late) <= LATE_MS) return;
  for (let unit = chunk.unit; unit < chunk.units; unit += 1) moveDeadline(chunk, unit, forms, late);
  chunk.datedAt += late;
}

function moveDeadline(chunk: Chunk, unit: number, { dated }: Forms, ms: number): void {
  if ((chunk.unitFlags[unit]! & DATED) === 0) return;
  const { buffer } = chunk;
  const at = digitsAt(buffer, chunk.unitStart[unit]! + dated.head.length);
  buffer.latin1Write(String(Number(buffer.latin1Slice(at, at + DIGITS)) + ms), at);
}

/** All units that are left say in how long they expire: nobody knows what time it is for the server. */
function dropDeadlines(chunk: Chunk, forms: Forms): void {
  let to = chunk.unitStart[chunk.unit]!;
  for (let unit = chunk.unit; unit < chunk.units; unit += 1) {
    const start = chunk.unitStart[unit]!;
    const end = endOfUnit(chunk, unit);
    chunk.unitStart[unit] = to;
    to =
      (chunk.unitFlags[unit]! & DATED) === 0
        ? moved(chunk, start, end, to)
        : undated(chunk, start, end, to, forms);
    chunk.unitFlags[unit]! &= ~DATED;
  }
  chunk.length = to;
  chunk.datedAt = 0;
}

/** Copies buffer[start .. end) to `to`, which is not behind it, and gives the position after it. */
function moved({ buffer }: Chunk, start: number, end: number, to: number): number {
  buffer.copyWithin(to, start, end);
  return to + end - start;
}

/** As `moved`, with the span in place of the moment. */
function undated(chunk: Chunk, start: number, end: number, to: number, { dated, plain }: Forms): number {
  const { buffer, datedAt } = chunk;
  const key = start + dated.head.length;
  const digits = digitsAt(buffer, key);
  const span = bulk(String(Number(buffer.latin1Slice(digits, digits + DIGITS)) - datedAt));
  const time = digits - `$${DIGITS}\r\n`.length;
  buffer.set(bytesOf(plain.head), to);
  let pos = moved(chunk, key, time, to + plain.head.length);
  pos += buffer.latin1Write(span, pos);
  // The line end behind the payload begins the tail of both forms.
  pos = moved(chunk, digits + DIGITS + 2, end - dated.tail.length, pos);
  buffer.set(bytesOf(plain.tail), pos);
  return pos + plain.tail.length;
}

/** Where the digits are, behind a key that begins with its length at `key`. */
function digitsAt(buffer: Buffer, key: number): number {
  const line = buffer.indexOf('\r\n', key);
  const keyLength = Number(buffer.latin1Slice(key + 1, line));
  return buffer.indexOf('\r\n', line + 2 + keyLength + 2) + 2;
}
