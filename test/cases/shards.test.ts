/** Shards of a plan, loaded one by one or side by side, give what one run gives. */
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import * as arrow from 'apache-arrow';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Desk, openDesk, type StoredHash } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';
import { start } from '../support/spawn.ts';

type ParquetWasm = typeof import('parquet-wasm');
const parquet = createRequire(import.meta.url)('parquet-wasm') as ParquetWasm;

let desk: Desk;
let schema: string;
beforeAll(async () => {
  desk = await openDesk();
  schema = await desk.file('schema.yaml', schemaText({ x: '\n  x: int32\n  t: string' }));
});
afterAll(() => desk.close());
beforeEach(async () => void (await desk.client.flushall()));

/** Rows of `prefix`; every 10th text has line ends and quotes, every 100th number is none. */
function rows(prefix: string, count: number) {
  return Array.from({ length: count }, (_, i) => ({
    id: `${prefix}${i}`,
    x: i % 100 === 50 ? 'none' : String(i),
    t: i % 10 === 3 ? `one\n"two",\r\nthree\n${i}` : `text ${i}`,
  }));
}

function csv(prefix: string, count: number): string {
  const lines = rows(prefix, count).map(({ id, x, t }) => `${id},${x},"${t.replaceAll('"', '""')}"\n`);
  return `id,x,t\n${lines.join('')}`;
}

function parquetOf(prefix: string, count: number, rowGroup: number): Buffer {
  const all = rows(prefix, count);
  const column = (name: 'id' | 'x' | 't') =>
    arrow.vectorFromArray(
      all.map((row) => row[name]),
      new arrow.Utf8(),
    );
  const table = new arrow.Table({ id: column('id'), x: column('x'), t: column('t') });
  const wasm = parquet.Table.fromIPCStream(arrow.tableToIPC(table, 'stream'));
  const properties = new parquet.WriterPropertiesBuilder().setMaxRowGroupSize(rowGroup).build();
  return Buffer.from(parquet.writeParquet(wasm, properties));
}

interface Loaded {
  readonly counts: Record<string, number>;
  readonly rejects: readonly string[];
  readonly fields: Record<string, StoredHash['fields']>;
}

async function loadAll(loads: readonly (readonly string[])[]): Promise<Loaded> {
  const counts: Record<string, number> = {};
  const rejects: string[] = [];
  for (const [i, argv] of loads.entries()) {
    const [bad, report] = [desk.path(`bad-${i}.csv`), desk.path(`run-${i}.json`)];
    const outputs = ['--rejects', bad, '--report', report, '--max-errors', 'all'];
    const { code, stderr } = await desk.run(['ingest', ...argv, '--schema', schema, ...outputs]);
    expect(code, stderr).toBeLessThan(2);
    for (const [name, rows] of Object.entries<number>(JSON.parse(await desk.read(`run-${i}.json`)).counts)) {
      counts[name] = (counts[name] ?? 0) + rows;
    }
    if (code === 1)
      rejects.push(
        ...parse(await desk.read(`bad-${i}.csv`))
          .slice(1)
          .map(String),
      );
  }
  const fields = Object.fromEntries(
    Object.entries(await desk.take()).map(([key, hash]) => [key, hash.fields]),
  );
  return { counts, rejects: rejects.sort(), fields };
}

async function plan(
  sources: readonly string[],
  shards: number,
  more: readonly string[] = [],
): Promise<string[]> {
  const { code, stdout, stderr } = await desk.run(['plan', ...sources, '--shards', String(shards), ...more]);
  expect(code, stderr).toBe(0);
  return stdout.trim().split('\n');
}

const KINDS: [string, () => Promise<string[]>][] = [
  ['CSV', async () => [await desk.file('in.csv', csv('a', 1000))]],
  ['CSV with a byte order mark', async () => [await desk.file('bom.csv', `\ufeff${csv('a', 1000)}`)]],
  ['gzip', async () => [await desk.file('in.csv.gz', gzipSync(csv('a', 1000)))]],
  ['Parquet of many row groups', async () => [await desk.file('in.parquet', parquetOf('a', 2000, 150))]],
  ['Parquet of one row group', async () => [await desk.file('one.parquet', parquetOf('a', 1000, 5000))]],
  [
    'several files, one without rows',
    async () => [
      await desk.file('p1.csv', csv('a', 300)),
      await desk.file('p2.csv', 'id,x,t\n'),
      await desk.file('p3.parquet', parquetOf('b', 500, 100)),
      await desk.file('p4.csv', csv('c', 10)),
    ],
  ],
];

describe.each(KINDS)('%s', (_name, write) => {
  it.each([1, 3, 4])('%i shards, each loaded alone, are one run', async (shards) => {
    const sources = await write();
    const whole = await loadAll([sources]);
    expect(whole.rejects.length).toBeGreaterThan(5);
    const lines = await plan(sources, shards);
    expect(lines).toHaveLength(shards);
    const planned = lines.map((line) => JSON.parse(line).rows as number);
    expect(planned.reduce((sum, rows) => sum + rows, 0)).toBe(whole.counts.read);
    expect(Math.max(...planned)).toBeLessThan(1.5 * ((whole.counts.read ?? 0) / shards));
    expect(await loadAll(lines.map((line) => ['--shard', line]))).toEqual(whole);
  });
});

it('a shard by its number, by its line in a file, and as that line is the same', async () => {
  const source = await desk.file('in.csv', csv('a', 400));
  const lines = await plan([source], 3);
  const file = await desk.file('plan.jsonl', `${lines.join('\n')}\n`);
  const byLine = await loadAll([['--shard', lines[1] ?? '']]);
  expect(Object.keys(byLine.fields).length).toBeGreaterThan(100);
  expect(await loadAll([[source, '--shard', '2/3']])).toEqual(byLine);
  expect(await loadAll([['--shard', `${file}:2`]])).toEqual(byLine);
});

it('Parquet is cut at row groups where they are near', async () => {
  const source = await desk.file('in.parquet', parquetOf('a', 2000, 240));
  const shards = (await plan([source], 4)).map((line) => JSON.parse(line).parts[0].to?.row ?? null);
  expect(shards).toEqual([480, 960, 1440, null]);
});

it('more shards than rows: some have none, and load none', async () => {
  const source = await desk.file('few.csv', csv('a', 2));
  const lines = await plan([source], 5);
  const loaded = await loadAll(lines.map((line) => ['--shard', line]));
  expect(loaded.counts).toMatchObject({ read: 2, written: 2 });
  const empty = await desk.file('empty.csv', 'id,x,t\n');
  expect((await loadAll((await plan([empty], 2)).map((line) => ['--shard', line]))).counts.read).toBe(0);
});

it('without a schema file every shard has the schema of the first source', async () => {
  const sources = [await desk.file('p1.csv', 'id,x\n1,1\n'), await desk.file('p2.csv', 'more,x,id\n9,2,2\n')];
  const lines = await plan(sources, 2);
  for (const line of lines) {
    expect((await desk.run(['ingest', '--shard', line, '--key', 'id', '--ttl', '1h'])).code).toBe(0);
  }
  expect((await desk.take())['2']?.fields).toEqual({ x: '2' });
});

it('a shard with a checkpoint resumes as that shard alone', async () => {
  const source = await desk.file('in.csv', csv('a', 400).replaceAll('none', '7'));
  const lines = await plan([source], 2);
  const argv = ['ingest', '--schema', schema, '--checkpoint', desk.path('shard.json')];
  expect((await desk.run([...argv, '--shard', lines[1] ?? ''])).code).toBe(0);
  expect((await desk.run([...argv, '--shard', lines[1] ?? ''])).stderr).toContain(
    'this load is complete: 200 rows',
  );
  const other = await desk.run([...argv, '--shard', lines[0] ?? '']);
  expect(other).toMatchObject({ code: 2, stderr: expect.stringMatching(/--shard was 2\/2 .*, is 1\/2 /) });
});

describe('refused', () => {
  const cases: [string, (line: string, source: string) => readonly string[], number, RegExp][] = [
    ['no source and no shard', () => [], 2, /missing required argument 'source' \(or --shard/],
    [
      'a source beside a planned shard',
      (line, source) => [source, '--shard', line],
      2,
      /whose plan names the sources/,
    ],
    ['a number beyond the shards', (_, source) => [source, '--shard', '4/3'], 2, /counted from 1 to 3/],
    ['no plan', () => ['--shard', 'none.jsonl:1'], 2, /--shard none\.jsonl:1: expected .*no such file/],
    ['no such line', (_, source) => ['--shard', `${source}:9999`], 2, /has no line 9999/],
    [
      'a line of another kind',
      (_, source) => ['--shard', `${source}:1`],
      2,
      /found another text; take a line of what featurectl plan/,
    ],
    [
      'other reading options',
      (line) => ['--shard', line, '--delimiter', ';'],
      2,
      /--delimiter as it was planned with \(not given\)/,
    ],
    ['standard input', () => ['-', '--format', 'csv', '--shard', '1/2'], 2, /found - \(standard input\)/],
  ];
  it.each(cases)('%s', async (_name, argv, code, message) => {
    const source = await desk.file('in.csv', csv('a', 20));
    const [line = ''] = await plan([source], 2);
    const refused = await desk.run(['ingest', ...argv(line, source), '--schema', schema]);
    expect(refused.stderr).toMatch(message);
    expect(refused.code).toBe(code);
    expect(await desk.client.dbsize()).toBe(0);
  });

  it('a file that is not the one that was planned', async () => {
    const source = await desk.file('in.csv', csv('a', 20));
    const [line = ''] = await plan([source], 2);
    await desk.file('in.csv', csv('a', 21));
    const refused = await desk.run(['ingest', '--shard', line, '--schema', schema]);
    expect(refused).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/expected the file that was planned .*plan again \[SOURCE_CHANGED\]/),
    });
    expect(await desk.client.dbsize()).toBe(0);
  });

  it('plan without --shards, of standard input, and of a broken file', async () => {
    const source = await desk.file('in.csv', 'id,x\n1,"open\n');
    expect(await desk.run(['plan', source])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected --shards N'),
    });
    expect((await desk.run(['plan', '-', '--format', 'csv', '--shards', '2'])).code).toBe(2);
    expect(await desk.run(['plan', source, '--shards', '2'])).toMatchObject({ code: 4, stdout: '' });
  });
});

it('4 processes at once over the shards of a plan are one run', { timeout: 60_000 }, async () => {
  const sources = [
    await desk.file('p1.csv', csv('a', 3000)),
    await desk.file('p2.parquet', parquetOf('b', 3000, 500)),
  ];
  const whole = await loadAll([sources]);
  const lines = await plan(sources, 4);
  const file = await desk.file('plan.jsonl', lines.join('\n'));
  const running = lines.map((_, i) => {
    const argv = [
      'ingest',
      '--shard',
      `${file}:${i + 1}`,
      '--schema',
      schema,
      '--max-errors',
      'all',
      '--quiet',
    ];
    const outputs = ['--report', desk.path(`run-${i}.json`), '--connections', '2'];
    return start([...argv, ...outputs], { REDIS_URL: desk.redis.url }).done;
  });
  const counts: Record<string, number> = {};
  for (const [i, done] of running.entries()) {
    const { code, stderr } = await done;
    expect(code, stderr).toBe(1);
    for (const [name, rows] of Object.entries<number>(JSON.parse(await desk.read(`run-${i}.json`)).counts)) {
      counts[name] = (counts[name] ?? 0) + rows;
    }
  }
  expect(counts).toEqual(whole.counts);
  const stored = Object.entries(await desk.take());
  expect(Object.fromEntries(stored.map(([key, { fields }]) => [key, fields]))).toEqual(whole.fields);
  for (const [, { ttlMs }] of stored) expect(ttlMs).toBeGreaterThan(3_500_000);
});
