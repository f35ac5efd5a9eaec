/**
 * Entities for a server, over one connection that is opened again for ever. Reads of one turn of the event loop
 * are one write; replies go from the socket's bytes to their takers. Bounds: MAX_AWAITED keys and MAX_UNSENT bytes
 * on the way; beyond them a read fails as `busy`.
 */
import type { Duplex } from 'node:stream';
import type { Redis } from 'ioredis';
import type { EntitySource, EntityTaker } from '../core/feature-reader.ts';
import type { Tell } from '../core/tell.ts';
import type { ByteString } from '../core/types.ts';
import { messageOf, sleep } from './ask.ts';
import { cut } from './bulk-channel.ts';
import type { Opener } from './connect.ts';
import { atMostEvery } from './persist.ts';
import { takeStream } from './raw-stream.ts';
import { commandOf } from './read-commands.ts';
import { assertMayRead, deniedCommand, mayNotRead, refusalOf } from './reading-rights.ts';
import { createReplyReader, type SpanTaker } from './reply-spans.ts';
import { firstWord, isCommandDenied } from './server-errors.ts';

export interface EntitySourceOptions {
  /** Milliseconds in which a read is answered or fails. */
  readonly withinMs: number;
  /** Told, in words without keys and values, when Redis went away or came back, and what it refuses. */
  readonly tell: Tell;
}

const MAX_AWAITED = 100_000;
const MAX_UNSENT = 16 * 1024 * 1024;
/** Between questions that find a server which hangs, loads or lost its master while nobody reads. */
const HEARTBEAT_MS = 500;
const HEARTBEAT: readonly ByteString[] = [''];
const PING = '*1\r\n$4\r\nPING\r\n';
/** Between tries to connect: recovery within two seconds of Redis' is what users count on. */
const MAX_PAUSE_MS = 200;
/** Between looks whether a right that is missing was granted. */
const DENIED_PAUSE_MS = 1000;
/** Of the first try to connect; each later one has twice as long, up to the second that a slow link may need. */
const FIRST_TRY_MS = 250;
const MAX_TRY_MS = 1000;

interface Read {
  readonly keys: readonly ByteString[];
  /** Null: all fields, and no reply about existence before them. */
  readonly fields: readonly ByteString[] | null;
  /** Null once it was told that it failed, and for a heartbeat. */
  taker: EntityTaker | null;
  readonly startedAt: number;
  /** Index of the key whose reply is next. */
  next: number;
  /** What EXISTS said of that key; null: nothing yet. */
  exists: boolean | null;
}

/** Long, since all of it is one state: the connection, what was asked on it, and what waits to be sent. */
export function createEntitySource(opener: Opener, options: EntitySourceOptions): EntitySource {
  const { withinMs, tell } = options;
  const tellRefusal = atMostEvery(1000, tell);
  /** What was asked and not answered, from index `head` on. */
  const queue: Read[] = [];
  let head = 0;
  let awaited = 0;
  let unsent = '';
  let client: Redis | null = null;
  let stream: Duplex | null = null;
  /** Why reads are not answered now; null: they are. */
  let trouble: string | null = 'not connected yet';
  /** The right that this user lacks; null: none that is known. */
  let denial: string | null = null;
  let heardAt = 0;
  let beatAt = 0;
  let isClosed = false;
  const watch = setInterval(beat, Math.max(10, Math.min(HEARTBEAT_MS, withinMs / 4)));
  void reconnect();

  function read(keys: readonly ByteString[], fields: readonly ByteString[] | null, taker: EntityTaker): void {
    if (denial !== null) return taker.failed('denied');
    if (stream === null || trouble !== null) return taker.failed('away');
    if (awaited + keys.length > MAX_AWAITED || unsent.length + stream.writableLength > MAX_UNSENT) {
      return taker.failed('busy');
    }
    if (keys.length === 0) return taker.done();
    ask(
      { keys, fields, taker, startedAt: performance.now(), next: 0, exists: null },
      commandOf(keys, fields),
    );
  }

  function ask(read: Read, command: ByteString): void {
    if (awaited === 0) heardAt = read.startedAt;
    // All that is asked in this turn of the event loop goes in one write.
    if (unsent === '') setImmediate(send);
    unsent += command;
    awaited += read.keys.length;
    queue.push(read);
  }

  function send(): void {
    if (unsent !== '') stream?.write(unsent, 'latin1');
    unsent = '';
  }

  /** One key of the first read is answered. */
  function answer(read: Read, told: (taker: EntityTaker, index: number) => void): void {
    const index = read.next;
    read.next += 1;
    read.exists = null;
    awaited -= 1;
    guarded(read, (taker) => told(taker, index));
    if (read.next < read.keys.length) return;
    head += 1;
    if (head >= 1024 || head === queue.length) {
      queue.splice(0, head);
      head = 0;
    }
    guarded(read, (taker) => taker.done());
  }

  /** A taker that throws ends its own read only: others wait on the same connection. */
  function guarded(read: Read, work: (taker: EntityTaker) => void): void {
    if (read.taker === null) return;
    try {
      work(read.taker);
    } catch (error) {
      tellRefusal(`a bug in featurectl, an answer was dropped: ${messageOf(error)}`);
      fail(read);
    }
  }

  function fail(read: Read): void {
    const { taker } = read;
    read.taker = null;
    taker?.failed(denial === null ? 'away' : 'denied');
  }

  const replies: SpanTaker = {
    array: (bytes, spans, count) => {
      const read = first();
      const found = read.exists === false ? 0 : count;
      answer(read, (taker, index) => taker.entity(index, bytes, spans, found));
    },
    integer: (value) => {
      first().exists = value > 0;
    },
    error: (text) => refuse(first(), text),
    status: () => {
      if (trouble !== null) tell(`Redis at ${opener.shown} answers`, 'info');
      trouble = null;
      answer(first(), () => {});
    },
  };

  function first(): Read {
    const read = queue[head];
    if (read === undefined) throw new Error('an answer that nobody asked for');
    return read;
  }

  function refuse(read: Read, text: string): void {
    const word = firstWord(text);
    if (read.keys === HEARTBEAT) {
      // A user who may not PING is told so, which is an answer as well.
      if (word !== 'NOPERM' && trouble === null) tell(`Redis at ${opener.shown}: ${text}`);
      trouble = word === 'NOPERM' ? null : text;
      return answer(read, () => {});
    }
    const isOfKey = word === 'WRONGTYPE' || /^NOPERM\b.* to access .*\bkeys?\b/i.test(text);
    if (!isOfKey) {
      tellRefusal(`Redis at ${opener.shown}: ${text}`);
      if (isCommandDenied(text)) deny(text);
      fail(read);
    }
    if (read.fields !== null && read.exists === null) read.exists = true;
    else answer(read, (taker, index) => taker.refused(index, word === 'WRONGTYPE' ? 'type' : 'rights'));
  }

  /** A right was taken away: this connection ends behind the replies that came with this one, the next finds it. */
  function deny(text: string): void {
    denial ??= refusalOf(mayNotRead([deniedCommand(text)]));
    const refused = client;
    setImmediate(() => {
      if (client === refused) lose(text);
    });
  }

  /** The heartbeat, and the deadline of what is on the way. */
  function beat(): void {
    const now = performance.now();
    if (stream === null) return;
    if (now - beatAt >= HEARTBEAT_MS) {
      beatAt = now;
      ask({ keys: HEARTBEAT, fields: null, taker: null, startedAt: now, next: 0, exists: null }, PING);
    }
    // What has come meanwhile is read before anything is called late: this process may have been the slow one.
    setImmediate(() => {
      if (awaited === 0 || stream === null) return;
      if (now - heardAt >= withinMs) return lose(`no answer within ${withinMs} ms`);
      for (let i = head; i < queue.length; i += 1) {
        const late = queue[i];
        if (late === undefined || now - late.startedAt < withinMs) return;
        fail(late);
      }
    });
  }

  function lose(why: string): void {
    if (client === null) return;
    cut(client);
    client = null;
    stream = null;
    unsent = '';
    awaited = 0;
    trouble = why;
    const lost = queue.splice(0).slice(head);
    head = 0;
    for (const read of lost) fail(read);
    if (isClosed) return;
    tell(`Redis at ${opener.shown} went away: ${why}`);
    void reconnect();
  }

  async function reconnect(): Promise<void> {
    const tellFailure = atMostEvery(10_000, tell);
    let tryMs = FIRST_TRY_MS;
    for (let pause = 20; !isClosed; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      let isDenied = false;
      try {
        return begin(await openReader(tryMs));
      } catch (error) {
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
    const take = createReplyReader(replies);
    const onData = (chunk: Buffer): void => {
      if (client !== opened) return;
      heardAt = performance.now();
      try {
        take(chunk);
      } catch (error) {
        lose(messageOf(error));
      }
    };
    const onClose = (): void => {
      if (client === opened) lose('the connection was closed');
    };
    try {
      stream = takeStream(opened, onData, onClose);
    } catch (error) {
      cut(opened);
      throw error;
    }
    client = opened;
    trouble = null;
    denial = null;
    beatAt = performance.now();
    tell(`connected to Redis at ${opener.shown}`, 'info');
  }

  return {
    read,
    isReady: () => trouble === null && denial === null,
    refusal: () => denial,
    close: async () => {
      isClosed = true;
      clearInterval(watch);
      lose('the server ends');
      await opener.close();
    },
  };
}
