/** What an error reply of Redis means for the rows that were sent. */
import { FeaturectlError, type RowCode } from '../core/errors.ts';

/**
 * retry: the same bytes may be taken later · reconnect: as retry, on a new connection (the master may be
 * another server by now) · reload: the script is gone from the server · redirect: another node of a Cluster
 * has the key · exists: the row goes in another form · fatal: no row can be written · row: this row only.
 */
export type Verdict = 'retry' | 'reconnect' | 'reload' | 'redirect' | 'exists' | 'fatal' | 'row';

const VERDICTS: Readonly<Record<string, Verdict>> = {
  LOADING: 'retry',
  CLUSTERDOWN: 'retry',
  TRYAGAIN: 'retry',
  MASTERDOWN: 'retry',
  MISCONF: 'retry',
  NOREPLICAS: 'retry',
  OOM: 'retry',
  BUSY: 'retry',
  READONLY: 'reconnect',
  UNBLOCKED: 'reconnect',
  NOSCRIPT: 'reload',
  MOVED: 'redirect',
  ASK: 'redirect',
  BUSYKEY: 'exists',
  NOAUTH: 'fatal',
  WRONGPASS: 'fatal',
};

/** The words after which a script stops, because the rows that follow would fail in the same way. */
export const STOP_WORDS: readonly string[] = Object.keys(VERDICTS).filter((word) => word !== 'BUSYKEY');

export function judge(reply: string): Verdict {
  // What EXEC itself is refused for: "EXECABORT Transaction discarded because of: OOM command not allowed ...".
  const text = reply.replace(/^EXECABORT Transaction discarded because of: /, '');
  const verdict = VERDICTS[firstWord(text)];
  if (verdict) return verdict;
  if (/max number of clients/i.test(text)) return 'reconnect';
  // Mode replace deleted a key whose slot is on its way: sent again it is new, and goes to the other node.
  if (/attempted to access a non local key/i.test(text)) return 'retry';
  return isCommandDenied(text) ? 'fatal' : 'row';
}

/**
 * An ACL denial of a command, not of a key. Redis 6 and 7 word it "NOPERM this user has no permissions to
 * run the 'hset' command"; inside a script 7 says "ERR ACL failure in script: ... can't run this command".
 */
export function isCommandDenied(text: string): boolean {
  return isDenied(text) && /no permissions to run\b|can't run this command/i.test(text);
}

export function isDenied(text: string): boolean {
  return /^-?NOPERM\b/.test(text) || /ACL failure in script|user executing the script/i.test(text);
}

/** The server has no such command, or has it under another name. */
export function isUnknown(text: string): boolean {
  return /^-?ERR unknown (?:sub)?command\b/i.test(text);
}

/** The code of a row that Redis refused with this text. */
export function rowCode(text: string): RowCode {
  if (firstWord(text) === 'WRONGTYPE') return 'WRONGTYPE';
  if (firstWord(text) === 'OOM') return 'OOM';
  return isDenied(text) ? 'NOPERM' : 'REDIS';
}

/** What is wrong with this key alone; null where the error is not of the key. A user may read some keys and not others. */
export function refusedKey(text: string): 'type' | 'rights' | null {
  if (firstWord(text) === 'WRONGTYPE') return 'type';
  return /^NOPERM\b.* to access .*\bkeys?\b/i.test(text) ? 'rights' : null;
}

export function noAnswerText(shown: string, why: string): string {
  return `expected an answer of Redis at ${shown}: ${why}`;
}

export function firstWord(text: string): string {
  return /^-?([A-Z]+)\b/.exec(text)?.[1] ?? '';
}

/** Nothing was settled for so long that the run ends. */
export function lostError(retryForMs: number, lastTrouble: string): FeaturectlError {
  const seconds = Math.round(retryForMs / 100) / 10;
  return new FeaturectlError(
    'REDIS_LOST',
    `Redis took no row for ${seconds}s (--retry-for); the last trouble: ${lastTrouble.replace(/\.$/, '')}. ` +
      'What is counted as written is in Redis; run the same command again when it is well',
  );
}

/** A redirection from a server that was taken for a single one. */
export function strayError(text: string): FeaturectlError {
  return new FeaturectlError(
    'REDIS_SERVER',
    `expected a single server, found a node of a Redis Cluster (${text}); add --cluster`,
  );
}

/** A command that every row needs is not permitted. */
export function refusedError(text: string): FeaturectlError {
  return new FeaturectlError(
    'REDIS_AUTH',
    `Redis refused the command: ${text}. Grant it to this user, for example with ` +
      'ACL SETUSER NAME +@hash +pexpireat +time +evalsha +script|load +restore',
  );
}
