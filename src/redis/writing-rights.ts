/** Whether a user may run what writing needs, and the server has it; asked in a form that changes nothing. */
import { FeaturectlError } from '../core/errors.ts';
import { messageOf, NoAnswer } from './ask.ts';
import { isCommandDenied, isDenied, isUnknown } from './server-errors.ts';

/** One command of a server and its reply. Throws as `ask` does. */
export type Asker = (name: string, ...args: (string | number | Buffer)[]) => Promise<unknown>;

/** Throws REDIS_AUTH where this user may not, REDIS_SERVER where the server has no such command. The key is the first argument. */
export async function mustBePermitted(
  server: Asker,
  name: string,
  ...args: readonly (string | Buffer)[]
): Promise<void> {
  const text = await complaint(server, name, ...args);
  if (isUnknown(text)) throw notThere(name, text);
  if (!isDenied(text)) return;
  if (!isCommandDenied(text)) throw keyDenied(String(args[0]), text);
  throw new FeaturectlError(
    'REDIS_AUTH',
    `expected a user that may run ${name}, found: ${text}. Grant what the modes need: ` +
      'ACL SETUSER NAME +hset +hget +hdel +del +pexpireat +time +evalsha +script|load ' +
      '(--write pipeline: +expire +pexpire instead of the last four; ' +
      'on a Cluster also +cluster|slots +asking)',
  );
}

/** Renamed, or left out. Each row would fail by it, some of them with their fields written and no TTL. */
function notThere(name: string, text: string): FeaturectlError {
  const found = text.replace(/, with args beginning with:.*/s, '');
  return new FeaturectlError(
    'REDIS_SERVER',
    `expected a server that knows ${name}, found: ${found}. Take rename-command for it out of the server's configuration`,
  );
}

/** A key of this template may not be written, so that no row could be. */
function keyDenied(key: string, text: string): FeaturectlError {
  return new FeaturectlError(
    'REDIS_AUTH',
    `expected a user that may write keys such as ${key}, found: ${text}. ` +
      'Grant them: ACL SETUSER NAME ~prefix:*, or write other keys',
  );
}

/** The error that the server answers, '' for none. What else is wrong now (OOM, READONLY) may pass. */
async function complaint(
  server: Asker,
  name: string,
  ...args: readonly (string | Buffer)[]
): Promise<string> {
  try {
    await server(name, ...args);
    return '';
  } catch (error) {
    if (error instanceof NoAnswer) throw error;
    return messageOf(error);
  }
}

/** EXEC and DISCARD are errors outside of a transaction, so nothing happens by asking. */
export async function mayTransact(server: Asker): Promise<boolean> {
  for (const name of ['EXEC', 'DISCARD']) if (isMissing(await complaint(server, name))) return false;
  if (isMissing(await complaint(server, 'MULTI'))) return false;
  await server('DISCARD');
  return true;
}

function isMissing(text: string): boolean {
  return isDenied(text) || isUnknown(text);
}
