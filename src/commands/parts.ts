/** What a run reads, in order: whole sources or parts of them. */
import type { Source, SourceRange } from '../core/types.ts';
import type { SourceLocation } from '../sources/index.ts';

export interface Part {
  readonly location: SourceLocation;
  /** Its index among all parts of the load. */
  readonly index: number;
  /** Null: all of the source. */
  readonly range: SourceRange | null;
}

export function wholeParts(locations: readonly SourceLocation[]): readonly Part[] {
  return locations.map((location, index) => ({ location, index, range: null }));
}

/** The source, of which only the range is read. */
export function ranged(source: Source, range: SourceRange | null): Source {
  return range === null ? source : { ...source, batches: (selected) => source.batches(selected, range) };
}
