/** Whether this user may run what a server reads with, asked before anybody waits for an answer. Reads nothing. */
import type { Redis } from 'ioredis';
import { FeaturectlError } from '../core/errors.ts';
import { ask, messageOf, NoAnswer } from './ask.ts';
import { isCommandDenied } from './server-errors.ts';

/** A whole entity is HGETALL, some of its features are EXISTS and HMGET. */
const QUESTIONS: readonly (readonly [string, ...string[]])[] = [
  ['HGETALL', ''],
  ['HMGET', '', ''],
  ['EXISTS', ''],
];

/** Throws REDIS_AUTH that names the commands which are denied, NoAnswer. Redis looks at the command before the key. */
export async function assertMayRead(client: Redis, withinMs: number): Promise<void> {
  const denied = await Promise.all(
    QUESTIONS.map(async ([name, ...args]) => {
      try {
        await ask(client, withinMs, name, ...args);
        return [];
      } catch (error) {
        if (error instanceof NoAnswer) throw error;
        return isCommandDenied(messageOf(error)) ? [name] : [];
      }
    }),
  );
  if (denied.flat().length > 0) throw mayNotRead(denied.flat());
}

export function mayNotRead(commands: readonly string[]): FeaturectlError {
  const grants = commands.map((name) => `+${name.toLowerCase()}`).join(' ');
  const text = `${MAY_RUN} ${commands.join(' and ')}, found one that may not; grant it: ACL SETUSER NAME ${grants}`;
  return new FeaturectlError('REDIS_AUTH', text);
}

const MAY_RUN = 'expected a user of Redis that may run';

/** Of "… has no permissions to run the 'hmget' command". */
export function deniedCommand(text: string): string {
  return (/run the '([^' ]+)/.exec(text)?.[1] ?? 'HGETALL').toUpperCase().replace('|', ' ');
}

/** What callers are told, without addresses and users; null where Redis refused nothing. */
export function refusalOf(error: unknown): string | null {
  if (!(error instanceof FeaturectlError) || error.code !== 'REDIS_AUTH') return null;
  return error.message.startsWith(MAY_RUN)
    ? error.message
    : 'Redis refuses the user of this server or a command that it needs; the log of the server says which';
}
