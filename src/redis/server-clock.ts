/**
 * What time it is for the server: asked once a connection (TIME), and carried on by our own clocks. A row that says
 * when it expires costs the server less than one that says in how long (docs/decisions.md).
 */
import type { Redis } from 'ioredis';
import { ask, messageOf } from './ask.ts';
import { isDenied, isUnknown } from './server-errors.ts';

/** An answer that took longer tells too little, in milliseconds. */
const ANSWER_MS = 1000;

/** How far apart what our two clocks say of the time since then may be: one was set, or the machine slept. */
const APART_MS = 1000;

export interface ServerClock {
  /** Asks the server. Throws NoAnswer, and errors that may pass. */
  read(client: Redis, withinMs: number): Promise<void>;
  /** The time is known; it may be so no more at any later moment. */
  isSure(): boolean;
  /** Unix time in milliseconds; where it is not sure, the best guess. */
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
      sure = server !== null && steady - asked <= ANSWER_MS;
      if (server !== null) at = { server, wall: Date.now(), steady };
    },
    isSure: () => {
      const apart = Date.now() - at.wall - (performance.now() - at.steady);
      if (Math.abs(apart) > APART_MS) sure = false;
      return sure;
    },
    now: () => at.server + Date.now() - at.wall,
  };
}

/** Null where the server does not know TIME or this user may not ask it. */
async function timeOf(client: Redis, withinMs: number): Promise<number | null> {
  try {
    const [seconds, micros] = (await ask(client, withinMs, 'TIME')) as readonly string[];
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  } catch (error) {
    if (isDenied(messageOf(error)) || isUnknown(messageOf(error))) return null;
    throw error;
  }
}
