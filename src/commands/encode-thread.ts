/** What runs in an encoding thread: it reads pieces of files, encodes their rows and sends them, or cuts files. */
import { stat } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { FeaturectlError } from '../core/errors.ts';
import { createRecorder } from '../core/recording.ts';
import type { ColumnBatch, Source, SourcePosition } from '../core/types.ts';
import { compileEncoder } from '../schema/index.ts';
import { openSource } from '../sources/index.ts';
import {
  type FileState,
  type Piece,
  type Reply,
  type Request,
  sentError,
  type ThreadSetup,
} from './encode-link.ts';
import { openOptions } from './reading.ts';
import { schemaFrom } from './resolve-schema.ts';
import { bytesOf, packBatch, transferOf } from './sent-batch.ts';

// The one who starts this file gives both.
const port = parentPort!;
const setup: ThreadSetup = workerData;
const schema = schemaFrom(setup.recipe);
const stopped = new AbortController();
let ahead = 0;
let wake = (): void => {};
let last: Promise<void> = Promise.resolve();

port.on('message', (request: Request) => {
  switch (request.kind) {
    case 'taken':
      ahead -= request.bytes;
      wake();
      return;
    case 'stop':
      stopped.abort(new Error('stopped'));
      wake();
      void last.then(() => port.close());
      return;
    default:
      last = last.then(() => serve(request.piece));
  }
});

/** Resolves when little enough is on the way. Throws when the thread is to end. */
async function room(): Promise<void> {
  while (ahead >= setup.maxAhead && !stopped.signal.aborted) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  stopped.signal.throwIfAborted();
}

function send(reply: Reply, transfer: ArrayBuffer[] = []): void {
  if ('bytes' in reply) ahead += reply.bytes;
  port.postMessage(reply, transfer);
}

async function serve(piece: Piece): Promise<void> {
  try {
    stopped.signal.throwIfAborted();
    const source = await open(piece);
    try {
      await (piece.cutEvery === null ? encode(piece, source) : cut(piece, source, piece.cutEvery));
    } finally {
      await source.close();
    }
    send({ kind: 'end', piece: piece.id, bytesRead: source.bytesRead() });
  } catch (error) {
    send({ kind: 'failed', piece: piece.id, error: sentError(error) });
  }
}

async function open({ location, state }: Piece): Promise<Source> {
  const surroundings = { signal: stopped.signal, env: {} };
  const source = await openSource(location, openOptions(setup.reading, surroundings, schema));
  try {
    assertSameFile(location.name, state, await stat(location.path));
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Throws SOURCE_CHANGED. What is opened here must be what the main thread has taken the columns of. */
function assertSameFile(name: string, before: FileState, now: FileState): void {
  if (before.size === now.size && before.mtimeMs === now.mtimeMs && before.ino === now.ino) return;
  throw new FeaturectlError(
    'SOURCE_CHANGED',
    `${name}: expected the file to stay as it was (${before.size} bytes), found another one or other content ` +
      `(${now.size} bytes) while it was read; rows that were read are written. Load it again when its writer is done`,
  );
}

async function encode(piece: Piece, source: Source): Promise<void> {
  const { startedAt, mode, withRecords } = setup;
  const encoder = compileEncoder(schema, source.columns, { sourceName: source.info.name, startedAt, mode });
  const recordColumns = source.recordColumns(encoder.selected);
  const record = createRecorder(schema.features.length);
  for await (const batch of source.batches(encoder.selected, piece.range ?? undefined)) {
    await room();
    const recording = record(encoder, { source, batch, recordColumns });
    const sent = packBatch(batch, recording, withRecords);
    send(
      { kind: 'batch', piece: piece.id, batch: sent, bytes: bytesOf(sent), bytesRead: source.bytesRead() },
      transferOf(sent),
    );
  }
}

/** Sends places at record borders, whatever quotes hold, some `every` bytes apart. */
async function cut({ id, range }: Piece, source: Source, every: number): Promise<void> {
  let next = (range?.from?.byte ?? 0) + every;
  for await (const batch of source.batches([], range ?? undefined)) {
    for (const at of placesFrom(batch, next)) {
      if (at.byte < next) continue;
      await room();
      send({ kind: 'cut', piece: id, at, bytes: every });
      next = at.byte + every;
    }
  }
}

/** Those of a batch, where one of them can be as far as `next`. */
function* placesFrom(batch: ColumnBatch, next: number): Generator<SourcePosition> {
  if (batch.position(batch.rowCount).byte < next) return;
  for (let row = 1; row <= batch.rowCount; row += 1) yield batch.position(row);
}
