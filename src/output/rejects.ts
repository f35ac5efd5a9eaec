/**
 * The rejects file: rows that did not make it, with the reason, as a CSV that can be mended and loaded.
 * Its columns are the original ones and REJECT_COLUMNS. Sources of other columns go to files of their own
 * beside it: `bad.csv`, `bad-2.csv`, … After a run without rejects no file is there.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join, parse } from 'node:path';
import { FeaturectlError } from '../core/errors.ts';
import type { RowFailure } from '../core/ledger.ts';
import type { ByteString, RowOrigin } from '../core/types.ts';
import { layoutFor, REJECT_COLUMNS, type RejectLayout, rejectLine } from './reject-record.ts';
import { errnoCode, outputError } from './system-error.ts';

/** Bytes held before they are written; the bound is this and one record. */
export const REJECTS_BUFFER_BYTES = 256 * 1024;

/** The most files that one run writes; each kind of columns has one open. */
const MAX_FILES = 100;

export interface RejectsFile {
  readonly path: string;
  /** The files that hold rejects so far, for the summary and the report. */
  paths(): readonly string[];
  /** Empties the file: only now is what an earlier run left there lost. Before it, `write` must not be called. */
  start(): void;
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
  held: ByteString[];
}

interface State {
  readonly path: string;
  readonly firstFd: number;
  /** By header line. */
  readonly parts: Map<ByteString, Part>;
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
    byColumns: new WeakMap(),
    heldBytes: 0,
    lost: 0,
    error: null,
    reported: false,
  };
  return {
    path,
    start: () => empty(state, sources),
    paths: () => [...state.parts.values()].map((part) => part.path),
    write: (origin, row, failure) => take(state, origin, row, failure),
    flush: async () => {
      writeHeld(state);
      throwError(state);
    },
    close: async () => close(state),
  };
}

function refuseSource(path: string, sources: readonly string[]): void {
  const same = sources.find((source) => isSameFile(path, source));
  if (same === undefined) return;
  throw new FeaturectlError(
    'USAGE',
    `--rejects ${path} is also the source ${same}, and would be emptied before it is read; name another file`,
  );
}

/** A file of a user's own must not be emptied for want of a better name. */
function refuseForeign(path: string): void {
  if (isEmptyOrMissing(path) || isRejectsFile(path)) return;
  throw new FeaturectlError(
    'USAGE',
    `--rejects ${path}: expected a new file or an earlier rejects file, found a file of another kind; name another`,
  );
}

/** Also true for what is no regular file, and for a path that opening it will tell the trouble of. */
function isEmptyOrMissing(path: string): boolean {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return !stats?.isFile() || stats.size === 0;
  } catch {
    return true;
  }
}

/** True for two names of one regular file; a device or pipe may be both read and written. */
function isSameFile(path: string, source: string): boolean {
  try {
    const a = statSync(path);
    const b = source === '-' ? fstatSync(0) : statSync(source);
    return a.isFile() && a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

function openFirst(path: string): number {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFIFO()) assertReader(path);
    return openSync(path, 'a');
  } catch (error) {
    throw outputError('the rejects file', path, error);
  }
}

function empty({ path, firstFd }: State, sources: readonly string[]): void {
  try {
    if (fstatSync(firstFd).isFile()) ftruncateSync(firstFd);
  } catch (error) {
    throw outputError('the rejects file', path, error);
  }
  removeStaleParts(path, sources);
}

/** A named pipe that nobody reads would hold the process up, against every signal. Throws ENXIO. */
function assertReader(path: string): void {
  closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
}

/** `bad.csv`, 2 → `bad-2.csv`. */
export function partPath(path: string, number: number): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${number}${ext}`);
}

/** Further files of an earlier run would be taken for this one's. Files that are not ours are left alone. */
function removeStaleParts(path: string, sources: readonly string[]): void {
  for (let number = 2; number <= MAX_FILES; number += 1) {
    const stale = partPath(path, number);
    if (!isRejectsFile(stale)) return;
    if (!sources.some((source) => isSameFile(stale, source))) removeQuietly(stale);
  }
}

/** Whether the file's first line ends as a rejects file's header does. */
function isRejectsFile(path: string): boolean {
  let fd: number | null = null;
  try {
    if (!lstatSync(path).isFile()) return false;
    fd = openSync(path, 'r');
    const head = Buffer.alloc(64 * 1024);
    const line = head.toString('latin1', 0, readSync(fd, head)).split('\n', 1)[0] ?? '';
    return line.endsWith(`,${REJECT_COLUMNS.join(',')}`);
  } catch {
    return false;
  } finally {
    if (fd !== null) closeSync(fd);
  }
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
  const opened = state.parts.size === 0 ? { path: state.path, fd: state.firstFd } : openNext(state);
  if (!opened) return null;
  const part: Part = { ...opened, layout, held: [] };
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
      if (!state.error) writeAll(part.fd, part.held.join(''));
    } catch (error) {
      fail(state, part.path, error);
    }
    if (state.error) state.lost += part.held.length;
    part.held = [];
  }
  state.heldBytes = 0;
}

/** Writes all or, on a regular file, nothing: a record cut in half would spoil the file. */
function writeAll(fd: number, text: ByteString): void {
  const bytes = Buffer.from(text, 'latin1');
  let done = 0;
  try {
    while (done < bytes.length) done += writeSync(fd, bytes, done);
  } catch (error) {
    const stat = fstatSync(fd);
    if (stat.isFile() && done > 0) ftruncateSync(fd, stat.size - done);
    throw error;
  }
}

function fail(state: State, path: string, cause: unknown): void {
  state.error ??= { path, cause };
}

function throwError(state: State): void {
  if (!state.error) return;
  state.reported = true;
  const more = state.lost > 0 ? `; ${state.lost} rejected row(s) are not in it` : '';
  throw outputError('the rejects file', state.error.path, state.error.cause, more);
}

function close(state: State): void {
  writeHeld(state);
  const fds = new Set([state.firstFd, ...[...state.parts.values()].map((part) => part.fd)]);
  for (const fd of fds) closeQuietly(state, fd);
  if (state.parts.size === 0 && isEmptyFile(state.path)) removeQuietly(state.path);
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

function isEmptyFile(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size === 0;
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // A file that may be written but not removed stays: an empty one says the same, a stale one has its own name.
  }
}
