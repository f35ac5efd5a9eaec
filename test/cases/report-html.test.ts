/** The page of --report-html as a browser shows it: alone, whole, readable in both colour schemes and in print. */
import { existsSync, readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
];

const CHECKS = readFileSync(new URL('../support/page-checks.js', import.meta.url), 'utf8');

let desk: Desk;
let path = '';
beforeAll(async () => {
  desk = await openDesk();
  path = desk.path('run.html');
  const features = '\n  x: int32\n  y: { type: string, required: false }';
  const schema = await desk.file('s.yaml', schemaText({ x: features, more: 'ttl_jitter: 10%' }));
  const rows = Array.from(
    { length: 5000 },
    (_, i) => `${i},${i % 500 === 7 ? 'oops' : i},${i % 4 === 0 ? '' : '<i>é'}`,
  );
  const source = await desk.file('in.csv', `id,x,y\n${rows.join('\n')}\n`);
  // Slow enough for a curve.
  const flags = ['--max-errors', 'all', '--report-html', path, '--rate', '3000/s', '--chunk-rows', '100'];
  const done = await desk.run(['ingest', source, '--schema', schema, ...flags]);
  expect(done.code, done.stderr).toBe(1);
});
afterAll(() => desk.close());

it('holds what the run counted', () => {
  const page = readFileSync(path, 'utf8');
  expect(page).toMatch(/<td class="mono">y<\/td><td class="num">25\.\d%<\/td>/);
  expect(page).toMatch(/<td class="mono">x<\/td><td class="num">0%<\/td>/);
  expect(page).toMatch(/<b>4,990<\/b><span class="soft">written/);
  expect(page.match(/in\.csv:\d+ x: expected int32/g)).toHaveLength(3);
  expect(page).toContain('54m to 54m 15s');
});

it('a run that ends before its schema is known has a page too', async () => {
  const failed = desk.path('failed.html');
  const done = await desk.run([
    'ingest',
    desk.path('no.csv'),
    '--schema',
    desk.path('s.yaml'),
    '--report-html',
    failed,
  ]);
  expect(done.code).toBe(4);
  expect(readFileSync(failed, 'utf8')).toContain('failed: SOURCE_MISSING');
});

it('a path that cannot be written is known before the first write', async () => {
  await desk.client.flushall();
  const argv = ['ingest', desk.path('in.csv'), '--schema', desk.path('s.yaml')];
  const done = await desk.run([...argv, '--report-html', desk.path('no/x.html')]);
  expect(done).toMatchObject({ code: 4, stderr: expect.stringMatching(/cannot write the HTML report/) });
  const source = desk.path('in.csv');
  expect((await desk.run([...argv, '--report-html', source])).stderr).toMatch(
    /--report-html .* is also the source/,
  );
  expect(await desk.client.dbsize()).toBe(0);
});

describe.skipIf(CHROMIUM === undefined)('in a browser', () => {
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];
  const complaints: string[] = [];
  beforeAll(async () => {
    const { chromium } = await import('playwright-core');
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ARGS });
    page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
    page.on('request', (request) => void requests.push(request.url()));
    page.on('console', (message) => void complaints.push(message.text()));
    page.on('pageerror', (error) => void complaints.push(error.message));
    await page.goto(`file://${path}`);
  });
  afterAll(() => browser?.close());

  it('loads itself and nothing else, without a complaint', () => {
    expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([`file://${path}`]);
    expect(complaints).toEqual([]);
  });

  it.each([
    'What became of the rows',
    'Rows a second',
    'Bad rows by code',
    'Nulls by feature',
    'Time to live',
    'Sources',
    'How',
  ])('shows %s', async (title) => {
    const section = page.locator('section', { hasText: title }).first();
    const box = await section.boundingBox();
    expect(box?.height).toBeGreaterThan(60);
  });

  it('charts are drawn within their frames', async () => {
    const outside = await page.evaluate(`${CHECKS}; shapesOutside()`);
    expect(outside).toEqual([]);
    expect(await page.locator('svg.chart').count()).toBe(2);
    expect(await page.locator('svg.chart rect.column').count()).toBeGreaterThan(10);
  });

  it.each([
    ['light', 'screen'],
    ['dark', 'screen'],
    ['dark', 'print'],
  ] as const)('every text has contrast: %s, %s', async (colorScheme, media) => {
    await page.emulateMedia({ colorScheme, media });
    const pale = await page.evaluate(`${CHECKS}; paleTexts(4.5)`);
    expect(pale).toEqual([]);
    // More than any contrast: all texts are looked at.
    expect(await page.evaluate(`${CHECKS}; paleTexts(22).length`)).toBeGreaterThan(50);
    const paper = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(paper).toBe(
      media === 'print'
        ? 'rgb(255, 255, 255)'
        : colorScheme === 'dark'
          ? 'rgb(20, 23, 26)'
          : 'rgb(251, 251, 250)',
    );
  });

  it('needs no sideways scrolling of the page on a telephone', async () => {
    await page.setViewportSize({ width: 380, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(380);
  });
});
