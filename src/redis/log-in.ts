/**
 * AUTH and SELECT of a new connection. ioredis would do both, but what it thinks of the answers it writes to the
 * console itself, past --quiet and --log json.
 */
import type { Redis } from 'ioredis';
import type { RedisAddress } from './address.ts';
import { ask, messageOf } from './ask.ts';

/** Null, or what is odd about the password although the connection stands. Throws the server's error, NoAnswer. */
export async function logIn(
  client: Redis,
  { username, password, db, shown }: RedisAddress,
  withinMs: number,
): Promise<string | null> {
  let warning: string | null = null;
  if (username !== null || password !== null) {
    const user = username === null ? [] : [username];
    try {
      await ask(client, withinMs, 'AUTH', ...user, password ?? '');
    } catch (error) {
      warning = oddPassword(messageOf(error), shown);
      if (warning === null) throw error;
    }
  }
  if (db !== 0) await ask(client, withinMs, 'SELECT', db);
  return warning;
}

/** A server that needs the password after all answers NOAUTH to what comes next. */
function oddPassword(text: string, shown: string): string | null {
  if (/no password is set|without any password configured/i.test(text)) {
    return `Redis at ${shown} asks for no password, and one was given: leave it out, or set one in Redis`;
  }
  if (/wrong number of arguments for 'auth'/i.test(text)) {
    return `Redis at ${shown} knows no users, and one was given: give the password alone, redis://:password@host`;
  }
  return null;
}
