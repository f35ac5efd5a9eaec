/**
 * What time it is for the server: asked once a connection (TIME), and carried on by our own clocks. A row that says
 * when it expires costs the server less than one that says in how long (docs/decisions.md). It is only relied on while
 * all clocks agree: what answers TIME need not be what keeps the rows, and a wrong moment would cost them.
 */
import type { Redis } from 'ioredis';
import { ask } from './ask.ts';

/** An answer that took longer tells too little, in milliseconds. */
const ANSWER_MS = 1000;

/** How far apart two clocks may be that agree: the server's and ours, or what our two say of the time since then. */
const APART_MS = 1000;

/** Moments in milliseconds have 13 digits between them, and so have deadlines ten years later. */
const EARLIEST = 1_000_000_000_000;
const LATEST = 9_000_000_000_000;

export interface ServerClock {
  /** Asks the server. Throws NoAnswer. */
  read(client: Redis, withinMs: number): Promise<void>;
  /** The time is known; it may be so no more at any later moment. */
  isSure(): boolean;
  /** Unix time in milliseconds, where it is sure. */
  now(): number;
}

interface Moment {
  readonly server: number;
  readonly wall: number;
  readonly steady: number;
}

export function createServerClock(): ServerClock {
  let sure = false;
  let at: Moment = { server: Date.now(), wall: Date.now(), steady: performance.now() };
  return {
    read: async (client, withinMs) => {
      const asked = performance.now();
      const server = await timeOf(client, withinMs);
      const steady = performance.now();
      const wall = Date.now();
      sure = server !== null && steady - asked <= ANSWER_MS && Math.abs(wall - server) <= APART_MS;
      if (server !== null) at = { server, wall, steady };
    },
    isSure: () => {
      const apart = Date.now() - at.wall - (performance.now() - at.steady);
      if (Math.abs(apart) > APART_MS) sure = false;
      return sure;
    },
    now: () => at.server + Date.now() - at.wall,
  };
}

/** Null where the server refuses, for whatever reason, or gives no time: rows can do without it. */
async function timeOf(client: Redis, withinMs: number): Promise<number | null> {
  try {
    return momentOf(await ask(client, withinMs, 'TIME'));
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return null;
    throw error;
  }
}

function momentOf(reply: unknown): number | null {
  if (!Array.isArray(reply)) return null;
  const ms = Number(reply[0]) * 1000 + Math.floor(Number(reply[1]) / 1000);
  return ms >= EARLIEST && ms <= LATEST ? ms : null;
}
