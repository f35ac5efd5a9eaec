/** The page with charts: what it says, and that no text of the data can become markup. */
import { describe, expect, test } from 'vitest';
import { ticks } from '../../src/output/html/charts.ts';
import { escapeHtml, html } from '../../src/output/html/markup.ts';
import { pageText } from '../../src/output/html/page.ts';
import { formatTtl, speeds } from '../../src/output/html/watched.ts';
import type { RunFacts } from '../../src/output/run-facts.ts';
import { someFacts } from './facts.ts';

const EVIL = `<script>alert("x")</script>'&`;

const watched: RunFacts['watched'] = {
  rows: 1000,
  nulls: [0, 250, 1],
  features: ['a', EVIL, 'c'],
  ttls: [
    { from: 3_000_000, to: 3_299_000, rows: 400 },
    { from: 3_300_000, to: 3_600_000, rows: 600 },
  ],
  series: Array.from({ length: 21 }, (_, i) => ({ ms: i * 1000, rows: i * 50_000 })),
};

describe('markup', () => {
  test.each([
    [html`<b>${EVIL}</b>`, '<b>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;</b>'],
    [html`<i>${[1, html`<u>${'<'}</u>`, null]}</i>`, '<i>1<u>&lt;</u></i>'],
  ])('%#', (made, text) => expect(made.markup).toBe(text));

  test('no text of the data is markup, wherever it stands', () => {
    const facts = someFacts();
    const failure = { ...facts.firstFailures[0]!, source: EVIL, column: EVIL, reason: EVIL };
    const page = pageText({
      ...facts,
      load: EVIL,
      error: { code: 'REDIS_LOST', message: EVIL },
      sources: facts.sources.map((source) => ({ ...source, name: EVIL })),
      options: { [EVIL]: EVIL },
      examples: new Map([['INT', [failure]]]),
      rejectsPaths: [EVIL],
      plan: { mode: 'merge', path: 'script', why: EVIL, server: EVIL, warnings: [EVIL] },
      watched,
    });
    expect(page).not.toMatch(/<script/i);
    expect(page.split(escapeHtml('<script>')).length).toBeGreaterThan(12);
  });

  test('no secrets, and nothing to load', () => {
    const page = pageText(
      someFacts({ watched, error: { code: 'REDIS_LOST', message: 'redis://a:s3cret@b' } }),
    );
    expect(page).not.toContain('s3cret');
    expect(page).not.toMatch(/\b(?:src|href)="(?!data:)/);
    expect(page).not.toMatch(/url\(|@import|https?:/);
  });
});

describe('what the page says', () => {
  test.each<[Partial<RunFacts>, RegExp[]]>([
    [{}, [/finished with bad rows/, /999,983/, /<b>INT<\/b>/, /WRONGTYPE/]],
    [{ exitCode: 0, failuresByCode: new Map() }, [/class="badge good">ok</]],
    [
      { exitCode: 4, error: { code: 'REDIS_LOST', message: 'gone' } },
      [/class="badge bad">failed: REDIS_LOST</, /gone/],
    ],
    [{ exitCode: 143 }, [/interrupted/]],
    [{ command: 'validate' }, [/Dry run of users/, /would be written/]],
    [{ watched }, [/25\.0%/, /0\.10%/, />50m</, /Rows a second/, /50,000/]],
    [{ watched: { ...watched, ttls: [] } }, [/do not expire/]],
    [{ watched: { ...watched, series: watched.series.slice(0, 2) } }, [/Nulls by feature/]],
  ])('%#', (more, texts) => {
    const page = pageText(someFacts(more));
    for (const text of texts) expect(page).toMatch(text);
  });

  test('long lists are cut, and say so', () => {
    const [source] = someFacts().sources;
    const page = pageText(
      someFacts({
        sources: Array.from({ length: 60 }, () => source!),
        watched: { ...watched, features: Array.from({ length: 100 }, (_, i) => `f${i}`), nulls: [] },
      }),
    );
    expect(page).toContain('and 10 more');
    expect(page).toContain('and 40 more with 0% or less');
  });
});

test.each([
  [0, [0]],
  [1, [0, 0.5, 1]],
  [7, [0, 2, 4, 6, 8]],
  [100_000, [0, 50_000, 100_000]],
  [0.3, [0, 0.1, 0.2, 0.3]],
])('ticks to %d', (max, expected) => expect(ticks(max, 4)).toEqual(expected));

describe('speed', () => {
  const at = (ms: number, rows: number) => ({ ms, rows });

  test('near samples are one step; what is left at the end is part of the last', () => {
    const series = [at(0, 0), at(100, 10), at(300, 30), at(301, 50), at(900, 90), at(950, 100)];
    expect(speeds(series)).toEqual([
      { from: 0, to: 0.3, y: 100 },
      { from: 0.3, to: 0.95, y: 108 },
    ]);
  });

  test('steps are few, follow each other without a gap, and come to all rows', () => {
    const series = Array.from({ length: 5000 }, (_, i) => at(i * 37, i * i));
    const steps = speeds(series);
    expect(steps.length).toBeLessThanOrEqual(80);
    expect(steps.slice(1).every((step, i) => step.from === steps[i]?.to)).toBe(true);
    const rows = steps.reduce((sum, { from, to, y }) => sum + (to - from) * y, 0);
    expect(rows / 4999 ** 2).toBeCloseTo(1, 3);
  });

  test.each([[[]], [[at(0, 0)]], [[at(0, 0), at(0, 5)]]])('nothing of %j', (series) =>
    expect(speeds(series)).toEqual([]),
  );
});

test.each([
  [500, '500ms'],
  [90_000, '1m 30s'],
  [86_400_000, '1d'],
  [90_061_000, '1d 1h 1m 1s'],
])('a TTL of %d ms', (ms, text) => expect(formatTtl(ms)).toBe(text));
