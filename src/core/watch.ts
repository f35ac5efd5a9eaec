/**
 * What a page for people shows of a run beyond its counts: nulls of each feature, TTLs, speed over time. Kept only where such a page is asked for: without it no row passes here. Memory is bounded whatever the run.
 */
import type { RowEncoder, RowSink } from './types.ts';

/** Points of the curve of rows over time; when there are more, every other one goes. */
export const SERIES_POINTS = 120;

/** The most columns that the spread of TTLs has. */
export const TTL_BINS = 24;

/** The TTLs that a schema can give: `min`, `min + unit`, … up to `max`, in milliseconds. */
export interface TtlRange {
  readonly min: number;
  readonly max: number;
  readonly unit: number;
}

export interface TtlBin {
  /** Milliseconds, both inclusive. */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
}

export interface SeriesPoint {
  readonly ms: number;
  /** Rows read since the start. */
  readonly rows: number;
}

export interface Watched {
  /** Rows given to the writer; those that were rejected before or empty are not among them. */
  readonly rows: number;
  /** By feature: of `rows`, those in which it is null. */
  readonly nulls: readonly number[];
  /** Empty where keys do not expire. */
  readonly ttls: readonly TtlBin[];
  readonly series: readonly SeriesPoint[];
}

export interface Watch {
  /** Gives an encoder whose rows are looked at on their way to the sink. */
  encoder(inner: RowEncoder): RowEncoder;
  /** To be called now and then, and at the end. */
  sample(point: SeriesPoint): void;
  watched(): Watched;
}

/** `ttl` null: keys do not expire. */
export function createWatch(features: number, ttl: TtlRange | null): Watch {
  const rows = createRowWatch(features, ttl);
  const series = createSeries();
  return {
    encoder: (inner) => ({
      selected: inner.selected,
      get warnings() {
        return inner.warnings;
      },
      encode: (origin, start, sink) => inner.encode(origin, start, rows.sink(sink)),
    }),
    sample: series.add,
    watched: () => ({ ...rows.watched(), series: series.points() }),
  };
}

interface RowWatch {
  sink(inner: RowSink): RowSink;
  watched(): Pick<Watched, 'rows' | 'nulls' | 'ttls'>;
}

function createRowWatch(features: number, ttl: TtlRange | null): RowWatch {
  const present = new Float64Array(features);
  const given = new Int32Array(features);
  const bins = ttl ? createBins(ttl) : null;
  const wrapped = new WeakMap<RowSink, RowSink>();
  let rows = 0;
  const wrap = (inner: RowSink): RowSink => {
    // An aborted row must leave nothing behind, so a row is counted when it is committed.
    let values = 0;
    let ttlMs = 0;
    return {
      begin: (key, keyLength, ms, eventTime) => {
        values = 0;
        ttlMs = ms;
        inner.begin(key, keyLength, ms, eventTime);
      },
      value: (feature, bytes) => {
        if (bytes !== null) given[values++] = feature;
        inner.value(feature, bytes);
      },
      cell: (feature, bytes, start, end) => {
        given[values++] = feature;
        inner.cell(feature, bytes, start, end);
      },
      commit: (origin, row) => {
        rows += 1;
        for (let i = 0; i < values; i += 1) present[given[i] ?? 0]! += 1;
        bins?.add(ttlMs);
        return inner.commit(origin, row);
      },
      abort: () => inner.abort(),
    };
  };
  return {
    sink: (inner) => {
      const known = wrapped.get(inner) ?? wrap(inner);
      wrapped.set(inner, known);
      return known;
    },
    watched: () => ({ rows, nulls: Array.from(present, (count) => rows - count), ttls: bins?.all() ?? [] }),
  };
}

/** Columns as wide as a whole number of units, so that each holds as many possible TTLs as the next. */
function createBins({ min, max, unit }: TtlRange): { add(ms: number): void; all(): TtlBin[] } {
  const possible = Math.round((max - min) / unit) + 1;
  const width = Math.ceil(possible / TTL_BINS) * unit;
  const counts = new Float64Array(Math.ceil((possible * unit) / width));
  return {
    add: (ms) => {
      const at = Math.floor((ms - min) / width);
      if (at >= 0 && at < counts.length) counts[at]! += 1;
    },
    all: () =>
      Array.from(counts, (rows, i) => {
        const from = min + i * width;
        return { from, to: Math.min(max, from + width - unit), rows };
      }),
  };
}

/** Points at even steps of time, which double when there are too many. */
function createSeries(): { add(point: SeriesPoint): void; points(): readonly SeriesPoint[] } {
  let points: SeriesPoint[] = [{ ms: 0, rows: 0 }];
  let step = 0;
  let last: SeriesPoint = { ms: 0, rows: 0 };
  return {
    add: (point) => {
      last = point;
      if (point.ms - (points.at(-1)?.ms ?? 0) < step) return;
      points.push(point);
      if (points.length <= SERIES_POINTS) return;
      points = points.filter((_, i) => i % 2 === 0);
      step = 2 * Math.max(step, (points[1]?.ms ?? 0) / 2);
    },
    points: () => (points.at(-1)?.ms === last.ms ? points : [...points, last]),
  };
}
