/** Runs that nobody watches: --quiet, --log json, `set -e`, `| head`, no terminal. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';

let desk: Desk;
let schema = '';
beforeAll(async () => {
  desk = await openDesk();
  schema = await desk.file('s.yaml', schemaText({ x: 'int32' }));
  await desk.file('good.csv', 'id,x\n1,1\n2,2\n');
  await desk.file('bad.csv', 'id,x\n1,1\n2,oops\n3,no\n');
});
afterAll(() => desk.close());

const GONE = ['--redis', 'redis://127.0.0.1:1', '--retry-for', '0ms'];

describe('--quiet', () => {
  it.each<[string, string[], number, RegExp]>([
    ['success', ['good.csv'], 0, /^$/],
    ['success, with a report', ['good.csv', '--report', '/dev/null'], 0, /^$/],
    [
      'bad rows within the budget',
      ['bad.csv', '--max-errors', 'all'],
      1,
      /^featurectl: 2 of 3 rows are bad \(INT 2\); the first is \S*bad\.csv:3 .*\n$/,
    ],
    ['too many bad rows', ['bad.csv'], 3, /^featurectl: 1 bad row.*\[BUDGET\]\n$/],
    ['no source', ['no.csv'], 4, /^featurectl: .*\[SOURCE_MISSING\]\n$/],
    ['no Redis', ['good.csv', ...GONE], 4, /^featurectl: .*\[REDIS_CONNECT\]\n$/],
    ['a wrong option', ['good.csv', '--ttl', '1h'], 2, /^featurectl: .*\[USAGE\]\n$/],
  ])('%s', async (_name, [source = '', ...flags], code, stderr) => {
    const done = await desk.run(['ingest', desk.path(source), '--schema', schema, '--quiet', ...flags]);
    expect(done.stderr).toMatch(stderr);
    expect(done.stderr.split('\n').length).toBeLessThanOrEqual(2);
    expect(done.stdout).toBe('');
    expect(done.code).toBe(code);
  });

  it('an interrupted run says so, once', async () => {
    const signal = AbortSignal.abort(143);
    const argv = ['ingest', desk.path('good.csv'), '--schema', schema, '--quiet'];
    const done = await desk.run(argv, { signal });
    expect(done.stderr).toMatch(/^featurectl: interrupted after \d+ row.*\n$/);
    expect(done.code).toBe(143);
  });
});

describe('--log json: every line of stderr is one JSON object', () => {
  it.each<[string, string[], number, object[]]>([
    ['success', ['good.csv'], 0, [{ level: 'info', event: 'summary', counts: { read: 2, written: 2 } }]],
    [
      'bad rows',
      ['bad.csv', '--max-errors', 'all'],
      1,
      [
        {
          level: 'warn',
          event: 'summary',
          failures_by_code: { INT: 2 },
          first_failures: [{ line: 3 }, { line: 4 }],
        },
      ],
    ],
    [
      'too many bad rows',
      ['bad.csv'],
      3,
      [{ event: 'summary' }, { level: 'error', event: 'error', code: 'BUDGET', exit_code: 3 }],
    ],
    ['too many, quiet', ['bad.csv', '--quiet'], 3, [{ event: 'error', code: 'BUDGET' }]],
    ['no Redis', ['good.csv', ...GONE], 4, [{ event: 'error', code: 'REDIS_CONNECT', exit_code: 4 }]],
    ['options that exclude each other', ['good.csv', '--ttl', '1h'], 2, [{ event: 'error', code: 'USAGE' }]],
    ['a value of the wrong form', ['good.csv', '--chunk-rows', 'x'], 2, [{ event: 'error', code: 'USAGE' }]],
    ['no choice', ['good.csv', '--mode', 'x'], 2, [{ event: 'error', code: 'USAGE' }]],
    [
      'an unknown option',
      ['good.csv', '--no-such'],
      2,
      [{ event: 'error', code: 'USAGE', message: expect.stringContaining("unknown option '--no-such'") }],
    ],
  ])('%s', async (_name, [source = '', ...flags], code, events) => {
    const argv = ['ingest', desk.path(source), '--schema', schema, ...flags];
    const forAll = await desk.file('log.yaml', 'log: json\n');
    const forIngest = await desk.file('log-ingest.yaml', 'log: text\ningest:\n  log: json\n');
    for (const done of [
      await desk.run([...argv, '--log', 'json']),
      await desk.run(argv, { env: { FEATURECTL_LOG: 'json' } }),
      await desk.run([...argv, '--config', forAll]),
      await desk.run([...argv, `--config=${forIngest}`]),
      await desk.run(argv, { env: { FEATURECTL_CONFIG: forAll } }),
    ]) {
      const lines = done.stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines).toMatchObject(events);
      for (const line of lines) expect(line.time).toMatch(/^\d{4}-.*Z$/);
      expect(done.code).toBe(code);
    }
  });

  it.each<[string, string, NodeJS.ProcessEnv]>([
    ['a wrong value in the file', 'log: json\nchunk-rows: 0\n', {}],
    ['an unknown option in the file', 'log: json\nchunk-row: 1\n', {}],
    ['YAML that does not read further down', 'log: json\nrejects: "a\n', {}],
    ['a wrong value in the environment', 'log: json\n', { FEATURECTL_CHUNK_ROWS: 'x' }],
    ['an unknown variable', 'log: json\n', { FEATURECTL_CHUNK_ROW: '1' }],
    ['asked for by the environment', 'chunk-rows: 0\n', { FEATURECTL_LOG: 'json' }],
  ])('mistakes of options from elsewhere: %s', async (_, text, env) => {
    const config = await desk.file('wrong.yaml', text);
    const argv = ['ingest', desk.path('good.csv'), '--schema', schema];
    const { code, stderr } = await desk.run([...argv, '--config', config], { env });
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ event: 'error', code: 'USAGE', exit_code: 2 });
    const flag = await desk.run([...argv, '--config', config, '--log', 'text'], { env });
    expect(flag.stderr).toMatch(/^featurectl: /);
  });

  it('asked for by featurectl.yaml too', async () => {
    const config = await desk.file('c.yaml', 'log: json\n');
    const argv = ['ingest', desk.path('no.csv'), '--schema', schema, '--config', config];
    expect(JSON.parse((await desk.run(argv)).stderr)).toMatchObject({
      event: 'error',
      code: 'SOURCE_MISSING',
    });
  });

  it('each line names the run, as its report does', async () => {
    const report = desk.path('r.json');
    const argv = ['ingest', desk.path('bad.csv'), '--schema', schema, '--log', 'json', '--report', report];
    const [summary] = (await desk.run(argv)).stderr.split('\n');
    expect(JSON.parse(summary ?? '').run_id).toBe(JSON.parse(readFileSync(report, 'utf8')).run_id);
  });
});

it.each<[string, (file: string) => string[]]>([
  ['get', () => ['get', '1']],
  ['infer', (file) => ['infer', file]],
  ['plan', (file) => ['plan', file, '--shards', '2']],
  ['verify', (file) => ['verify', file, '--schema', schema]],
  ['check', () => ['check', '--schema', schema]],
])('%s that a signal ends says nothing of a bug', async (_, argv) => {
  // A server that takes connections and never answers, and a signal that came before.
  const deaf = createServer(() => {}).listen(0, '127.0.0.1');
  await once(deaf, 'listening');
  const { port } = deaf.address() as AddressInfo;
  const stop = new AbortController();
  const done = desk.run(argv(desk.path('good.csv')), {
    env: { REDIS_URL: `redis://127.0.0.1:${port}` },
    signal: stop.signal,
  });
  stop.abort(130);
  const { code, stderr } = await done;
  deaf.close();
  expect([0, 130]).toContain(code);
  expect(stderr).not.toMatch(/a bug|INTERNAL/);
});

describe('in a script', () => {
  function bash(script: string) {
    const bin = new URL('../../bin/featurectl.js', import.meta.url).pathname;
    const env = { PATH: process.env.PATH, REDIS_URL: desk.redis.url, NODE: process.execPath, BIN: bin };
    const text = `featurectl() { "$NODE" "$BIN" "$@"; }\n${script}`;
    return spawnSync('bash', ['--norc', '-c', text], {
      cwd: desk.dir,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  it.each<[string, string, number, string, RegExp]>([
    [
      'set -e goes on after success',
      'set -e; featurectl ingest good.csv -s s.yaml --quiet; echo on',
      0,
      'on\n',
      /^$/,
    ],
    [
      'set -e stops at a failure',
      'set -e; featurectl ingest bad.csv -s s.yaml --quiet; echo on',
      3,
      '',
      /^featurectl: .*\[BUDGET\]\n$/,
    ],
    [
      '| head takes what it wants',
      'set -o pipefail; featurectl get 1 2 1 2 1 2 -s s.yaml --json | head -n 1 | cut -c 1-13',
      0,
      '{"entity":"1"\n',
      /^$/,
    ],
    [
      '--report - is one line, the last',
      'set -o pipefail; featurectl ingest good.csv -s s.yaml --quiet --report - | tail -n 1 | cut -c 1-19',
      0,
      '{"schema_version":1\n',
      /^$/,
    ],
    ['no stdin, no stdout', 'featurectl ingest good.csv -s s.yaml --quiet <&- >&-', 0, '', /^$/],
    [
      '--version',
      'featurectl --version',
      0,
      `${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`,
      /^$/,
    ],
  ])('%s', (_name, script, code, stdout, stderr) => {
    const done = bash(script);
    expect(done.stderr).toMatch(stderr);
    expect(done.stdout).toBe(stdout);
    expect(done.status).toBe(code);
  });
});

describe.skipIf(!existsSync('/proc/self/cmdline'))('ps', () => {
  it('shows no password of the command line', async () => {
    const url = desk.redis.url.replace('//', '//default:s3cret@');
    await desk.client.config('SET', 'requirepass', 's3cret');
    const argv = ['ingest', '-', '--format', 'csv', '--schema', schema, '--redis', url];
    // Standard input stays open, so the load waits for its rows.
    const bin = new URL('../../bin/featurectl.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [bin, ...argv], { stdio: ['pipe', 'ignore', 'pipe'] });
    try {
      const shown = (): string => readFileSync(`/proc/${child.pid}/cmdline`, 'latin1');
      for (let i = 0; i < 400 && !shown().startsWith('featurectl'); i += 1)
        await new Promise((done) => setTimeout(done, 20));
      expect(shown()).toMatch(/^featurectl ingest - --format csv .*--redis redis:\/\/default:\*\*\*@127/);
      expect(shown()).not.toContain('s3cret');
      child.stdin.end('id,x\n9,9\n');
      const [code] = await once(child, 'exit');
      expect(code).toBe(0);
    } finally {
      child.kill('SIGKILL');
      await desk.client.config('SET', 'requirepass', '');
    }
  });
});
