/** --workers: whatever the source and however it ends, everything is as with one thread. */
import { readFile, rm, utimes } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import * as arrow from 'apache-arrow';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Desk, openDesk, type StoredHash } from '../support/desk.ts';
import { loadKilled } from '../support/killing.ts';
import { column, toParquet, utf8 } from '../support/make-parquet.ts';
import { runInPieces } from '../support/small-pieces.js';
import { start } from '../support/spawn.ts';

const SCHEMA = `
name: workers
key: "k:{id}"
ttl: 1h
ttl_jitter: 20%
event_time: at
features:
  x: { type: string, null: empty }
  n: int32
  at: { type: timestamp, unit: s }
  loaded: { type: timestamp, value: ingest_time }
`;
const ROWS = 1500;
const KEYS = 1100;

interface Row {
  readonly id: string;
  readonly x: string | null;
  readonly n: string;
  readonly at: number;
}

/** Keys come again, near and far; every 97th row is bad. Times of the same key go up and down. */
function row(i: number): Row {
  const x = i % 5 === 0 ? null : i % 7 === 0 ? `a "quoted" text,\nof ${i}\r\n lines` : `text ${i}`;
  return {
    id: `${(i * 7) % KEYS}`,
    x,
    n: i % 97 === 5 ? 'none' : `${i}`,
    at: 1_700_000_000 + ((i * 37) % 1000),
  };
}

const rows = Array.from({ length: ROWS }, (_, i) => row(i));
const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const line = ({ id, x, n, at }: Row): string => `${id},${quoted(x ?? '')},${n},${at}\n`;
const csv = `id,x,n,at\n${rows.map(line).join('')}`;
const goodCsv = csv.replaceAll(',none,', ',77,');
/** The bytes before row i of the text. */
const upTo = (i: number): string => `id,x,n,at\n${rows.slice(0, i).map(line).join('')}`;

function typed(): Record<string, arrow.Vector> {
  return {
    id: utf8(rows.map(({ id }) => id)),
    x: utf8(rows.map(({ x }) => x)),
    n: utf8(rows.map(({ n }) => n)),
    at: column(
      new arrow.Int64(),
      rows.map(({ at }) => BigInt(at)),
    ),
  };
}

let desk: Desk;
let schema: string;
beforeAll(async () => {
  desk = await openDesk();
  schema = await desk.file('schema.yaml', SCHEMA);
});
afterAll(() => desk.close());
beforeEach(async () => {
  await desk.client.flushall();
});

interface Outcome {
  readonly code: number;
  readonly message: string;
  readonly report: Record<string, unknown>;
  readonly rejects: string | null;
  readonly fields: Record<string, unknown>;
  readonly ttls: readonly number[];
  readonly threads: number;
  readonly hasWriteFailures: boolean;
}

interface LoadOptions {
  readonly signal?: AbortSignal;
  /** The files of the run before are left. */
  readonly keep?: boolean;
  readonly odd?: readonly string[];
}

/** Runs in this process with threads of the built program. */
async function load(
  workers: number,
  argv: readonly string[],
  { signal = new AbortController().signal, keep = false, odd = [] }: LoadOptions = {},
): Promise<Outcome & { stderr: string }> {
  const [report, rejects] = [desk.path('run.json'), desk.path('bad.csv')];
  if (!keep) for (const file of [report, rejects]) await rm(file, { force: true });
  const stderr = new PassThrough();
  const io = { stdout: sink(), stderr: asTty(stderr), env: { REDIS_URL: desk.redis.url }, signal };
  const full = [...argv, '--report', report, '--workers', String(workers)];
  const code = await runInPieces(full, io);
  const said = String(stderr.read() ?? '');
  const told = JSON.parse(await readFile(report, 'utf8'));
  const { counts, failures_by_code, skipped_by_code, first_failures, error, sources, resumed_rows } = told;
  if (odd.length > 0) await desk.client.del(...odd);
  const stored = await desk.take();
  const [fields, ttls] = apart(stored);
  return {
    code,
    message: /^featurectl: .*$/m.exec(said)?.[0] ?? '',
    report: { counts, failures_by_code, skipped_by_code, first_failures, error, resumed_rows, read: sources },
    rejects: await readFile(rejects, 'latin1').catch(() => null),
    fields,
    ttls,
    threads: told.workers,
    hasWriteFailures: counts.failed > 0,
    stderr: said,
  };
}

const asTty = (stream: PassThrough): NodeJS.WriteStream => stream as unknown as NodeJS.WriteStream;
const sink = (): NodeJS.WriteStream => asTty(new PassThrough().resume());

/** `loaded` is the time of the run; TTLs run while they are compared. */
function apart(stored: Record<string, StoredHash>): [Record<string, unknown>, number[]] {
  const fields: Record<string, unknown> = {};
  for (const [key, hash] of Object.entries(stored)) {
    const { loaded, ...rest } = hash.fields;
    fields[key] = { ...rest, loaded: typeof loaded };
  }
  return [fields, Object.values(stored).map(({ ttlMs }) => ttlMs)];
}

function expectSame(
  found: Outcome & { stderr: string },
  clean: Outcome & { stderr: string },
  exactEnd: boolean,
): void {
  const facts = ({ code, message, report, rejects, fields, hasWriteFailures }: Outcome) => {
    // How far the reader was ahead when the run was stopped is no promise.
    const read = exactEnd ? report.read : null;
    const all = { code, message, report: { ...report, read } as Record<string, unknown>, rejects, fields };
    if (!hasWriteFailures) return all;
    // What Redis refuses comes among what was rejected before when its answer does.
    const { first_failures, ...counted } = all.report;
    return { ...all, report: counted, rejects: rejects?.split('\n').sort() };
  };
  expect(facts(found), found.stderr).toEqual(facts(clean));
  expect(found.ttls.length).toBe(clean.ttls.length);
  found.ttls.forEach((ttl, i) => {
    expect(Math.abs(ttl - clean.ttls[i]!)).toBeLessThan(60_000);
  });
}

const ALL = ['--max-errors', 'all'];

interface Case {
  readonly name: string;
  /** File name → content. */
  readonly files: () => Record<string, string | Buffer>;
  readonly flags?: readonly string[];
  readonly rejects?: boolean;
  /** Keys that are of another type, so that their rows fail in Redis. */
  readonly odd?: readonly string[];
  readonly code: number;
  readonly workers?: readonly number[];
  /** Whether there is more than one piece. */
  readonly isCut: boolean;
  /** The place where it stops is not promised. */
  readonly isLoose?: boolean;
}

const CASES: readonly Case[] = [
  {
    name: 'CSV with line ends in quotes',
    files: () => ({ 'in.csv': csv }),
    flags: ALL,
    rejects: true,
    code: 1,
    workers: [1, 2, 4],
    isCut: true,
  },
  { name: 'CSV of which nothing is rejected', files: () => ({ 'in.csv': goodCsv }), code: 0, isCut: true },
  {
    name: 'CSV with a byte order mark, CRLF and blank lines',
    files: () => ({ 'in.csv': `\ufeff${goodCsv.replace(/(?<=\d)\n/g, '\r\n\r\n')}` }),
    code: 0,
    isCut: true,
  },
  { name: 'no bad row is allowed', files: () => ({ 'in.csv': csv }), rejects: true, code: 3, isCut: true },
  {
    name: 'nine bad rows are allowed',
    files: () => ({ 'in.csv': csv }),
    flags: ['--max-errors', '9'],
    code: 3,
    isCut: true,
  },
  {
    name: 'a share of bad rows is allowed',
    files: () => ({ 'in.csv': csv }),
    flags: ['--max-errors', '1%'],
    code: 3,
    isLoose: true,
    isCut: true,
  },
  {
    name: 'a larger share is allowed',
    files: () => ({ 'in.csv': csv }),
    flags: ['--max-errors', '2%'],
    code: 1,
    isCut: true,
  },
  {
    name: 'a quote that is not closed',
    files: () => ({ 'in.csv': `${upTo(900).replaceAll(',none,', ',7,')}1,"open,3,4\n${goodCsv}` }),
    code: 4,
    isCut: true,
  },
  {
    name: 'a record that is too long',
    files: () => ({ 'in.csv': `${upTo(700)}1,${'x'.repeat(9000)},3,4\n${upTo(500)}` }),
    flags: [...ALL, '--max-record-size', '4KiB'],
    code: 4,
    isCut: true,
  },
  {
    name: 'bytes that are no UTF-8, and ragged rows',
    files: () => ({
      'in.csv': Buffer.concat([
        Buffer.from(upTo(800)),
        Buffer.from([0x39, 0x2c, 0xff, 0xfe, 0x2c, 0x31, 0x2c, 0x31, 0x0a]),
        Buffer.from(`9,9\n${rows.slice(800).map(line).join('')}`),
      ]),
    }),
    flags: ALL,
    rejects: true,
    code: 1,
    isCut: true,
  },
  {
    name: 'a long delimiter',
    files: () => ({ 'in.csv': goodCsv.replaceAll(',', '||').replaceAll('text||', 'text,') }),
    flags: ['--delimiter', '||', ...ALL],
    rejects: true,
    code: 0,
    isCut: true,
  },
  {
    name: 'text in UTF-16',
    files: () => ({ 'in.csv': Buffer.from(`\ufeff${csv}`, 'utf16le') }),
    flags: ALL,
    rejects: true,
    code: 1,
    isCut: false,
  },
  {
    name: 'gzip',
    files: () => ({ 'in.csv.gz': gzipSync(csv) }),
    flags: ALL,
    rejects: true,
    code: 1,
    isCut: false,
  },
  {
    name: 'a gzip file that is cut',
    files: () => ({ 'in.csv.gz': gzipSync(goodCsv).subarray(0, 9000) }),
    code: 4,
    isCut: false,
  },
  {
    name: 'ndjson',
    files: () => ({ 'in.ndjson': rows.map((one) => JSON.stringify(one)).join('\n') }),
    flags: ALL,
    rejects: true,
    code: 1,
    isCut: false,
  },
  {
    name: 'Parquet of several row groups',
    files: () => ({ 'in.parquet': toParquet(typed(), 130) }),
    flags: ALL,
    rejects: true,
    code: 1,
    isCut: true,
  },
  {
    name: 'Arrow',
    files: () => ({ 'in.arrow': Buffer.from(arrow.tableToIPC(new arrow.Table(typed()), 'file')) }),
    flags: ALL,
    rejects: true,
    code: 1,
    isCut: false,
  },
  {
    name: 'several files, connections and small chunks',
    files: () => ({
      'a.csv': csv,
      'b.csv': `n,at,id,x\n1,2,3,4\n`,
      'c.csv': csv.replaceAll('text', 'later'),
    }),
    flags: [...ALL, '--connections', '3', '--chunk-rows', '7'],
    rejects: true,
    code: 1,
    isCut: true,
  },
  {
    name: 'a shard of several files',
    files: () => ({ 'a.csv': csv, 'b.csv': csv.replaceAll('text', 'later') }),
    flags: [...ALL, '--shard', '2/3'],
    rejects: true,
    code: 1,
    isCut: true,
  },
  {
    name: 'Parquet rows that Redis refuses',
    files: () => ({ 'in.parquet': toParquet(typed(), 400) }),
    flags: ALL,
    rejects: true,
    odd: ['k:7', 'k:700'],
    code: 1,
    isCut: true,
  },
  {
    name: 'CSV rows that Redis refuses',
    files: () => ({ 'in.csv': csv }),
    flags: [...ALL, '--connections', '2'],
    rejects: true,
    odd: ['k:7', 'k:700'],
    code: 1,
    isCut: true,
  },
  { name: '--dry-run', files: () => ({ 'in.csv': csv }), flags: [...ALL, '--dry-run'], code: 1, isCut: true },
  {
    name: 'mode newer',
    files: () => ({ 'in.csv': csv }),
    flags: [...ALL, '--mode', 'newer'],
    code: 1,
    isCut: true,
  },
  {
    name: 'mode replace',
    files: () => ({ 'in.csv': csv }),
    flags: [...ALL, '--mode', 'replace', '--connections', '2'],
    code: 1,
    isCut: true,
  },
  { name: 'a header and no row', files: () => ({ 'in.csv': 'id,x,n,at\n' }), code: 0, isCut: false },
  {
    name: 'a second file without a needed column',
    files: () => ({ 'a.csv': goodCsv, 'b.csv': 'id,x\n1,2\n' }),
    code: 2,
    isCut: true,
  },
];

it.each(CASES)(
  '$name',
  async ({ files, flags = [], rejects = false, odd = [], code, workers = [2], isCut, isLoose = false }) => {
    const paths: string[] = [];
    for (const [name, content] of Object.entries(files())) paths.push(await desk.file(name, content));
    const more = rejects ? ['--rejects', desk.path('bad.csv')] : [];
    const argv = ['ingest', ...paths, '--schema', schema, ...flags, ...more];
    const spoil = async (): Promise<void> => {
      for (const key of odd) await desk.client.set(key, 'another type');
    };
    await spoil();
    const clean = await load(0, argv, { odd });
    if (odd.length > 0) expect(clean.report.failures_by_code).toHaveProperty('WRONGTYPE');
    expect(clean, clean.stderr).toMatchObject({ code, threads: 0 });
    for (const count of workers) {
      await spoil();
      const found = await load(count, argv, { odd });
      if (isLoose) expect(found.code, found.stderr).toBe(code);
      else expectSame(found, clean, code < 2);
      // A run that is stopped early has not used all of them.
      if (code < 2) expect(found.threads).toBe(isCut ? count : 1);
    }
  },
);

const bad = () => desk.path('bad.csv');
const checkpointed = (file: string, ...more: string[]): string[] => {
  return [
    'ingest',
    file,
    '--schema',
    schema,
    ...ALL,
    '--rejects',
    bad(),
    '--checkpoint',
    desk.path('cp.json'),
    ...more,
  ];
};

it('interrupted by a signal it ends with what is written, and goes on from there', async () => {
  const file = await desk.file('signal.csv', csv);
  await rm(desk.path('cp.json'), { force: true });
  const clean = await load(0, ['ingest', file, '--schema', schema, ...ALL, '--rejects', bad()]);
  const abort = new AbortController();
  const running = load(2, checkpointed(file, '--rate', '1k/s', '--chunk-rows', '20'), {
    signal: abort.signal,
  });
  while ((await desk.client.dbsize()) < 200) await new Promise((resolve) => setTimeout(resolve, 10));
  abort.abort(130);
  const first = await running;
  expect(first.code, first.stderr).toBe(130);
  expect(Object.keys(first.fields).length).toBeLessThan(KEYS);
  const second = await load(2, checkpointed(file), { keep: true });
  expect(second.code, second.stderr).toBe(1);
  expect(second.report).toMatchObject({
    counts: clean.report.counts,
    failures_by_code: clean.report.failures_by_code,
  });
  expect(second.rejects).toBe(clean.rejects);
  expect({ ...first.fields, ...second.fields }).toEqual(clean.fields);
});

it('killed at random moments and resumed it ends as after one clean run with one thread', async () => {
  const file = await desk.file('kills.csv', csv);
  let kills = 3;
  const argv = ['ingest', file, '--schema', schema, ...ALL, '--rate', '2k/s', '--chunk-rows', '50'];
  const entry = new URL('../support/small-pieces.js', import.meta.url).pathname;
  const common = { prepare: async () => void (await desk.client.flushall()), tidy: async () => {} };
  const clean = await loadKilled(desk, { ...common, argv, killAfter: () => null });
  const killed = await loadKilled(desk, {
    ...common,
    argv: [...argv, '--workers', '2'],
    entry,
    killAfter: () => (kills-- > 0 ? 400 + Math.random() * 800 : null),
  });
  const facts = ({ code, counts, failures, rejects, stored }: typeof clean) => {
    const fields = Object.entries(stored).map(([key, { loaded, ...rest }]) => [key, rest, typeof loaded]);
    return { code, counts, failures, rejects, fields };
  };
  expect(facts(killed)).toEqual(facts(clean));
  expect(killed.ttls.min).toBeGreaterThan(0);
});

it('a file that is another one when a thread opens it ends the run', async () => {
  const file = await desk.file('changing.csv', csv);
  const running = load(2, [
    'ingest',
    file,
    '--schema',
    schema,
    ...ALL,
    '--rate',
    '1k/s',
    '--chunk-rows',
    '20',
  ]);
  while ((await desk.client.dbsize()) < 100) await new Promise((resolve) => setTimeout(resolve, 5));
  await utimes(file, 1, 1);
  const { code, message, report, fields } = await running;
  expect(code).toBe(4);
  expect(message).toContain('SOURCE_CHANGED');
  const { read, written, rejected } = report.counts as Record<string, number>;
  expect(read).toBe(written! + rejected!);
  expect(Object.keys(fields).length).toBeGreaterThan(0);
});

it('standard input, and a small load without --workers, are done in the main thread', async () => {
  const file = await desk.file('small.csv', goodCsv);
  const report = desk.path('run.json');
  const env = { REDIS_URL: desk.redis.url };
  const argv = (source: string) => ['ingest', source, '--schema', schema, '--report', report];
  const piped = await start([...argv('-'), '--workers', '2'], env, goodCsv).done;
  expect(piped.code, piped.stderr).toBe(0);
  expect(JSON.parse(await desk.read('run.json'))).toMatchObject({ workers: 0, counts: { written: ROWS } });
  const small = await start(argv(file), env).done;
  expect(small.code, small.stderr).toBe(0);
  expect(JSON.parse(await desk.read('run.json'))).toMatchObject({ workers: 0, counts: { written: ROWS } });
});

it('a thread that dies fails what waits for it, at once and later', async () => {
  const url = new URL('../../dist/commands/encode-link.js', import.meta.url).href;
  const { startLink }: typeof import('../../src/commands/encode-link.ts') = await import(url);
  const link = startLink({
    recipe: { options: {} as never, text: 'no: schema', columns: [] },
    reading: {} as never,
    startedAt: 0,
    mode: 'merge',
    withRecords: false,
    maxAhead: 1,
  });
  const piece = { id: 1, location: {} as never, range: null, state: {} as never, cutEvery: null };
  await expect(link.ask(piece).next()).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringMatching(
      /an encoding thread died: .*SCHEMA|an encoding thread died: FeaturectlError/,
    ),
  });
  await expect(link.ask({ ...piece, id: 2 }).next()).rejects.toMatchObject({ exitCode: 5 });
  await link.stop();
});
