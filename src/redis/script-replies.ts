/** Replies of the write script (its form is told in scripts.ts) → what became of each row. */
import type { RowCode } from '../core/errors.ts';
import type { RowFault } from '../core/types.ts';
import { type Chunk, rowsOfUnit } from './chunk.ts';
import type { Outcomes, Reply, ReplyReader } from './framer.ts';
import { judge, rowCode } from './server-errors.ts';

export function createScriptReplies(): ReplyReader {
  return {
    take: (reply, chunk, outcomes) => {
      if (typeof reply === 'number') readCount(reply, chunk, outcomes);
      else if (reply instanceof Error) refuse(reply.message, outcomes);
      else readLetters(String(reply), chunk, outcomes);
      return true;
    },
    reset: () => {},
  };
}

function readCount(count: number, chunk: Chunk, outcomes: Outcomes): void {
  const missing = missingRows(chunk);
  if (count === missing) outcomes.written(count);
  else outcomes.trouble(`the script answered for ${count} of ${missing} rows`);
}

/** Rows of the chunk's current unit that are not settled. */
function missingRows(chunk: Chunk): number {
  return rowsOfUnit(chunk, chunk.unit) - (chunk.told - (chunk.unitRow[chunk.unit] as number));
}

function refuse(text: string, outcomes: Outcomes): void {
  if (judge(text) === 'row') outcomes.refused(text);
  else outcomes.trouble(text);
}

/** Letters up to the first line end, then the texts of E and X in order. */
function readLetters(reply: string, chunk: Chunk, outcomes: Outcomes): void {
  const [letters = '', ...texts] = reply.split('\n');
  const missing = missingRows(chunk);
  for (const letter of letters) {
    if (letter === 'W') outcomes.written(1);
    else if (letter === 'U') outcomes.skipped('unchanged');
    else if (letter === 'S') outcomes.skipped('stale');
    else if (letter !== 'E' && letter !== 'X') throw unlike('the script', 'a letter a row', reply);
    else {
      const text = texts.shift() ?? '';
      if (judge(text) !== 'row') return outcomes.trouble(text);
      outcomes.failed(letter === 'X' ? untimed(text) : rowFault(text));
    }
  }
  if (letters.length < missing)
    outcomes.trouble(`the script answered for ${letters.length} of ${missing} rows`);
}

/** An answer of another command: rows must not be counted by it. Ends the lane as INTERNAL. */
export function unlike(what: string, expected: string, reply: Reply): Error {
  return new Error(`${what}: expected ${expected} as its reply, found ${String(reply).slice(0, 60)}`);
}

/** What to do about a refusal, by its code. */
const REMEDIES: Partial<Record<RowCode, string>> = {
  WRONGTYPE:
    'expected a hash or no key; the key was left alone: delete it, choose another key, or use --mode replace',
  NOPERM: 'let this user write such keys (ACL SETUSER NAME ~pattern), or choose another key',
};

export function rowFault(text: string): RowFault {
  const code = rowCode(text);
  const remedy = REMEDIES[code];
  return { code, column: null, reason: remedy === undefined ? text : `${text}; ${remedy}` };
}

export function untimed(text: string): RowFault {
  return {
    code: 'EXPIRE_FAILED',
    column: null,
    reason: `the hash was written, its TTL was not set: ${text}`,
  };
}

export function isError(reply: Reply): reply is Error {
  return reply instanceof Error;
}
