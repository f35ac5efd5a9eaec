/** Single questions to a server (probe, script load, info), bounded in time. */
import type { Redis } from 'ioredis';

/** The connection went away, or no answer came in time, before the reply to a question. */
export class NoAnswer extends Error {}

/**
 * One command and its reply, strings as UTF-8. Throws the server's error reply, or NoAnswer after
 * `timeoutMs` or when the connection closes: ioredis drops such commands without a word.
 */
export async function ask(
  client: Redis,
  timeoutMs: number,
  name: string,
  ...args: (string | number | Buffer)[]
): Promise<unknown> {
  // Of the time for several questions those before it may have taken all.
  const withinMs = Math.max(1, timeoutMs);
  let timer: NodeJS.Timeout | undefined;
  let onClose: (() => void) | undefined;
  const lost = new Promise<never>((_, reject) => {
    onClose = () => reject(new NoAnswer('the connection was closed before the server answered'));
    timer = setTimeout(() => reject(new NoAnswer(`no answer to ${name} in ${withinMs} ms`)), withinMs);
    client.once('close', onClose);
  });
  try {
    return await Promise.race([client.call(name, args), lost]);
  } finally {
    clearTimeout(timer);
    if (onClose) client.off('close', onClose);
  }
}

/** Questions that were sent at once, since none waits for another's answer. Throws what the first in this list throws. */
export async function together<T extends readonly unknown[]>(
  ...answers: { readonly [K in keyof T]: Promise<T[K]> }
): Promise<T> {
  await Promise.allSettled(answers);
  const all: unknown[] = [];
  for (const answer of answers) all.push(await answer);
  // One for each, in the same order.
  return all as unknown as T;
}

/** The work, or a rejection with NoAnswer after `ms`; what the work still brings then is ignored. */
export async function inTime<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`no answer to ${what} in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when the work has, or after `ms`; leaves no timer behind. Never rejects. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => {}), limit]);
  clearTimeout(timer);
}

/** Milliseconds to wait before try number `attempt` (from 1): doubling from 50 to 2000, half of it random. */
export function backoff(attempt: number): number {
  const full = Math.min(50 * 2 ** Math.min(attempt - 1, 10), 2000);
  return full / 2 + (Math.random() * full) / 2;
}

/** Without a full stop at its end: a message of ours goes on behind it. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}
