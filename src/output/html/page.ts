/** `--report-html`: one page that says what a run did, for people. It loads nothing and runs nothing. */
import { EXIT, ROW_CODES, type RowCode, SKIP_CODES, type SkipCode } from '../../core/errors.ts';
import type { RowFailure } from '../../core/ledger.ts';
import { formatBytes, formatCount, formatSeconds, printable } from '../format.ts';
import { redactUrls } from '../redact.ts';
import { buildReport, type RunReport } from '../report.ts';
import type { RunFacts } from '../run-facts.ts';
import { bar, stackedBar } from './charts.ts';
import { html, type Markup, raw } from './markup.ts';
import { STYLE } from './style.ts';
import { nullsSection, speedSection, ttlSection } from './watched.ts';

/** A reason may repeat a cell of any size. */
const MAX_REASON = 300;

/** Sources that are named one by one. */
const MAX_SOURCES = 50;

export function pageText(facts: RunFacts): string {
  const report = buildReport(facts);
  const title = `${facts.load}: ${status(report).text}`;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${raw(STYLE)}</style></head>
<body><main>
${heading(facts, report)}
${tiles(report)}
${fates(report)}
${facts.watched && speedSection(facts.watched, report)}
${failures(facts, report)}
<div class="pair">${facts.watched && nullsSection(facts.watched)}${facts.watched && ttlSection(facts.watched)}</div>
${sources(report)}
${about(report)}
</main></body></html>
`;
  return page.markup;
}

function status({ exit_code, error }: RunReport): { text: string; className: 'good' | 'warn' | 'bad' } {
  if (exit_code === EXIT.ok) return { text: 'ok', className: 'good' };
  if (exit_code === EXIT.someFailed) return { text: 'finished with bad rows', className: 'warn' };
  if (error === null) return { text: 'interrupted', className: 'warn' };
  return { text: `failed: ${error.code}`, className: 'bad' };
}

function heading(facts: RunFacts, report: RunReport): Markup {
  const { text, className } = status(report);
  const what = report.command === 'validate' ? 'Dry run' : 'Load';
  return html`<header><h1>${what} of ${printable(facts.load)}</h1><span class="badge ${className}">${text}</span></header>
<p class="soft">${report.started_at.replace('T', ' ').replace(/\.\d+Z/, ' UTC')} · took ${formatSeconds(report.seconds)} · exit code ${report.exit_code}</p>
${report.error && html`<p class="bad">${printable(report.error.message)}</p>`}`;
}

function tiles(report: RunReport): Markup {
  const { counts } = report;
  const all: [string, string][] = [
    ['rows read', formatCount(counts.read)],
    [report.command === 'validate' ? 'would be written' : 'written', formatCount(counts.written)],
    ['skipped', formatCount(counts.skipped)],
    ['rejected', formatCount(counts.rejected)],
    ['failed', formatCount(counts.failed)],
    ['rows/s', formatCount(report.rows_per_second)],
  ];
  return html`<div class="tiles">${all.map(([name, value]) => html`<div class="tile"><b>${value}</b><span class="soft">${name}</span></div>`)}</div>`;
}

const FATES = ['written', 'skipped', 'rejected', 'failed'] as const;

function fates({ counts, skipped_by_code }: RunReport): Markup {
  const share = (rows: number): string => `${formatCount(rows)} (${percent(rows, counts.read)})`;
  const parts = FATES.map((fate) => ({
    name: `${fate}: ${share(counts[fate])}`,
    value: counts[fate],
    className: `f-${fate}`,
  }));
  const skips = Object.entries(skipped_by_code).map(
    ([code, rows]) =>
      html`<p class="soft">skipped, ${code}: ${formatCount(rows)} · ${SKIP_CODES[code as SkipCode]}</p>`,
  );
  return html`<section><h2>What became of the rows</h2>${stackedBar(parts)}
<div class="key">${FATES.map((fate) => html`<span style="--swatch: var(--${fate})">${fate} ${share(counts[fate])}</span>`)}</div>${skips}</section>`;
}

function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0%';
  const share = (part / whole) * 100;
  if (share < 0.1) return '<0.1%';
  // 99.96 must not read as all.
  return part === whole ? '100%' : `${Math.min(99.9, Number(share.toFixed(1)))}%`;
}

function failures({ examples }: RunFacts, report: RunReport): Markup | null {
  const codes = Object.entries(report.failures_by_code).sort((a, b) => b[1] - a[1]);
  if (codes.length === 0) return null;
  const most = codes[0]?.[1] ?? 1;
  const rows = codes.map(([code, count]) => {
    const some = examples.get(code as RowCode) ?? [];
    const fate = some[0]?.stage === 'write' ? 'failed' : 'rejected';
    return html`<tr><td><b>${code}</b><div class="soft">${ROW_CODES[code as RowCode]}</div>
<ul class="examples">${some.map(example)}</ul></td><td class="num">${formatCount(count)}</td><td class="wide">${bar(count / most, `f-${fate}`)}</td></tr>`;
  });
  const files =
    report.rejects.length > 0
      ? html`<p class="soft">All of them: ${report.rejects.map((path) => html`<code>${printable(path)}</code> `)}</p>`
      : null;
  return html`<section><h2>Bad rows by code</h2><table><tr><th>code, with up to three examples</th><th class="num">rows</th><th></th></tr>${rows}</table>${files}</section>`;
}

function example({ source, line, column, reason }: RowFailure): Markup {
  const text = printable(redactUrls(reason));
  const short = text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}…` : text;
  return html`<li class="mono">${printable(redactUrls(source))}:${line}${column === null ? '' : ` ${printable(column)}`}: ${short}</li>`;
}

function sources({ sources }: RunReport): Markup {
  const rows = sources
    .slice(0, MAX_SOURCES)
    .map(
      ({ name, format, bytes, bytes_read, modified_at }) =>
        html`<tr><td class="mono">${printable(name)}</td><td>${format ?? 'not opened'}</td><td class="num">${formatBytes(bytes_read)}${bytes === null ? '' : ` of ${formatBytes(bytes)}`}</td><td>${modified_at === null ? '' : modified_at.slice(0, 16).replace('T', ' ')}</td></tr>`,
    );
  const more = sources.length - rows.length;
  return html`<section><h2>Sources</h2><table><tr><th>name</th><th>format</th><th class="num">read</th><th>changed (UTC)</th></tr>${rows}</table>${more > 0 ? html`<p class="soft">and ${formatCount(more)} more</p>` : null}</section>`;
}

function about(report: RunReport): Markup {
  const { write } = report;
  const rows: [string, string][] = [
    ['featurectl', report.featurectl_version],
    ['run', report.run_id],
    ...(report.server_version === null ? [] : [['Redis', report.server_version] as [string, string]]),
    ...(write ? [['write path', `${write.path} (${write.mode}): ${write.why}`] as [string, string]] : []),
    [
      'sent',
      `${formatBytes(report.bytes_sent)} in ${formatCount(report.chunks_sent)} chunks, ${formatCount(report.retries)} retries`,
    ],
  ];
  const warnings = (write?.warnings ?? []).map((warning) => html`<p class="warn">${printable(warning)}</p>`);
  return html`<section><h2>How</h2>${warnings}<table>${rows.map(([name, value]) => html`<tr><td class="soft">${name}</td><td class="mono">${printable(value)}</td></tr>`)}</table>
<details><summary>Options in force</summary><p class="mono" style="white-space: pre-wrap">${JSON.stringify(report.options, null, 2)}</p></details></section>`;
}
