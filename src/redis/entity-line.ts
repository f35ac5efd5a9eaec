/**
 * One connection that is asked for entities: reads of one turn of the event loop are one write, and replies go from
 * the socket's bytes to their takers. Bounds: MAX_AWAITED keys and MAX_UNSENT bytes on the way, which `hasRoom` tells.
 */
import type { Redis } from 'ioredis';
import type { EntityTaker } from '../core/feature-reader.ts';
import type { ByteString } from '../core/types.ts';
import { messageOf } from './ask.ts';
import { cut } from './bulk-channel.ts';
import { takeStream } from './raw-stream.ts';
import { commandOf, type ReadForm, repliesOf } from './read-commands.ts';
import { createReplyReader, type SpanTaker } from './reply-spans.ts';

export interface Read {
  readonly keys: readonly ByteString[];
  readonly form: ReadForm;
  /** Null once it was told that it failed, and for a PING. */
  taker: EntityTaker | null;
  /** By performance.now(): it has failed then. */
  readonly until: number;
  /** Index of the key whose reply is next. */
  next: number;
  /** Replies to the commands of a key, and how many of them are still to come for that one. */
  readonly replies: number;
  left: number;
  /** The number that stands before its strings: whether it exists, or its TTL; null: none. */
  lead: number | null;
  /** The first error reply of that key. */
  trouble: string | null;
}

/** Who has the line: told what is no entity. */
export interface LineKeeper {
  /** The key's reply was an error; the next ones of the same read go on. */
  refused(read: Read, index: number, text: string): void;
  /** Not answered in time; its replies are taken without a word. */
  late(read: Read): void;
  /** A taker has thrown. It ends its own read only: others wait on the same connection. */
  broken(read: Read, error: unknown): void;
  /** PING was answered, by an error or null. */
  ponged(error: string | null): void;
  /** Once; nothing is told after it. `lost`: what was not answered. */
  closed(why: string, lost: readonly Read[]): void;
}

export interface EntityLine {
  hasRoom(keys: number): boolean;
  ask(read: Read): void;
  ping(): void;
  /** Looks for what is late; a server that is silent for `withinMs` while something is asked closes the line. */
  look(now: number, withinMs: number): void;
  isOpen(): boolean;
  close(why: string): void;
}

const MAX_AWAITED = 100_000;
const MAX_UNSENT = 16 * 1024 * 1024;
const PING = '*1\r\n$4\r\nPING\r\n';
const PINGED: readonly ByteString[] = [''];
const PLAIN: ReadForm = { fields: null, withTtl: false, asking: false };

export function newRead(
  keys: readonly ByteString[],
  form: ReadForm,
  taker: EntityTaker | null,
  until: number,
): Read {
  const replies = repliesOf(form);
  return { keys, form, taker, until, next: 0, replies, left: replies, lead: null, trouble: null };
}

/** Long, since all of it is one state: what was asked, and what waits to be sent. Throws where the client is not ready. */
export function createEntityLine(client: Redis, keeper: LineKeeper): EntityLine {
  /** What was asked and not answered, from index `head` on. */
  const queue: Read[] = [];
  let head = 0;
  let awaited = 0;
  let unsent = '';
  let heardAt = 0;
  let isOpen = true;
  const take = createReplyReader(replies());
  const stream = takeStream(client, onData, () => close('the connection was closed'));

  function onData(chunk: Buffer): void {
    if (!isOpen) return;
    heardAt = performance.now();
    try {
      take(chunk);
    } catch (error) {
      close(messageOf(error));
    }
  }

  function push(read: Read, command: ByteString): void {
    if (awaited === 0) heardAt = performance.now();
    // All that is asked in this turn of the event loop goes in one write.
    if (unsent === '') setImmediate(send);
    unsent += command;
    awaited += read.keys.length;
    queue.push(read);
  }

  function send(): void {
    if (isOpen && unsent !== '') stream.write(unsent, 'latin1');
    unsent = '';
  }

  function first(): Read {
    const read = queue[head];
    if (read === undefined) throw new Error('an answer that nobody asked for');
    return read;
  }

  /** Whether this is the last reply of the key whose turn it is. */
  function isLast(read: Read): boolean {
    read.left -= 1;
    return read.left === 0;
  }

  /** The key whose turn it is has its answer. */
  function answer(read: Read, told: (taker: EntityTaker, index: number) => void): void {
    const index = read.next;
    read.next += 1;
    read.left = read.replies;
    read.lead = null;
    read.trouble = null;
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

  function guarded(read: Read, work: (taker: EntityTaker) => void): void {
    if (read.taker === null) return;
    try {
      work(read.taker);
    } catch (error) {
      keeper.broken(read, error);
    }
  }

  function refuse(read: Read, text: string): void {
    if (read.keys === PINGED) keeper.ponged(text);
    else keeper.refused(read, read.next, text);
    answer(read, () => {});
  }

  function replies(): SpanTaker {
    return {
      array: (bytes, spans, count) => {
        const read = first();
        if (!isLast(read)) throw new Error('expected a number, found a list');
        const { lead, trouble, form } = read;
        if (trouble !== null) return refuse(read, trouble);
        const isThere = form.fields === null || lead !== 0;
        const ttlMs = form.withTtl ? (lead ?? -1) : -1;
        answer(read, (taker, index) => taker.entity(index, bytes, spans, isThere ? count : 0, ttlMs));
      },
      integer: (value) => {
        const read = first();
        if (isLast(read)) throw new Error('expected a list, found a number');
        read.lead = value;
      },
      error: (text) => {
        const read = first();
        read.trouble ??= text;
        if (isLast(read)) refuse(read, read.trouble);
      },
      status: () => {
        const read = first();
        // The others are of ASKING.
        if (!isLast(read)) return;
        keeper.ponged(null);
        answer(read, () => {});
      },
    };
  }

  function close(why: string): void {
    if (!isOpen) return;
    isOpen = false;
    cut(client);
    keeper.closed(why, queue.splice(0).slice(head));
  }

  return {
    hasRoom: (keys) => awaited + keys <= MAX_AWAITED && unsent.length + stream.writableLength <= MAX_UNSENT,
    ask: (read) => push(read, commandOf(read.keys, read.form)),
    ping: () => push(newRead(PINGED, PLAIN, null, Number.POSITIVE_INFINITY), PING),
    look: (now, withinMs) => {
      if (!isOpen || awaited === 0) return;
      if (now - heardAt >= withinMs) return close(`no answer within ${withinMs} ms`);
      for (let i = head; i < queue.length; i += 1) {
        const read = queue[i];
        if (read !== undefined && read.taker !== null && now >= read.until) keeper.late(read);
      }
    },
    isOpen: () => isOpen,
    close,
  };
}
