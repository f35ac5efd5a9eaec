/** What tells one state of a source from another, of files and of remote objects. */
import type { SourceInfo } from '../core/types.ts';
import { type Fingerprint, fingerprint } from '../output/fingerprint.ts';
import { remoteState, type SourceLocation } from '../sources/index.ts';
import type { ReadingOptions } from './options.ts';
import { openOptions, type Surroundings } from './reading.ts';

export interface Print extends Fingerprint {
  /** Of a remote object: what its server tells states apart by. */
  readonly version: string | null;
}

export async function printOf(
  location: SourceLocation,
  info: Pick<SourceInfo, 'totalBytes' | 'version'>,
): Promise<Print> {
  const print = await fingerprint(location.name);
  if (!isRemote(location)) return { ...print, version: null };
  return { ...print, bytes: info.totalBytes, version: info.version ?? null };
}

/** Asks a remote object for its state. */
export async function lookAt(
  location: SourceLocation,
  reading: ReadingOptions,
  surroundings: Surroundings,
): Promise<Print> {
  if (!isRemote(location)) return { ...(await fingerprint(location.name)), version: null };
  return printOf(location, await remoteState(location, openOptions(reading, surroundings)));
}

/** Whether its states can be told apart at all: no pipe, and no server that says nothing of them. */
export function isTold({ headSha256, version }: Print): boolean {
  return headSha256 !== null || version !== null;
}

function isRemote({ kind }: SourceLocation): boolean {
  return kind !== 'file' && kind !== 'stdin';
}
