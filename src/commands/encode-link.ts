/** An encoding thread as the main thread sees it, and what goes between the two. */
import { Worker } from 'node:worker_threads';
import { type ErrorCode, FeaturectlError } from '../core/errors.ts';
import type { SourcePosition, SourceRange, WriteMode } from '../core/types.ts';
import type { SourceLocation } from '../sources/index.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import type { ReadingOptions } from './options.ts';
import type { SchemaRecipe } from './resolve-schema.ts';
import type { SentBatch } from './sent-batch.ts';

/** What a thread is started with. */
export interface ThreadSetup {
  readonly recipe: SchemaRecipe;
  readonly reading: ReadingOptions;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly mode: WriteMode;
  /** Whether the records of rows will be asked for. */
  readonly withRecords: boolean;
  /** Bytes that the thread may have sent and that are not taken yet; one batch more at most. */
  readonly maxAhead: number;
}

/** What a file's status tells that another one stands at its path, or that it was written to. */
export interface FileState {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

/** A part of a file to be encoded, or to be cut into such parts. */
export interface Piece {
  readonly id: number;
  readonly location: SourceLocation;
  /** Null: all of it. */
  readonly range: SourceRange | null;
  readonly state: FileState;
  /** Bytes between two cuts at least; null: encode. */
  readonly cutEvery: number | null;
}

export type Request =
  | { readonly kind: 'piece'; readonly piece: Piece }
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'stop' };

/** `bytes`: what `taken` is told when it is. `error`: in parts, as threads keep no classes of their own. */
export type Reply = { readonly piece: number } & (
  | {
      readonly kind: 'batch';
      readonly batch: SentBatch;
      readonly bytes: number;
      readonly bytesRead: number;
    }
  | { readonly kind: 'cut'; readonly at: SourcePosition; readonly bytes: number }
  | { readonly kind: 'end'; readonly bytesRead: number }
  | { readonly kind: 'failed'; readonly error: SentError }
);

export interface SentError {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly stack: string | undefined;
}

export interface EncodeLink {
  /** Pieces are done one after the other; the mailbox gives what becomes of this one, up to `end` or `failed`. */
  ask(piece: Piece): Mailbox<Reply>;
  taken(bytes: number): void;
  /** Fails what waits; the thread ends by itself, between two steps. */
  stop(): Promise<void>;
}

/** Time for the thread to end by itself; see parquet/wasm-thread.ts for what is wrong with terminating it. */
const STOP_MS = 5000;

export function startLink(setup: ThreadSetup): EncodeLink {
  const worker = new Worker(new URL('./encode-thread.js', import.meta.url), { workerData: setup });
  const open = new Map<number, Mailbox<Reply>>();
  let broken: unknown = null;
  const breakAll = (error: unknown): void => {
    broken ??= error;
    for (const mailbox of open.values()) mailbox.fail(broken);
    open.clear();
  };
  worker.on('message', (reply: Reply) => {
    open.get(reply.piece)?.push(reply);
    if (reply.kind === 'end' || reply.kind === 'failed') open.delete(reply.piece);
  });
  worker.on('error', (error) => breakAll(deadThread(error.stack ?? error.message)));
  worker.on('messageerror', (error) => breakAll(deadThread(error.message)));
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('exit', (code) => breakAll(deadThread(`it ended with ${code} before its work was done`)));
  return {
    ask: (piece) => {
      const mailbox = createMailbox<Reply>();
      if (broken !== null) mailbox.fail(broken);
      else {
        open.set(piece.id, mailbox);
        worker.postMessage({ kind: 'piece', piece } satisfies Request);
      }
      return mailbox;
    },
    taken: (bytes) => worker.postMessage({ kind: 'taken', bytes } satisfies Request),
    stop: async () => {
      breakAll(new FeaturectlError('INTERNAL', 'the encoding threads were stopped'));
      worker.postMessage({ kind: 'stop' } satisfies Request);
      const late = setTimeout(() => void worker.terminate(), STOP_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

function deadThread(why: string): FeaturectlError {
  return new FeaturectlError('INTERNAL', `an encoding thread died: ${why}`);
}

export function sentError(error: unknown): SentError {
  if (error instanceof FeaturectlError)
    return { code: error.code, message: error.message, stack: error.stack };
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { code: null, message, stack };
}

export function errorOf({ code, message, stack }: SentError): Error {
  const error = code === null ? new Error(message) : new FeaturectlError(code, message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
