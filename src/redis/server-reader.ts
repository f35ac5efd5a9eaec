/** Entities of a single server, over one connection that is opened again for ever. */
import type { Redis } from 'ioredis';
import type { FeatureReader } from '../core/feature-reader.ts';
import type { Tell } from '../core/tell.ts';
import { messageOf, sleep } from './ask.ts';
import { cut } from './bulk-channel.ts';
import type { Opener } from './connect.ts';
import { createEntityLine, type EntityLine, type LineKeeper, newRead, type Read } from './entity-line.ts';
import { atMostEvery } from './persist.ts';
import { assertMayRead, deniedCommand, mayNotRead, refusalOf } from './reading-rights.ts';
import { firstWord, isCommandDenied, noAnswerText, refusedKey } from './server-errors.ts';

export interface ReaderOptions {
  /** Milliseconds in which a read is answered or fails. */
  readonly withinMs: number;
  /** Told, in words without keys and values, when Redis went away or came back, and what it refuses. */
  readonly tell: Tell;
}

/** Between questions that find a server which hangs, loads or lost its master while nobody reads. */
const HEARTBEAT_MS = 500;
/** Between tries to connect: recovery within two seconds of Redis' is what users count on. */
const MAX_PAUSE_MS = 200;
/** Between looks whether a right that is missing was granted. */
const DENIED_PAUSE_MS = 1000;
/** Of the first try to connect; each later one has twice as long, up to the second that a slow link may need. */
const FIRST_TRY_MS = 250;
const MAX_TRY_MS = 1000;

/** `client`: one that is ready and nobody else's from here on; without it reads are `away` until one is opened. */
export function createServerReader(
  opener: Opener,
  { withinMs, tell }: ReaderOptions,
  client: Redis | null = null,
): FeatureReader {
  const tellRefusal = atMostEvery(1000, tell);
  let line: EntityLine | null = null;
  /** Why reads are not answered now; null: they are. */
  let trouble: string | null = 'not connected yet';
  /** The right that this user lacks; null: none that is known. */
  let denial: string | null = null;
  let beatAt = 0;
  let isClosed = false;
  const watch = setInterval(beat, Math.max(10, Math.min(HEARTBEAT_MS, withinMs / 4)));

  const read: FeatureReader['read'] = (keys, fields, taker, withTtl = false) => {
    if (denial !== null) return taker.failed('denied', denial);
    if (line === null || trouble !== null)
      return taker.failed('away', noAnswerText(opener.shown, trouble ?? 'not connected'));
    if (!line.hasRoom(keys.length)) return taker.failed('busy', 'too much is being read at once');
    if (keys.length === 0) return taker.done();
    line.ask(newRead(keys, { fields, withTtl, asking: false }, taker, performance.now() + withinMs));
  };

  function fail(read: Read, text: string): void {
    const { taker } = read;
    read.taker = null;
    if (denial === null) taker?.failed('away', noAnswerText(opener.shown, text));
    else taker?.failed('denied', `Redis at ${opener.shown} refused to read: ${text}`);
  }

  const keeper: LineKeeper = {
    refused: (read, index, text) => {
      const why = refusedKey(text);
      if (why !== null) return read.taker?.refused(index, why, text);
      tellRefusal(`Redis at ${opener.shown}: ${text}`);
      if (isCommandDenied(text)) deny(text);
      fail(read, text);
    },
    late: (read) => fail(read, `no answer within ${withinMs} ms`),
    broken: (read, error) => {
      tellRefusal(`a bug in featurectl, an answer was dropped: ${messageOf(error)}`);
      fail(read, messageOf(error));
    },
    ponged: (error) => {
      // A user who may not PING is told so, which is an answer as well.
      const text = error === null || firstWord(error) === 'NOPERM' ? null : error;
      if (text === null && trouble !== null) tell(`Redis at ${opener.shown} answers`, 'info');
      if (text !== null && trouble === null) tell(`Redis at ${opener.shown}: ${text}`);
      trouble = text;
    },
    closed: (why, lost) => {
      line = null;
      trouble = why;
      for (const each of lost) fail(each, why);
      if (isClosed) return;
      tell(`Redis at ${opener.shown} went away: ${why}`);
      void reconnect();
    },
  };

  /** A right was taken away: this connection ends behind the replies that came with this one, the next finds it. */
  function deny(text: string): void {
    denial ??= refusalOf(mayNotRead([deniedCommand(text)]));
    const refused = line;
    setImmediate(() => refused?.close(text));
  }

  /** The heartbeat, and the deadline of what is on the way. */
  function beat(): void {
    const now = performance.now();
    if (now - beatAt >= HEARTBEAT_MS) {
      beatAt = now;
      line?.ping();
    }
    // What has come meanwhile is read before anything is called late: this process may have been the slow one.
    setImmediate(() => line?.look(now, withinMs));
  }

  async function reconnect(ready: Redis | null = null): Promise<void> {
    const tellFailure = atMostEvery(10_000, tell);
    let tryMs = FIRST_TRY_MS;
    for (let pause = 20; !isClosed; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      let isDenied = false;
      try {
        return begin(ready ?? (await openReader(tryMs)));
      } catch (error) {
        ready = null;
        denial = refusalOf(error);
        isDenied = denial !== null;
        const what = isDenied ? '' : ' cannot be reached';
        if (!isClosed) tellFailure(`Redis at ${opener.shown}${what}: ${messageOf(error)}`);
        tryMs = Math.min(tryMs * 2, Math.max(MAX_TRY_MS, withinMs));
      }
      await sleep(isDenied ? DENIED_PAUSE_MS : pause / 2 + (Math.random() * pause) / 2);
    }
  }

  async function openReader(tryMs: number): Promise<Redis> {
    const opened = await opener.open(tryMs);
    try {
      await assertMayRead(opened, tryMs);
      return opened;
    } catch (error) {
      cut(opened);
      throw error;
    }
  }

  function begin(opened: Redis): void {
    try {
      line = createEntityLine(opened, keeper);
    } catch (error) {
      cut(opened);
      throw error;
    }
    trouble = null;
    denial = null;
    beatAt = performance.now();
    tell(`connected to Redis at ${opener.shown}`, 'info');
  }

  void reconnect(client);

  return {
    read,
    isReady: () => trouble === null && denial === null,
    refusal: () => denial,
    close: async () => {
      isClosed = true;
      clearInterval(watch);
      line?.close('the reading ended');
      await opener.close();
    },
  };
}
