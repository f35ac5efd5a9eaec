/**
 * A connection that was given up may still have bytes on their way to the server: held by the network, by a
 * proxy, or unread while the server was blocked. Executed later than what a new connection sends, they would
 * put an old row over a newer one of the same key. So before a lane sends on a new connection it has the
 * server close the old one (CLIENT KILL), after which nothing of it is executed. Where the user may not run
 * CLIENT INFO and CLIENT KILL, or the server is older than Redis 6.2, this is left out.
 */
import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { ask, messageOf } from './ask.ts';
import { isDenied } from './server-errors.ts';

interface Session {
  /** The server's address as this side sees it. */
  readonly server: string;
  /** Ids grow, and are never used again until the server restarts. */
  readonly id: number;
  /** The client's address as the server sees it. */
  readonly addr: string;
}

const sessions = new WeakMap<Redis, Session>();

/** Remembers who this connection is to the server. Throws NoAnswer, and errors that may pass. */
export async function introduce(client: Redis, withinMs: number): Promise<void> {
  const info = await permitted(ask(client, withinMs, 'CLIENT', 'INFO'));
  const match = /\bid=(\d+) addr=(\S+)/.exec(String(info));
  if (match) sessions.set(client, { server: serverOf(client), id: Number(match[1]), addr: match[2] ?? '' });
}

/** Ids of different servers say nothing of each other. Empty for a unix socket. */
function serverOf(client: Redis): string {
  const { remoteAddress, remotePort } = client.stream as Partial<Socket>;
  return remoteAddress === undefined ? '' : `${remoteAddress} ${remotePort}`;
}

/** Introduces `client`; when it returns, the server executes nothing more of `old`. Throws as introduce does. */
export async function takeOver(client: Redis, old: readonly Redis[], withinMs: number): Promise<void> {
  await introduce(client, withinMs);
  const own = sessions.get(client);
  for (const each of old) {
    const session = sessions.get(each);
    if (!own || !session || own.server !== session.server) continue;
    // A smaller id than the old one's: the server was restarted, and the old one is gone.
    if (own.id <= session.id) continue;
    const filter = ['ID', session.id, 'ADDR', session.addr];
    await permitted(ask(client, withinMs, 'CLIENT', 'KILL', ...filter));
  }
}

/** Null where the server does not know the command or this user may not run it. */
async function permitted(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (isDenied(messageOf(error)) || /^ERR\b/.test(messageOf(error))) return null;
    throw error;
  }
}
