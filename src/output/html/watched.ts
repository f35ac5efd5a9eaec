/** The parts of the page that come from looking at each row: speed, nulls, TTLs. */
import type { SeriesPoint } from '../../core/watch.ts';
import { formatCount, formatSeconds, printable, rowsPerSecond } from '../format.ts';
import type { RunReport } from '../report.ts';
import type { RunFacts } from '../run-facts.ts';
import { bar, columnChart, type Step, stepChart } from './charts.ts';
import { html, type Markup } from './markup.ts';

type Facts = NonNullable<RunFacts['watched']>;

/** Features that are shown one by one; those with most nulls first. */
const MAX_FEATURES = 60;

/** A curve of fewer steps says nothing that the mean does not. */
const MIN_STEPS = 4;

/** A shorter step shows the rhythm of reading rather than of the load; in milliseconds. */
const MIN_STEP_MS = 250;

/** The most steps that a curve has. */
const MAX_STEPS = 80;

export function speedSection({ series }: Facts, report: RunReport): Markup | null {
  const steps = speeds(series);
  if (steps.length < MIN_STEPS) return null;
  const mean = report.rows_per_second;
  const chart = stepChart(steps, {
    label: `rows read a second over ${formatSeconds(report.seconds)}, ${formatCount(mean)} on average`,
    formatX: formatElapsed,
    formatY: formatCount,
    mean,
  });
  return html`<section><h2>Rows a second <span class="soft">· ${formatCount(mean)} on average (dashed)</span></h2>${chart}</section>`;
}

/** x in seconds. Samples come when the program has time for them, so near ones are put together. */
export function speeds(series: readonly SeriesPoint[]): Step[] {
  const shortest = Math.max(MIN_STEP_MS, (series.at(-1)?.ms ?? 0) / MAX_STEPS);
  const ends: SeriesPoint[] = [];
  for (const point of series) {
    const before = ends.at(-1);
    if (!before || point.ms - before.ms >= shortest) ends.push(point);
  }
  // What is left at the end is a part of the last step.
  const last = series.at(-1);
  if (last && ends.length > 1) ends[ends.length - 1] = last;
  return ends.slice(1).map((to, i) => {
    const from = ends[i] ?? to;
    return { from: from.ms / 1000, to: to.ms / 1000, y: rowsPerSecond(to.rows - from.rows, to.ms - from.ms) };
  });
}

function formatElapsed(seconds: number): string {
  return seconds < 60 ? `${Number(seconds.toFixed(1))}s` : formatSeconds(seconds);
}

export function nullsSection({ rows, nulls, features }: Facts): Markup | null {
  if (rows === 0) return null;
  const ranked = features
    .map((name, i) => ({ name, nulls: nulls[i] ?? 0 }))
    .sort((a, b) => b.nulls - a.nulls);
  const shown = ranked.slice(0, MAX_FEATURES);
  const lines = shown.map(
    (feature) =>
      html`<tr><td class="mono">${printable(feature.name)}</td><td class="num">${rate(feature.nulls, rows)}</td><td class="wide">${bar(feature.nulls / rows, 'f-skipped')}</td></tr>`,
  );
  const more = ranked.length - shown.length;
  return html`<section><h2>Nulls by feature <span class="soft">· of ${formatCount(rows)} rows with a value</span></h2>
<table><tr><th>feature</th><th class="num">null</th><th></th></tr>${lines}</table>${more > 0 ? html`<p class="soft">and ${formatCount(more)} more with ${rate(ranked[MAX_FEATURES]?.nulls ?? 0, rows)} or less</p>` : null}</section>`;
}

function rate(nulls: number, rows: number): string {
  if (nulls === 0) return '0%';
  const share = (nulls / rows) * 100;
  return share < 0.01 ? '<0.01%' : `${share.toFixed(share < 1 ? 2 : 1)}%`;
}

export function ttlSection({ rows, ttls }: Facts): Markup | null {
  if (rows === 0) return null;
  if (ttls.length === 0)
    return html`<section><h2>Time to live</h2><p>The keys do not expire (ttl: none).</p></section>`;
  const columns = ttls.map(({ from, to, rows }) => {
    const span = from === to ? formatTtl(from) : `${formatTtl(from)} to ${formatTtl(to)}`;
    return { from: formatTtl(from), title: `${span}: ${formatCount(rows)} keys`, value: rows };
  });
  const last = formatTtl(ttls.at(-1)?.to ?? 0);
  const chart = columnChart(columns, last, {
    label: `keys by time to live, up to ${last}`,
    formatY: formatCount,
  });
  return html`<section><h2>Time to live <span class="soft">· rows by the TTL they were sent with</span></h2>${chart}</section>`;
}

/** To the second, so that the ends of a narrow spread differ: `23h59m07s`. */
export function formatTtl(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const seconds = Math.floor(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}
