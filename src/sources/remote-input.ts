import { untilAborted } from './bytes.ts';
import type { NameHint } from './format.ts';
import type { RawInput } from './input.ts';
import type { RemoteInput, RemoteOptions } from './remote.ts';
import type { RemoteSettings } from './source-location.ts';

const DEFAULT_RETRY_MS = 60_000;

/** A connection that gives nothing for so long counts as lost. */
const SILENT_MS = 30_000;

export function remoteOptions(name: string, options: RemoteSettings): RemoteOptions {
  const retryForMs = options.retryForMs ?? DEFAULT_RETRY_MS;
  return {
    name,
    retryForMs,
    silentMs: Math.max(Math.min(retryForMs, SILENT_MS), 1),
    retrying: options.retrying ?? (() => {}),
    signal: options.signal,
    counter: { bytes: 0 },
  };
}

/** `hintOf` may throw: the connection is closed then. */
export async function remoteInput(
  remote: RemoteInput,
  hintOf: () => NameHint,
  { name, counter, signal }: RemoteOptions,
): Promise<RawInput> {
  const chunks = untilAborted(remote.chunks, signal);
  const input = {
    name,
    path: null,
    totalBytes: remote.version.totalBytes,
    version: remote.version.etag ?? remote.version.lastModified,
    chunks,
    readFrom: (byte: number) => untilAborted(remote.readFrom(byte), signal),
    // Every connection after the first one asks for the same version.
    assertSame: async () => {},
    counter,
    close: () => remote.close(),
  };
  try {
    return { ...input, hint: hintOf() };
  } catch (error) {
    await input.close();
    throw error;
  }
}
