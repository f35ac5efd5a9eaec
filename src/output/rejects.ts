/**
 * The rejects file: rows that did not make it, with the reason, as a CSV that can be mended and loaded.
 * Its columns are the original ones and REJECT_COLUMNS. Sources of other columns go to files of their own
 * beside it: `bad.csv`, `bad-2.csv`, … After a run without rejects no file is there.
 */

import { closeSync, openSync } from 'node:fs';
import type { RowFailure } from '../core/ledger.ts';
import type { ByteString, RowOrigin } from '../core/types.ts';
import { counted } from '../core/units.ts';
import { layoutFor, type RejectLayout, rejectLine } from './reject-record.ts';
import {
  cut,
  isEmptyFile,
  MAX_FILES,
  openFirst,
  partPath,
  refuseForeign,
  refuseSource,
  removeQuietly,
  removeStaleParts,
  startsWith,
  syncFile,
  writeAll,
} from './rejects-files.ts';
import { errnoCode, outputError } from './system-error.ts';

/** Bytes held before they are written; the bound is this and one record. */
export const REJECTS_BUFFER_BYTES = 256 * 1024;

export interface RejectsFile {
  readonly path: string;
  /** The files that hold rejects so far, for the summary and the report. */
  paths(): readonly string[];
  /**
   * Empties the file, or cuts it to what a checkpoint keeps of it: only now is what an earlier run left there lost.
   * Before it, `write` must not be called. Throws OUTPUT where a kept file is shorter than it was.
   */
  start(kept?: readonly KeptRejects[]): void;
  /** What is written of each file. */
  lengths(): readonly KeptRejects[];
  /** Brings what is written to the disk. */
  sync(): Promise<void>;
  /** Takes one row; never throws. A disk that fails is told by the next `flush` or `close`. */
  write(origin: RowOrigin, row: number, failure: RowFailure): void;
  /** Writes what is held. Throws OUTPUT, which then says how many rejects are not in the file. */
  flush(): Promise<void>;
  /**
   * Flushes and closes; removes the file if nothing was rejected. A file that was not started is left as it was.
   * Throws OUTPUT unless `flush` has.
   */
  close(): Promise<void>;
}

interface Part {
  readonly path: string;
  readonly fd: number;
  readonly layout: RejectLayout;
  /** Written so far. */
  bytes: number;
  held: ByteString[];
}

/** A file that an earlier run of the same load wrote, up to its checkpoint. */
export interface KeptRejects {
  readonly path: string;
  readonly bytes: number;
}

interface KeptPart extends KeptRejects {
  readonly fd: number;
}

interface State {
  readonly path: string;
  readonly firstFd: number;
  /** By header line. */
  readonly parts: Map<ByteString, Part>;
  /** Files of an earlier run whose columns have not come again yet. */
  kept: KeptPart[];
  readonly byColumns: WeakMap<readonly string[], Part>;
  heldBytes: number;
  /** Rows that a failed disk did not take. */
  lost: number;
  error: { readonly path: string; readonly cause: unknown } | null;
  reported: boolean;
}

/**
 * Opens the file, so that a path that cannot be written is known before anything is loaded; what is in it stays
 * until `start`. `sources` are the run's sources as the user named them ('-' is stdin): a rejects file that is one
 * of them is refused (USAGE), since emptying it would destroy the source. Throws OUTPUT.
 */
export async function openRejects(path: string, sources: readonly string[]): Promise<RejectsFile> {
  refuseSource(path, sources);
  refuseForeign(path);
  const state: State = {
    path,
    firstFd: openFirst(path),
    parts: new Map(),
    kept: [],
    byColumns: new WeakMap(),
    heldBytes: 0,
    lost: 0,
    error: null,
    reported: false,
  };
  return {
    path,
    start: (kept = []) => begin(state, sources, kept),
    lengths: () => files(state).map(({ path, bytes }) => ({ path, bytes })),
    sync: async () => {
      for (const { path, fd } of files(state)) await syncFile(path, fd);
    },
    paths: () => files(state).map((part) => part.path),
    write: (origin, row, failure) => take(state, origin, row, failure),
    flush: async () => {
      writeHeld(state);
      throwError(state);
    },
    close: async () => close(state),
  };
}

function begin(state: State, sources: readonly string[], kept: readonly KeptRejects[]): void {
  if (kept.length === 0) cut(state.path, state.firstFd, 0);
  for (const { path, bytes } of kept) {
    const fd = path === state.path ? state.firstFd : openFirst(path);
    state.kept.push({ path, bytes, fd });
    cut(path, fd, bytes);
  }
  removeStaleParts(state.path, [...sources, ...kept.map(({ path }) => path)]);
}

function files(state: State): readonly (Part | KeptPart)[] {
  return [...state.kept, ...state.parts.values()];
}

function take(state: State, origin: RowOrigin, row: number, failure: RowFailure): void {
  const part = state.error ? null : partFor(state, origin.recordColumns);
  if (!part) {
    state.lost += 1;
    return;
  }
  const line = rejectLine(part.layout, origin, row, failure);
  part.held.push(line);
  state.heldBytes += line.length;
  if (state.heldBytes >= REJECTS_BUFFER_BYTES) writeHeld(state);
}

function partFor(state: State, recordColumns: readonly string[]): Part | null {
  const known = state.byColumns.get(recordColumns);
  if (known) return known;
  const layout = layoutFor(recordColumns);
  const part = state.parts.get(layout.header) ?? openPart(state, layout);
  if (part) state.byColumns.set(recordColumns, part);
  return part;
}

function openPart(state: State, layout: RejectLayout): Part | null {
  const known = takeKept(state, layout);
  if (known || state.error) return known;
  const isFirst = files(state).length === 0;
  const opened = isFirst ? { path: state.path, fd: state.firstFd } : openNext(state);
  if (!opened) return null;
  const part: Part = { ...opened, layout, bytes: layout.header.length, held: [] };
  state.parts.set(layout.header, part);
  try {
    // At once, so that what is held is rows only and a failed write can be counted in rows.
    writeAll(part.fd, layout.header);
  } catch (error) {
    fail(state, part.path, error);
    return null;
  }
  return part;
}

/** The file of an earlier run that has these columns. */
function takeKept(state: State, layout: RejectLayout): Part | null {
  const kept = state.kept.find(({ path }) => hasHeader(state, path, layout));
  if (!kept) return null;
  state.kept = state.kept.filter((other) => other !== kept);
  const part: Part = { ...kept, layout, held: [] };
  state.parts.set(layout.header, part);
  return part;
}

function hasHeader(state: State, path: string, { header }: RejectLayout): boolean {
  try {
    return startsWith(path, header);
  } catch (error) {
    fail(state, path, error);
    return false;
  }
}

/** The next free name: a file that is there is a user's own, or a source of this run. */
function openNext(state: State): { path: string; fd: number } | null {
  let path = state.path;
  try {
    for (let number = 2; number <= MAX_FILES; number += 1) {
      path = partPath(state.path, number);
      try {
        return { path, fd: openSync(path, 'wx') };
      } catch (error) {
        if (errnoCode(error) !== 'EEXIST') throw error;
      }
    }
    throw new Error(`the sources have more than ${MAX_FILES} kinds of columns; load them in several runs`);
  } catch (error) {
    fail(state, path, error);
    return null;
  }
}

/** Synchronous on purpose: rejects are few, and it bounds the memory however fast rows fail. */
function writeHeld(state: State): void {
  for (const part of state.parts.values()) {
    if (part.held.length === 0) continue;
    try {
      if (!state.error) part.bytes += writeAll(part.fd, part.held.join(''));
    } catch (error) {
      fail(state, part.path, error);
    }
    if (state.error) state.lost += part.held.length;
    part.held = [];
  }
  state.heldBytes = 0;
}

function fail(state: State, path: string, cause: unknown): void {
  state.error ??= { path, cause };
}

function throwError(state: State): void {
  if (!state.error) return;
  state.reported = true;
  const more =
    state.lost > 0
      ? `; ${counted(state.lost, 'rejected row')} ${state.lost === 1 ? 'is' : 'are'} not in it`
      : '';
  throw outputError('the rejects file', state.error.path, state.error.cause, more);
}

function close(state: State): void {
  writeHeld(state);
  const fds = new Set([state.firstFd, ...files(state).map((part) => part.fd)]);
  for (const fd of fds) closeQuietly(state, fd);
  if (files(state).length === 0 && isEmptyFile(state.path)) removeQuietly(state.path);
  if (!state.reported) throwError(state);
}

/** Some file systems (NFS) tell a full disk only here. */
function closeQuietly(state: State, fd: number): void {
  try {
    closeSync(fd);
  } catch (error) {
    fail(state, state.path, error);
  }
}
