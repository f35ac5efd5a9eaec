/**
 * `--workers`: files are read, scanned and encoded in threads, a piece each, and the main thread takes the pieces in
 * the order of the file. What is kept of a run (accounts, budget, checkpoint, lanes) knows nothing of it.
 */
import { FeaturectlError } from '../core/errors.ts';
import type { ColumnBatch, Source, SourcePosition, SourceRange } from '../core/types.ts';
import type { SourceLocation } from '../sources/index.ts';
import {
  type EncodeLink,
  errorOf,
  type FileState,
  type Piece,
  type Reply,
  startLink,
  type ThreadSetup,
} from './encode-link.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import { unpackBatch } from './sent-batch.ts';

/** Bytes of text in a piece, so that a thread has room for all of it while another piece is taken. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Encoded bytes that a thread may be ahead. */
const MAX_AHEAD = 16 * 1024 * 1024;
/** What a row counts in a piece of row groups: some 100,000 rows are a piece, so that opening the file again does not count. */
const ROW_BYTES = 40;
/** Pieces that are cut before they are taken, a thread. */
const CUTS_AHEAD = 4;

export interface EncodePool {
  /** Threads that have encoded something. */
  started(): number;
  /** The rows of the job's part, in order. Throws what reading throws, after the rows before it. */
  batches(job: EncodeJob): AsyncGenerator<ColumnBatch>;
  /** What waits fails. */
  stop(): Promise<void>;
}

export interface EncodeJob {
  readonly location: SourceLocation;
  readonly source: Source;
  readonly range: SourceRange | null;
  readonly state: FileState;
  /** Told how much of the source is read. */
  progress(bytesRead: number): void;
}

export interface PoolOptions {
  /** Of encoding threads; one more cuts large text files. */
  readonly workers: number;
  readonly setup: Omit<ThreadSetup, 'maxAhead'>;
  readonly signal: AbortSignal;
  /** For tests. */
  readonly pieceBytes?: number;
}

/** Threads are started when there is a piece for them. */
export function createPool({ workers, setup, signal, pieceBytes = PIECE_BYTES }: PoolOptions): EncodePool {
  const links: (EncodeLink | undefined)[] = [];
  let cutter: EncodeLink | null = null;
  let pieces = 0;
  let stopping: Promise<unknown> | null = null;

  const refuseStopped = (): void => {
    if (stopping !== null) throw new FeaturectlError('INTERNAL', 'the encoding threads were stopped');
  };
  const nextLink = (): EncodeLink => {
    refuseStopped();
    const at = pieces % workers;
    const link = links[at] ?? startLink({ ...setup, maxAhead: MAX_AHEAD });
    links[at] = link;
    return link;
  };
  const cutterLink = (): EncodeLink => {
    refuseStopped();
    cutter ??= startLink({ ...setup, maxAhead: CUTS_AHEAD * workers * pieceBytes });
    return cutter;
  };
  const pieceOf = (job: EncodeJob, range: SourceRange | null, cutEvery: number | null): Piece => {
    pieces += 1;
    return { id: pieces, location: job.location, state: job.state, range, cutEvery };
  };
  const stop = (): Promise<unknown> => {
    stopping ??= Promise.all([...links, cutter].map((link) => link?.stop()));
    return stopping;
  };
  const onAbort = (): void => void stop();
  signal.addEventListener('abort', onAbort);

  async function* batches(job: EncodeJob): AsyncGenerator<ColumnBatch> {
    const queue = createMailbox<Taken>();
    const send = (range: SourceRange | null, isCut: boolean): void => {
      const link = nextLink();
      queue.push({ link, inbox: link.ask(pieceOf(job, range, null)), isCut });
    };
    if (job.source.isSeekable === true && spanOf(job) > pieceBytes) {
      const cuts = cutterLink().ask(pieceOf(job, job.range, pieceBytes));
      sendCuts(cuts, job.range, send).then(queue.end, queue.fail);
    } else {
      for (const range of rangesOf(job, pieceBytes / ROW_BYTES)) send(range, false);
      queue.end();
    }
    for (let taken = await queue.next(); taken !== null; taken = await queue.next()) {
      yield* batchesOf(taken, job);
      if (taken.isCut) cutter?.taken(pieceBytes);
    }
  }

  return {
    started: () => links.filter((link) => link !== undefined).length,
    batches,
    stop: async () => {
      signal.removeEventListener('abort', onAbort);
      await stop();
    },
  };
}

/** A piece that was given to a thread. */
interface Taken {
  readonly link: EncodeLink;
  readonly inbox: Mailbox<Reply>;
  /** It ends where the cutter found a place, which goes on when it is taken. */
  readonly isCut: boolean;
}

async function* batchesOf({ link, inbox }: Taken, job: EncodeJob): AsyncGenerator<ColumnBatch> {
  for (let reply = await inbox.next(); reply !== null; reply = await inbox.next()) {
    if (reply.kind === 'failed') throw errorOf(reply.error);
    if (reply.kind === 'cut') continue;
    job.progress(reply.bytesRead);
    if (reply.kind === 'end') return;
    link.taken(reply.bytes);
    yield unpackBatch(reply.batch);
  }
}

/** The last piece is open-ended: whoever reads it finds what is wrong there, after the rows before it. */
async function sendCuts(
  cuts: Mailbox<Reply>,
  range: SourceRange | null,
  send: (range: SourceRange, isCut: boolean) => void,
): Promise<void> {
  let from: SourcePosition | null = range?.from ?? null;
  for (let reply = await cuts.next(); reply?.kind === 'cut'; reply = await cuts.next()) {
    send({ from, to: reply.at }, true);
    from = reply.at;
  }
  send({ from, to: range?.to ?? null }, false);
}

/** Bytes of text that the job is about. */
function spanOf({ source, range }: EncodeJob): number {
  return (range?.to?.byte ?? source.info.totalBytes ?? 0) - (range?.from?.byte ?? 0);
}

/** Row groups, small ones together; one range where there are none. */
function rangesOf({ source, range }: EncodeJob, pieceRows: number): readonly (SourceRange | null)[] {
  const end = range?.to?.row ?? Number.POSITIVE_INFINITY;
  const ranges: (SourceRange | null)[] = [];
  let from = range?.from ?? null;
  let row = 0;
  for (const rows of source.blocks ?? []) {
    row += rows;
    if (row >= end || row - (from?.row ?? 0) < pieceRows) continue;
    const to = { row, line: row + 1, byte: 0 };
    ranges.push({ from, to });
    from = to;
  }
  const rest = from === null && range === null ? null : { from, to: range?.to ?? null };
  const isRead = ranges.length > 0 && row <= (from?.row ?? 0);
  return isRead ? ranges : [...ranges, rest];
}
