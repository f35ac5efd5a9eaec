/** Charts as inline SVG: they take their colours from the page's style, so that dark and print are one drawing. */
import { html, type Markup } from './markup.ts';

/** Of a chart over the whole page, and of one over half of it, so that both have letters of one size. */
const WIDE = 980;
const NARROW = 460;
const HEIGHT = 220;
const LEFT = 64;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 34;

interface Axes {
  /** What screen readers say. */
  readonly label: string;
  readonly formatX: (x: number) => string;
  readonly formatY: (y: number) => string;
}

/** A stretch of x over which y is the same. */
export interface Step {
  readonly from: number;
  readonly to: number;
  readonly y: number;
}

/** A filled curve of steps, each beginning where the one before it ends; y from 0. */
export function stepChart(steps: readonly Step[], axes: Axes & { readonly mean: number }): Markup {
  const scale = scaleFor(WIDE, steps.at(-1)?.to ?? 1, Math.max(axes.mean, ...steps.map(({ y }) => y)));
  const line = steps
    .map(({ from, to, y }) => `${scale.x(from)},${scale.y(y)} L${scale.x(to)},${scale.y(y)}`)
    .join(' L');
  const [first, last] = [scale.x(steps[0]?.from ?? 0), scale.x(steps.at(-1)?.to ?? 0)];
  return frame(axes, scale, [
    html`<path class="area" d="M${first},${scale.y(0)} L${line} L${last},${scale.y(0)} Z"/>`,
    html`<path class="line" d="M${line}"/>`,
    html`<line class="mean" x1="${LEFT}" x2="${scale.right}" y1="${scale.y(axes.mean)}" y2="${scale.y(axes.mean)}"/>`,
    steps.map(({ from, to, y }) => {
      const title = `${axes.formatX(from)} to ${axes.formatX(to)}: ${axes.formatY(y)}`;
      return html`<rect class="hit" x="${scale.x(from)}" y="${TOP}" width="${round(scale.x(to) - scale.x(from))}" height="${HEIGHT - TOP - BOTTOM}"><title>${title}</title></rect>`;
    }),
  ]);
}

export interface Column {
  readonly from: string;
  readonly title: string;
  readonly value: number;
}

/** Columns beside each other, with the first, the middle and the last named below. */
export function columnChart(columns: readonly Column[], last: string, axes: Omit<Axes, 'formatX'>): Markup {
  const scale = scaleFor(NARROW, columns.length, Math.max(1, ...columns.map(({ value }) => value)));
  const gap = columns.length > 1 ? 2 : 0;
  const bars = columns.map(({ title, value }, i) => {
    const [x, width] = [scale.x(i), scale.x(i + 1) - scale.x(i) - gap];
    // A count above 0 shows, however small.
    const height = value === 0 ? 0 : Math.max(1, scale.y(0) - scale.y(value));
    return html`<rect class="column" x="${x}" y="${round(scale.y(0) - height)}" width="${round(width)}" height="${round(height)}" rx="1"><title>${title}</title></rect>`;
  });
  const names = columns.length > 1 ? [columns[0]?.from ?? '', last] : [];
  const middle = columns.length > 1 ? '' : last;
  const labels = html`${names.map((name, i) => xLabel(i === 0 ? LEFT : scale.right, name, i === 0 ? 'start' : 'end'))}${middle === '' ? null : xLabel((LEFT + scale.right) / 2, middle, 'middle')}`;
  return frame({ ...axes, formatX: () => '' }, { ...scale, ticksX: [] }, [bars, labels]);
}

/** A bar of a table's row; `share` from 0 to 1 of its width. */
export function bar(share: number, className: string): Markup {
  const width = share === 0 ? 0 : Math.max(0.5, share * 100);
  return html`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="10"/><rect class="${className}" width="${round(width)}" height="10"/></svg>`;
}

/** Parts of a whole, beside each other. */
export function stackedBar(parts: readonly { name: string; value: number; className: string }[]): Markup {
  const whole = parts.reduce((sum, { value }) => sum + value, 0);
  let x = 0;
  const rects = parts.map(({ name, value, className }) => {
    // Rows that are few beside millions show all the same.
    const width = value === 0 ? 0 : Math.max(0.4, (value / whole) * 100);
    const rect = html`<rect class="${className}" x="${round(Math.min(x, 100 - width))}" width="${round(width)}" height="10"><title>${name}</title></rect>`;
    x += (value / (whole || 1)) * 100;
    return rect;
  });
  return html`<svg class="stack" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="rows by what became of them"><rect class="track" width="100" height="10"/>${rects}</svg>`;
}

interface Scale {
  x(value: number): number;
  y(value: number): number;
  readonly right: number;
  readonly ticksX: readonly number[];
  readonly ticksY: readonly number[];
}

function scaleFor(width: number, maxX: number, maxY: number): Scale {
  const ticksY = ticks(maxY, 4);
  const top = Math.max(ticksY.at(-1) ?? 1, maxY) || 1;
  return {
    x: (value) => round(LEFT + (value / (maxX || 1)) * (width - LEFT - RIGHT)),
    y: (value) => round(HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM)),
    right: width - RIGHT,
    ticksX: ticks(maxX, 6).filter((tick) => tick <= maxX),
    ticksY,
  };
}

/** Round numbers from 0 to at least `max`, about `count` of them. */
export function ticks(max: number, count: number): number[] {
  if (!(max > 0)) return [0];
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, i) =>
    Number((i * step).toPrecision(12)),
  );
}

function frame(axes: Axes, scale: Scale, inside: readonly (Markup | readonly Markup[])[]): Markup {
  const { right } = scale;
  return html`<svg class="chart${right + RIGHT === WIDE ? ' over' : ''}" viewBox="0 0 ${right + RIGHT} ${HEIGHT}" role="img" aria-label="${axes.label}">
${scale.ticksY.map((tick) => html`<line class="grid" x1="${LEFT}" x2="${right}" y1="${scale.y(tick)}" y2="${scale.y(tick)}"/><text x="${LEFT - 8}" y="${scale.y(tick) + 4}" text-anchor="end">${axes.formatY(tick)}</text>`)}
${inside}
<line class="axis" x1="${LEFT}" x2="${right}" y1="${scale.y(0)}" y2="${scale.y(0)}"/>
${scale.ticksX.map((tick) => xLabel(scale.x(tick), axes.formatX(tick), tick === 0 ? 'start' : 'middle'))}
</svg>`;
}

function xLabel(x: number, text: string, anchor: 'start' | 'middle' | 'end'): Markup {
  return html`<text x="${x}" y="${HEIGHT - BOTTOM + 20}" text-anchor="${anchor}">${text}</text>`;
}

/** Two decimals are less than a pixel. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}
