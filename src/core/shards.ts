/** Cutting a load into shards: parts of sources that several processes load side by side. */
import type { SourcePosition } from './types.ts';

/** A part of one source. `from` null: its start; `to` null: its end. */
export interface ShardPart {
  readonly source: string;
  readonly rows: number;
  readonly from: SourcePosition | null;
  readonly to: SourcePosition | null;
  /** Of the source when it was planned; null where it is no file. */
  readonly bytes: number | null;
  readonly head_sha256: string | null;
  /** Of a remote object: its ETag or time of change. */
  readonly version: string | null;
}

/** One line of a plan. */
export interface Shard {
  /** From 1. */
  readonly shard: number;
  readonly of: number;
  readonly rows: number;
  /** The first source of the whole load: without a schema file its columns make the schema. */
  readonly first_source: string;
  /** The reading options that the places hold for; null: not given. */
  readonly reading: Readonly<Record<string, string | number | null>>;
  /** In the order of the load; one at least. */
  readonly parts: readonly ShardPart[];
}

/** A place where a shard may begin. */
export interface Cut {
  /** Rows of all sources before it. */
  readonly at: number;
  /** Index of its source; of the end of the load: the number of sources. */
  readonly source: number;
  /** Null: the start of the source. */
  readonly position: SourcePosition | null;
  /** The start of a source or of a row group: reading from here decodes nothing that stands before. */
  readonly isCheap: boolean;
}

/** Collects cuts as rows go by; keeps a bounded number of them, evenly spread. */
export interface CutList {
  add(cut: Cut): void;
  /** The first row from this one on whose cut would be kept, cheap ones aside. */
  next(at: number): number;
  cuts(): readonly Cut[];
}

/** Bound of the cuts that are not cheap. With a thousand shards their sizes differ by some percent at most. */
export const MAX_CUTS = 65_536;

export function createCutList(max = MAX_CUTS): CutList {
  let every = 1;
  let cuts: Cut[] = [];
  let fine = 0;
  return {
    add: (cut) => {
      if (!cut.isCheap && cut.at % every !== 0) return;
      cuts.push(cut);
      if (!cut.isCheap) fine += 1;
      if (fine <= max) return;
      every *= 2;
      cuts = cuts.filter(({ at, isCheap }) => isCheap || at % every === 0);
      fine = cuts.filter(({ isCheap }) => !isCheap).length;
    },
    next: (at) => Math.ceil(at / every) * every,
    cuts: () => cuts.sort((a, b) => a.at - b.at),
  };
}

/** A cheap cut is taken where it makes no shard larger or smaller by more than this part. */
const CHEAP_WITHIN = 1 / 8;

/**
 * `shards` + 1 cuts, from the start to the end, as evenly as `cuts` (ascending, the start among them) allow. Equal
 * neighbours: a shard without rows.
 */
export function chooseCuts(cuts: readonly Cut[], end: Cut, shards: number): readonly Cut[] {
  const size = end.at / shards;
  const all = [...cuts, end];
  const chosen: Cut[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const wanted = shard * size;
    const cheap = nearest(
      all.filter(({ isCheap }) => isCheap),
      wanted,
    );
    const fine = nearest(all, wanted);
    chosen.push(Math.abs(cheap.at - wanted) <= size * CHEAP_WITHIN ? cheap : fine);
  }
  return [...chosen, end];
}

/** Of several at the same row the first. The cuts are ascending. */
function nearest(cuts: readonly Cut[], wanted: number): Cut {
  let low = 0;
  let high = cuts.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cuts[middle] as Cut).at < wanted) low = middle + 1;
    else high = middle;
  }
  const after = cuts[low] as Cut;
  const before = cuts[low - 1];
  return before && wanted - before.at < after.at - wanted ? before : after;
}
