/** Bearer tokens of a file, one a line; the file is read again when it changes. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Tell } from '../core/tell.ts';
import { whyUnread } from '../core/unread.ts';

export interface TokenCheck {
  /** `header`: the Authorization header. Takes the same time for every token of one length. */
  allows(header: string | undefined): boolean;
  close(): void;
}

const CHECK_MS = 500;

/** Throws an ordinary error where the file cannot be read or holds no token; later such trouble keeps the old ones. */
export async function watchTokens(path: string, tell: Tell): Promise<TokenCheck> {
  let tokens = await readTokens(path);
  let stamp = await stampOf(path);
  let isReading = false;
  const renew = async (): Promise<void> => {
    const now = await stampOf(path);
    if (now === stamp) return;
    stamp = now;
    tokens = await readTokens(path);
    tell('the token file was read again', 'info');
  };
  const timer = setInterval(() => {
    if (isReading) return;
    isReading = true;
    renew()
      .catch((error: Error) =>
        tell(`the token file cannot be used, the earlier tokens hold: ${whyUnread(error)}`),
      )
      .finally(() => {
        isReading = false;
      });
  }, CHECK_MS);
  timer.unref();
  return {
    allows: (header) => {
      const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
      if (given === undefined) return false;
      const hash = digest(given);
      // All are compared, whichever matches.
      return tokens.reduce((isAllowed, token) => timingSafeEqual(token, hash) || isAllowed, false);
    },
    close: () => clearInterval(timer),
  };
}

async function readTokens(path: string): Promise<readonly Buffer[]> {
  const lines = (await readFile(path, 'utf8')).split(/\r?\n/).map((line) => line.trim());
  const tokens = lines.filter((line) => line !== '');
  if (tokens.length === 0) throw new Error('expected a token on a line, found none');
  if (tokens.some((token) => /\s/.test(token)))
    throw new Error('expected tokens without white space in them');
  return tokens.map(digest);
}

/** What changes with the file, also where a link is turned to another. */
async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(path);
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

/** Of one length, as the comparison needs. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
