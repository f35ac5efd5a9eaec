/**
 * A TTL as a moment of the server's clock, in a unit that is sent as RESTORE … ABSTTL. The deadlines of a chunk count
 * from when it was begun, and are moved where it is sent much later or again: a row lives for its TTL, however long
 * it waited.
 */
import type { Chunk } from './chunk.ts';
import type { ServerClock } from './server-clock.ts';

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

/** Before a chunk is sent. `headLength`: bytes of a unit before its key. */
export function keepDeadlines(chunk: Chunk, headLength: number, clock: ServerClock): void {
  const late = clock.now() - chunk.datedAt;
  if (chunk.datedAt === 0 || Math.abs(late) <= LATE_MS) return;
  for (let unit = chunk.unit; unit < chunk.units; unit += 1) moveDeadline(chunk, unit, headLength, late);
  chunk.datedAt += late;
}

function moveDeadline(chunk: Chunk, unit: number, headLength: number, ms: number): void {
  if ((chunk.unitFlags[unit]! & DATED) === 0) return;
  const { buffer } = chunk;
  const at = digitsAt(buffer, chunk.unitStart[unit]! + headLength);
  buffer.latin1Write(String(Number(buffer.latin1Slice(at, at + DIGITS)) + ms), at);
}

/** Where the digits are, behind a key that begins with its length at `key`. */
function digitsAt(buffer: Buffer, key: number): number {
  const line = buffer.indexOf('\r\n', key);
  const keyLength = Number(buffer.latin1Slice(key + 1, line));
  return buffer.indexOf('\r\n', line + 2 + keyLength + 2) + 2;
}
