/** --checkpoint as a user meets it: what resumes, what is refused, and what is said. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { counted } from '../../src/core/units.ts';
import { checkpointText } from '../../src/output/checkpoint.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';
import type { RunResult } from '../support/run.ts';
import { start } from '../support/spawn.ts';

let desk: Desk;
let file: string;
let schema: string;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

const ROWS = 3000;
const csv = (from: number, rows: number): string =>
  `id,x\n${Array.from({ length: rows }, (_, i) => `${from + i},${from + i === 2500 ? 'bad' : from + i}\n`).join('')}`;

beforeEach(async () => {
  await desk.client.flushall();
  for (const name of ['cp.json', 'bad.csv', 'run.json']) await rm(desk.path(name), { force: true });
  file = await desk.file('in.csv', csv(0, ROWS));
  schema = await desk.file('schema.yaml', schemaText({ x: 'int32' }));
});

function command(more: readonly string[] = [], sources: readonly string[] = [file]): string[] {
  const files = ['--checkpoint', desk.path('cp.json'), '--rejects', desk.path('bad.csv')];
  return ['ingest', ...sources, '--schema', schema, ...files, '--report', desk.path('run.json'), ...more];
}

const report = async () => JSON.parse(await desk.read('run.json'));
/** Without its sum. */
const checkpoint = async () => {
  const { sha256: _, ...rest } = JSON.parse(await desk.read('cp.json'));
  return rest;
};

/** Interrupted when Redis has this many keys. */
async function interrupted(argv: readonly string[], keys: number): Promise<RunResult> {
  const abort = new AbortController();
  const running = desk.run([...argv, '--rate', '2k/s', '--chunk-rows', '20'], { signal: abort.signal });
  while ((await desk.client.dbsize()) < keys) await new Promise((resolve) => setTimeout(resolve, 10));
  abort.abort(130);
  return running;
}

it('a load that was interrupted goes on where it was, and says how', async () => {
  const first = await interrupted(command(['--max-errors', '5']), 700);
  expect(first.code).toBe(130);
  expect(first.stderr).toContain('To go on from there: featurectl ingest ');
  expect(first.stderr).toContain(`--checkpoint ${desk.path('cp.json')}`);
  const done = (await checkpoint()).counts.read;
  expect(done).toBeGreaterThanOrEqual(700);
  expect(done).toBeLessThan(ROWS);
  await desk.client.flushall();

  const second = await desk.run(command(['--max-errors', '5']));
  expect(second.code, second.stderr).toBe(1);
  expect(second.stderr).toContain(`goes on after what is done: ${counted(done, 'row')} read`);
  // What was done before was not sent again.
  expect(Object.keys(await desk.take())).toHaveLength(ROWS - done - 1);
  expect(await report()).toMatchObject({
    resumed_rows: done,
    counts: { read: ROWS, written: ROWS - 1, rejected: 1, failed: 0, skipped: 0 },
    failures_by_code: { INT: 1 },
  });
  expect(await desk.read('bad.csv')).toMatch(/\n2500,bad,.*,2502,map,INT,/);

  const third = await desk.run(command(['--max-errors', '5']));
  // As at its end: a retry must not make rejected rows green.
  expect(third.code).toBe(1);
  expect(third.stderr).toContain(
    `this load is complete: ${counted(ROWS, 'row')} read, ${counted(ROWS - 1, 'row').replace(' rows', '')} written, 1 rejected. `,
  );
  expect(Object.keys(await desk.take())).toHaveLength(0);
  expect((await report()).counts.read).toBe(ROWS);
  expect(await desk.read('bad.csv')).toContain('2500,bad');
});

it('with --quiet a complete load is complete in silence, and what it rejected is told again', async () => {
  const good = await desk.file('good.csv', csv(10_000, 5));
  const clean = ['--checkpoint', desk.path('clean.json')];
  await desk.run(['ingest', good, '--schema', desk.path('schema.yaml'), ...clean]);
  const again = await desk.run(['ingest', good, '--schema', desk.path('schema.yaml'), ...clean, '--quiet']);
  expect(again).toMatchObject({ code: 0, stderr: '', stdout: '' });

  await desk.run(command(['--max-errors', '5']));
  const failed = await desk.run(command(['--max-errors', '5', '--quiet']));
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toContain('1 of 3,000 rows are bad (INT 1)');
});

it('many files: those that are done are not read again', async () => {
  const sources = [await desk.file('a.csv', csv(10_000, 800)), await desk.file('b.csv', csv(20_000, 800))];
  const first = await interrupted(command([], sources), 1000);
  expect(first.code).toBe(130);
  expect((await checkpoint()).place.source).toBe(1);
  await desk.client.flushall();
  const second = await desk.run(command([], sources));
  expect(second.code, second.stderr).toBe(0);
  const keys = Object.keys(await desk.take());
  expect(keys.length).toBeLessThanOrEqual(600);
  expect(keys.every((key) => key.startsWith('k:20'))).toBe(true);
  expect((await report()).counts).toMatchObject({ read: 1600, written: 1600 });
});

it('many files: interrupted again in the file where a run went on', async () => {
  const sources = [await desk.file('a.csv', csv(10_000, 800)), await desk.file('b.csv', csv(20_000, 1600))];
  await interrupted(command([], sources), 1000);
  const before = (await checkpoint()).place;
  await interrupted(command([], sources), 1500);
  const { place } = await checkpoint();
  expect(place.source).toBe(1);
  expect(place.position.row).toBeGreaterThan(before.position.row);
  const last = await desk.run(command([], sources));
  expect(last.code, last.stderr).toBe(0);
  expect((await report()).counts).toMatchObject({ read: 2400, written: 2400, rejected: 0 });
  expect(Object.keys(await desk.take())).toHaveLength(2400);
});

it('without a schema file the first source makes the schema, wherever the run begins', async () => {
  const sources = [
    await desk.file('a.csv', csv(10_000, 800)),
    await desk.file('b.csv', 'x,id,more\n1,2,3\n'),
  ];
  const argv = ['ingest', ...sources, '--key', 'id', '--ttl', '1h', '--checkpoint', desk.path('cp.json')];
  await interrupted([...argv, '--chunk-rows', '10'], 500);
  const place = { source: 1, position: { row: 0, line: 2, byte: 10 } };
  await desk.file('cp.json', checkpointText({ ...(await checkpoint()), place }));
  await desk.client.flushall();
  expect((await desk.run(argv)).code).toBe(0);
  expect((await desk.take())['2']?.fields).toEqual({ x: '1' });
});

it('the budget counts what earlier runs found, and may be raised', async () => {
  const stopped = await desk.run(command());
  expect(stopped.code).toBe(3);
  expect((await checkpoint()).counts).toMatchObject({ read: 2501, written: 2500, rejected: 1 });
  expect((await desk.run(command())).code).toBe(3);
  const raised = await desk.run(command(['--max-errors', '1']));
  expect(raised.code, raised.stderr).toBe(1);
  expect((await report()).counts).toMatchObject({ read: ROWS, written: ROWS - 1, rejected: 1 });
  expect((await desk.read('bad.csv')).trim().split('\n')).toHaveLength(2);
});

describe('a Redis that goes away', () => {
  /** Exit 4 when the server is gone. */
  async function loseRedis(): Promise<void> {
    const argv = command([
      '--max-errors',
      '5',
      '--rate',
      '2k/s',
      '--chunk-rows',
      '20',
      '--retry-for',
      '300ms',
    ]);
    const running = desk.run(argv);
    while ((await desk.client.dbsize()) < 500) await new Promise((resolve) => setTimeout(resolve, 10));
    await desk.redis.kill();
    const lost = await running;
    expect(lost.code, lost.stderr).toBe(4);
    expect((await checkpoint()).failures_by_code).not.toHaveProperty('UNSETTLED');
  }
  const all = { read: ROWS, written: ROWS - 1, rejected: 1, failed: 0, skipped: 0 };

  it('and comes back with what it had taken: rows in doubt are sent again', async () => {
    await desk.redis.cli('CONFIG', 'SET', 'appendonly', 'yes');
    while (/aof_rewrite_in_progress:1|aof_rewrite_scheduled:1/.test(String(await desk.redis.cli('INFO')))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await loseRedis();
    await desk.redis.restart(['--appendonly', 'yes']);
    const resumed = await desk.run(command(['--max-errors', '5']));
    expect(resumed.code, resumed.stderr).toBe(1);
    expect((await report()).counts).toEqual(all);
    expect(await desk.read('bad.csv')).not.toContain('UNSETTLED');
    expect(await desk.client.dbsize()).toBe(ROWS - 1);
    await desk.redis.restart();
  });

  it('and comes back empty: the next run does not go on, and the one after it begins at the start', async () => {
    await loseRedis();
    await desk.redis.restart();
    const refused = await desk.run(command(['--max-errors', '5']));
    expect(refused.code, refused.stderr).toBe(4);
    expect(refused.stderr).toContain('[REDIS_DATA_LOSS]');
    expect(refused.stderr).toContain('removed, so that the next run begins at the start');
    expect(existsSync(desk.path('cp.json'))).toBe(false);
    const again = await desk.run(command(['--max-errors', '5']));
    expect(again.code, again.stderr).toBe(1);
    expect((await report()).counts).toEqual(all);
    expect(await desk.client.dbsize()).toBe(ROWS - 1);
  });

  it('and comes back empty while the load waits for it', async () => {
    const running = desk.run(
      command(['--max-errors', '5', '--rate', '2k/s', '--chunk-rows', '20', '--quiet']),
    );
    while ((await desk.client.dbsize()) < 500) await new Promise((resolve) => setTimeout(resolve, 10));
    await desk.redis.restart();
    const lost = await running;
    expect(lost.code, lost.stderr).toBe(4);
    expect(lost.stderr).toContain('[REDIS_DATA_LOSS]');
    expect(existsSync(desk.path('cp.json'))).toBe(false);
  });
});

it('a disk that takes no more checkpoints ends the run, with what is settled counted', async () => {
  const lost = desk.path('lost');
  await mkdir(lost);
  const argv = [
    'ingest',
    file,
    '--schema',
    schema,
    '--max-errors',
    '5',
    '--checkpoint',
    join(lost, 'cp.json'),
  ];
  const running = desk.run([...argv, '--rate', '1k/s', '--chunk-rows', '20']);
  while ((await desk.client.dbsize()) < 200) await new Promise((resolve) => setTimeout(resolve, 10));
  await rm(lost, { recursive: true });
  const { code, stderr } = await running;
  expect(stderr).toMatch(/cannot write the checkpoint .*\[OUTPUT\]/);
  expect(code).toBe(4);
  expect(await desk.client.dbsize()).toBeLessThan(ROWS - 1);
  expect(stderr).toMatch(
    new RegExp(`written +${await desk.client.dbsize()}\\n`.replace(/(\d)(\d{3})/, '$1,?$2')),
  );
});

it('a second signal ends it at once, and the next run goes on all the same', async () => {
  const argv = [
    'ingest',
    file,
    '--schema',
    schema,
    '--max-errors',
    '5',
    '--checkpoint',
    desk.path('cp.json'),
  ];
  const run = start([...argv, '--rate', '1k/s', '--chunk-rows', '20'], { REDIS_URL: desk.redis.url });
  while ((await desk.client.dbsize()) < 1500) await new Promise((resolve) => setTimeout(resolve, 10));
  // Rows have to be on the way, or the first signal ends it.
  await desk.client.call('CLIENT', 'PAUSE', '8000', 'WRITE');
  await new Promise((resolve) => setTimeout(resolve, 300));
  run.child.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 200));
  run.child.kill('SIGTERM');
  expect(await run.done).toMatchObject({ code: 143, signal: null });
  await desk.client.call('CLIENT', 'UNPAUSE');
  const next = await desk.run([...argv, '--report', desk.path('run.json')]);
  expect(next.code, next.stderr).toBe(1);
  expect((await report()).counts).toMatchObject({ read: ROWS, written: ROWS - 1, rejected: 1 });
  expect(Object.keys(await desk.take())).toHaveLength(ROWS - 1);
});

describe('refused', () => {
  const changes: [string, () => Promise<unknown>, readonly string[], RegExp][] = [
    [
      'a longer source',
      () => desk.file('in.csv', csv(0, ROWS + 1)),
      [],
      /source .*in\.csv had \d+ bytes, has \d+/,
    ],
    [
      'a source that was touched',
      () => utimes(file, new Date(), new Date(Date.now() + 5000)),
      [],
      /source .*in\.csv was of .*, is of /,
    ],
    [
      'another schema',
      () => desk.file('schema.yaml', schemaText({ x: 'int64' })),
      [],
      /the schema has changed/,
    ],
    ['another mode', async () => {}, ['--mode', 'replace'], /--mode was merge, is replace/],
    ['another delimiter', async () => {}, ['--delimiter', ';'], /--delimiter was not given, is ;/],
    [
      'another Redis',
      async () => {},
      ['--redis', 'redis://u:secret@127.0.0.1:1/3'],
      /--redis was .*, is redis:\/\/u:\*\*\*@/,
    ],
  ];
  it.each(changes)('%s', async (_name, change, more, message) => {
    await interrupted(command(), 300);
    await desk.client.flushall();
    await change();
    const before = await desk.read('cp.json');
    const refused = await desk.run(command(more));
    expect(refused.code, refused.stderr).toBe(2);
    expect(refused.stderr).toMatch(message);
    expect(refused.stderr).toContain('[CHECKPOINT]');
    expect(await desk.client.dbsize()).toBe(0);
    expect(await desk.read('cp.json')).toBe(before);
  });

  it('another load after one that is complete', async () => {
    await desk.run(command(['--max-errors', '5']));
    await desk.file('in.csv', csv(0, ROWS + 1));
    const refused = await desk.run(command(['--max-errors', '5']));
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('That load is complete: remove the file to begin this one'),
    });
  });

  it('another list of sources', async () => {
    await interrupted(command(), 300);
    const refused = await desk.run(command([], [file, await desk.file('more.csv', csv(0, 1))]));
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/the sources were .*, are .*more\.csv/),
    });
  });

  it('a rejects file that lost what it held', async () => {
    await desk.run(command());
    await truncate(desk.path('bad.csv'), (await desk.read('bad.csv')).length - 3);
    const refused = await desk.run(command(['--max-errors', '1']));
    expect(refused).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/expected the \d+ bytes that the checkpoint/),
    });
  });

  it('a file that is no checkpoint is left alone', async () => {
    await desk.file('cp.json', '{"mine": true}');
    const refused = await desk.run(command());
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('found a file of another kind'),
    });
    expect(await desk.read('cp.json')).toBe('{"mine": true}');
  });

  it('a named pipe, which nobody writes to', { timeout: 20_000 }, async () => {
    const pipe = desk.path('pipe.json');
    execFileSync('mkfifo', [pipe]);
    const refused = await desk.run(['ingest', file, '--schema', schema, '--checkpoint', pipe]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('found a file of another kind'),
    });
  });

  it.each<[string, (text: string) => string]>([
    ['another place', (text) => text.replace(/"row": \d+/, '"row": 999999')],
    ['another count', (text) => text.replace(/"written": \d+/, '"written": 1')],
    ['no counts', (text) => text.replace(/"counts": \{[^}]*\}/, '"counts": null')],
    ['no failures', (text) => text.replace('"first_failures": []', '"first_failures": null')],
    ['no sum', (text) => text.replace(/,\s*"sha256": "\w+"/, '')],
  ])('a checkpoint that was damaged or edited: %s', async (_name, change) => {
    await interrupted(command(), 300);
    await desk.client.flushall();
    const damaged = change(await desk.read('cp.json'));
    await desk.file('cp.json', damaged);
    const refused = await desk.run(command());
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/cp\.json: expected what a run wrote there, found .*\[CHECKPOINT\]/),
    });
    expect(await desk.client.dbsize()).toBe(0);
    expect(await desk.read('cp.json')).toBe(damaged);
  });

  it.each([
    ['standard input', ['ingest', '-', '--format', 'csv'], 2, /sources that can be read again .*, found -/],
    ['--dry-run', ['ingest', 'in.csv', '--dry-run'], 2, /cannot go with --dry-run/],
    ['the source', ['ingest', 'SELF'], 2, /--checkpoint .* is also the source/],
  ])('%s', async (_name, argv, code, message) => {
    const path = argv.includes('SELF') ? file : desk.path('cp.json');
    const words = argv.map((word) => (word === 'SELF' || word === 'in.csv' ? file : word));
    const refused = await desk.run([...words, '--schema', schema, '--checkpoint', path]);
    expect(refused).toMatchObject({ code, stderr: expect.stringMatching(message) });
    expect(await readFile(file, 'utf8')).toBe(csv(0, ROWS));
  });

  it('a checkpoint that cannot be written, before the first write', async () => {
    const path = desk.path('none/cp.json');
    const refused = await desk.run(['ingest', file, '--schema', schema, '--checkpoint', path]);
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringMatching(/cannot write the checkpoint/) });
    expect(await desk.client.dbsize()).toBe(0);
    expect(existsSync(path)).toBe(false);
  });
});
