/** Remote sources from the command line to Redis. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointText } from '../../src/output/checkpoint.ts';
import { certificates } from '../support/certificates.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { type FileServer, serveFiles, serving } from '../support/file-server.ts';
import { BUCKET, startS3, type TestS3 } from '../support/s3-server.ts';
import { start } from '../support/spawn.ts';

const ROWS = Array.from({ length: 5000 }, (_, row) => `${row},${row * 2}\n`);
const CSV = `id,x\n${ROWS.join('')}`;
const PARQUET = readFileSync(new URL('../../fixtures/users.parquet', import.meta.url));
const ALONE = ['--key', 'id', '--prefix', 'k:', '--ttl', '1h'];
const USERS = ['--key', 'user_id', '--prefix', 'k:', '--ttl', '1h'];

let desk: Desk;
let s3: TestS3;
let server: FileServer;
beforeAll(async () => {
  [desk, s3] = await Promise.all([openDesk(), startS3()]);
});
afterAll(() => Promise.all([desk.close(), s3.close(), server?.close()]));

async function stored(): Promise<number> {
  return Object.keys(await desk.take()).length;
}

it('a CSV over HTTP that is cut twice; notes of it, no password anywhere', async () => {
  server = await serveFiles(serving(CSV, { cutAfter: (answer) => (answer < 2 ? 20_000 : undefined) }));
  const url = `${server.url.replace('http://', 'http://ann:s3cret@')}/x/rows.csv?token=feed`;
  const report = desk.path('report.json');
  const args = ['--key', '_source,id', '--prefix', 'k:', '--ttl', '1h', '--report', report];
  const { code, stderr } = await desk.run(['ingest', url, ...args]);
  expect(code, stderr).toBe(0);
  expect(stderr.match(/trying again from byte/g)).toHaveLength(2);
  const text = `${stderr}${await desk.read('report.json')}`;
  expect(text).toContain('ann:***@');
  expect(text).not.toMatch(/s3cret|feed/);
  const keys = Object.keys(await desk.take());
  expect([keys.length, keys.includes('k:rows.csv:17')]).toEqual([5000, true]);
});

it('https: an authority that is trusted, and one that is not', async ({ skip }) => {
  if (spawnSync('openssl', ['version']).status !== 0) skip();
  const { config } = certificates(desk.dir);
  const [cert, key] = ['cert', 'key'].map((name) => readFileSync(config[`tls-${name}-file`] as string));
  const secure = createServer({ cert, key }, (_request, response) => void response.end(CSV));
  await once(secure.listen(0), 'listening');
  const url = `https://localhost:${(secure.address() as { port: number }).port}/rows.csv`;
  const env = { REDIS_URL: desk.redis.url };
  const refused = await start(['ingest', url, ...ALONE], env).done;
  expect([refused.code, refused.stderr.includes('certificate')], refused.stderr).toEqual([4, true]);
  expect(await stored()).toBe(0);
  const ca = config['tls-ca-cert-file'];
  const trusted = await start(['ingest', url, ...ALONE], { ...env, NODE_EXTRA_CA_CERTS: ca }).done;
  expect(trusted.code, trusted.stderr).toBe(0);
  expect(await stored()).toBe(5000);
  secure.close();
});

describe('a remote source whose states the server tells apart', () => {
  const other = (version: string) => serveFiles(serving(CSV, { headers: { etag: version } }));

  it('is planned, and each shard asks for its part only', async () => {
    server = await other('"v1"');
    const { stdout, code, stderr } = await desk.run(['plan', `${server.url}/rows.csv`, '--shards', '3']);
    expect(code, stderr).toBe(0);
    let rows = 0;
    for (const line of stdout.trim().split('\n')) {
      const args = ['ingest', '--shard', line, ...ALONE];
      expect((await desk.run(args)).code).toBe(0);
      rows += await stored();
    }
    expect(rows).toBe(5000);
    expect(server.requests.some((request) => / bytes=\d{4,}-/.test(request))).toBe(true);
    const changed = stdout.split('\n')[1]?.replaceAll('\\"v1\\"', '\\"v0\\"') ?? '';
    const refused = await desk.run(['ingest', '--shard', changed, ...ALONE]);
    expect([refused.code, refused.stderr.includes('[SOURCE_CHANGED]')], refused.stderr).toEqual([4, true]);
    expect(await stored()).toBe(0);
  });

  it('is gone on with by its checkpoint, of the same version alone', async () => {
    server = await other('"v1"');
    const args = ['ingest', `${server.url}/rows.csv`, ...ALONE, '--checkpoint', desk.path('cp.json')];
    const abort = new AbortController();
    const running = desk.run([...args, '--rate', '4k/s', '--chunk-rows', '20'], { signal: abort.signal });
    while ((await desk.client.dbsize()) < 1000) await new Promise((resolve) => setTimeout(resolve, 10));
    abort.abort(130);
    expect((await running).code).toBe(130);
    const saved = await desk.read('cp.json');
    const before = await stored();
    const { sha256: _, ...rest } = JSON.parse(saved.replace('v1', 'v0'));
    await desk.file('cp.json', checkpointText(rest));
    const refused = await desk.run(args);
    expect([refused.code, /was of version "v0", is of "v1"/.test(refused.stderr)], refused.stderr).toEqual([
      2,
      true,
    ]);
    await desk.file('cp.json', saved);
    const { code, stderr } = await desk.run(args);
    expect(code, stderr).toBe(0);
    expect((await stored()) + before).toBe(5000);
  });

  it('is refused where the server tells nothing of it', async () => {
    server = await serveFiles(serving(CSV, { headers: {} }));
    const source = `${server.url}/rows.csv`;
    const args = ['ingest', source, ...ALONE, '--checkpoint', desk.path('none.json')];
    expect((await desk.run(args)).stderr).toMatch(
      /sources that can be read again from any place, found http/,
    );
    expect((await desk.run(['plan', source, '--shards', '2'])).stderr).toMatch(
      /tell the states of apart, found http/,
    );
  });
});

it('rows before a cut for good are written and counted', async () => {
  server = await serveFiles(serving(CSV, { length: (right) => right + 100 }));
  const report = desk.path('cut.json');
  const { code, stderr } = await desk.run([
    'ingest',
    `${server.url}/rows.csv`,
    ...ALONE,
    '--retry-for',
    '200ms',
    '--report',
    report,
  ]);
  expect([code, stderr.includes('[SOURCE_TRUNCATED]')], stderr).toEqual([4, true]);
  const { counts } = JSON.parse(await desk.read('cut.json')) as { counts: { written: number } };
  expect([counts.written, await stored()]).toEqual([5000, 5000]);
});

describe('Parquet, which is kept in a temporary file', () => {
  it('over HTTP', async () => {
    server = await serveFiles(serving(PARQUET));
    const { code, stderr } = await desk.run(['ingest', `${server.url}/users.parquet`, ...USERS]);
    expect(code, stderr).toBe(0);
    expect(await stored()).toBeGreaterThan(10);
  });

  it.each([1, 2])('leaves nothing behind after %i signal(s)', async (signals) => {
    server = await serveFiles((_request, response) => {
      response
        .writeHead(200, { 'content-length': PARQUET.length, etag: '"v1"' })
        .write(PARQUET.subarray(0, 2000));
    });
    const temporary = desk.path(`tmp-${signals}`);
    mkdirSync(temporary);
    const running = start(['validate', `${server.url}/users.parquet`, ...USERS], { TMPDIR: temporary });
    while (readdirSync(temporary).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    for (let sent = 0; sent < signals; sent++) running.child.kill('SIGTERM');
    const { code } = await running.done;
    expect([code, readdirSync(temporary)]).toEqual([143, []]);
  });
});

it('a prefix of S3 as one run, quietly', async () => {
  await s3.put('day/part-0.csv', CSV);
  await s3.put('day/part-1.csv', `id,x\n${ROWS.map((row) => `b${row}`).join('')}`);
  await s3.put('day/_SUCCESS', 'no data');
  s3.cutAfter = (answer) => (answer === 0 ? 30_000 : undefined);
  const done = await desk.run(['ingest', `s3://${BUCKET}/day/`, ...ALONE, '--quiet'], { env: s3.env });
  expect(done).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect(await stored()).toBe(10_000);
});

describe('--checkpoint', () => {
  const schema = 'name: k\nkey: "k:{id}"\nttl: 1h\nfeatures: { x: int64 }\n';
  // Longer than the head whose keys become columns: what is cut in there is not begun.
  const ndjson = Array.from({ length: 70_000 }, (_, row) => `{"id":"row-${row}","x":${row}}\n`).join('');

  it.each<[file: string, body: string, rows: number]>([
    ['rows.csv', CSV, 5000],
    ['rows.ndjson', ndjson, 70_000],
  ])('of %s over HTTP goes on by a range', async (file, body, rows) => {
    const whole = serving(body);
    let isWhole = false;
    let answers = 0;
    server = await serveFiles((request, response) => {
      answers++;
      // The first answer is for the version, the second gives half of the file.
      if (isWhole || answers === 1) whole(request, response);
      else if (answers === 2) serving(body, { cutAfter: () => body.length * 0.9 })(request, response);
      else response.writeHead(503).end();
    });
    const checkpoint = desk.path(`${file}.checkpoint`);
    const args = [
      '--schema',
      await desk.file('k.yaml', schema),
      '--checkpoint',
      checkpoint,
      '--retry-for',
      '300ms',
    ];
    const first = await desk.run(['ingest', `${server.url}/${file}`, ...args]);
    expect([first.code, first.stderr.includes('[SOURCE_TRUNCATED]')], first.stderr).toEqual([4, true]);
    isWhole = true;
    server.requests.length = 0;
    const report = desk.path('resumed.json');
    const second = await desk.run(['ingest', `${server.url}/${file}`, ...args, '--report', report]);
    expect(second.code, second.stderr).toBe(0);
    expect(server.requests.at(-1)).toMatch(/bytes=\d{4,}-$/);
    const { counts } = JSON.parse(await desk.read('resumed.json')) as { counts: { written: number } };
    expect([counts.written, await stored()]).toEqual([rows, rows]);
  });
});

it('a plan over S3 is loaded shard by shard, and only as it was planned', async () => {
  await s3.put('planned/rows.csv', CSV);
  await s3.put(
    'planned/more.ndjson',
    ROWS.map((row) => `{"id":"m${row.trim().replace(',', '","x":')}}\n`).join(''),
  );
  s3.cutAfter = null;
  const env = s3.env;
  const plan = await desk.run(['plan', `s3://${BUCKET}/planned/`, '--shards', '3'], { env });
  expect(plan.code, plan.stderr).toBe(0);
  for (const shard of plan.stdout.trim().split('\n')) {
    const { code, stderr } = await desk.run(['ingest', '--shard', shard, ...ALONE], { env });
    expect(code, stderr).toBe(0);
  }
  expect(await stored()).toBe(10_000);
  await s3.put('planned/rows.csv', CSV.replace('1,2\n', '1,3\n'));
  const last = plan.stdout.trim().split('\n').at(-1) ?? '';
  const { code, stderr } = await desk.run(['ingest', '--shard', last, ...ALONE], { env });
  expect([code, stderr.includes('[SOURCE_CHANGED]')], stderr).toEqual([4, true]);
});

it('a plan names no URL with a password', async () => {
  server = await serveFiles(serving(CSV));
  const url = `${server.url.replace('http://', 'http://ann:s3cret@')}/rows.csv`;
  const { code, stdout, stderr } = await desk.run(['plan', url, '--shards', '2']);
  expect([code, stdout, stderr.includes('[USAGE]')], stderr).toEqual([2, '', true]);
});
