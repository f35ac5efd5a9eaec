/** Follows a run through its sources: bytes for the progress line, facts for the report. */
import type { Source } from '../core/types.ts';
import type { Fingerprint } from '../output/fingerprint.ts';
import type { SourceFacts } from '../output/run-facts.ts';

export interface SourceTrack {
  add(name: string, fingerprint: Fingerprint): void;
  opened(source: Source): void;
  /** Null total: the size of a source is not known. */
  bytes(): { readonly bytesRead: number; readonly bytesTotal: number | null };
  facts(): readonly SourceFacts[];
  isNewWarning(warning: string): boolean;
}

interface Tracked {
  readonly name: string;
  readonly fingerprint: Fingerprint;
  source: Source | null;
}

/** A remote source says its size once it is opened. */
function sizeOf({ fingerprint, source }: Tracked): number | null {
  return fingerprint.bytes ?? source?.info.totalBytes ?? null;
}

export function followSources(): SourceTrack {
  const known: Tracked[] = [];
  const warned = new Set<string>();
  const read = (source: Source | null): number => source?.bytesRead() ?? 0;
  return {
    add: (name, fingerprint) => void known.push({ name, fingerprint, source: null }),
    opened: (source) => {
      const next = known.find((entry) => entry.source === null && entry.name === source.info.name);
      if (next) next.source = source;
    },
    bytes: () => ({
      bytesRead: known.reduce((sum, entry) => sum + read(entry.source), 0),
      bytesTotal: known.some((entry) => sizeOf(entry) === null)
        ? null
        : known.reduce((sum, entry) => sum + (sizeOf(entry) ?? 0), 0),
    }),
    facts: () =>
      known.map(({ name, fingerprint, source }) => ({
        name,
        format: source?.info.format ?? null,
        bytesRead: read(source),
        fingerprint,
      })),
    isNewWarning: (warning) => !warned.has(warning) && warned.add(warning) !== undefined,
  };
}
