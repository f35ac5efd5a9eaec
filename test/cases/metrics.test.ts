/** --metrics and --pushgateway, as monitoring meets them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ROW_CODES } from '../../src/core/errors.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';
import { startGateway, type TestGateway } from '../support/pushgateway.ts';

let desk: Desk;
let gateway: TestGateway;
let schema = '';
beforeAll(async () => {
  desk = await openDesk();
  gateway = await startGateway();
  schema = await desk.file('users.yaml', schemaText({ x: 'int32' }));
  await desk.file('good.csv', 'id,x\n1,1\n2,2\n3,\n');
  await desk.file('bad.csv', 'id,x\n1,1\n2,oops\n3,no\n');
});
beforeEach(() => {
  gateway.answer = 200;
  gateway.groups.clear();
});
afterAll(async () => {
  await gateway.close();
  await desk.close();
});

function run(source: string, ...flags: string[]) {
  return desk.run(['ingest', desk.path(source), '--schema', schema, ...flags]);
}

/** `name{labels}` → value, of every line; a line of another form fails. */
function parseMetrics(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('# '));
  return new Map(
    lines.map((line) => {
      const match = /^([a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) (-?[\d.e+]+)$/.exec(line);
      if (!match) throw new Error(`no metric: ${line}`);
      return [match[1] ?? '', Number(match[2])];
    }),
  );
}

describe('--metrics', () => {
  const path = (): string => desk.path('m.prom');
  const read = (): Map<string, number> => parseMetrics(readFileSync(path(), 'utf8'));
  const OURS = 'load="users",command="ingest"';

  it('has rows by fate, codes, duration, exit code and times', async () => {
    const before = Date.now() / 1000;
    expect((await run('bad.csv', '--max-errors', 'all', '--metrics', path())).code).toBe(1);
    const metrics = read();
    expect(Object.fromEntries(metrics)).toMatchObject({
      [`featurectl_run_rows_read{${OURS}}`]: 3,
      [`featurectl_run_rows{fate="written",${OURS}}`]: 1,
      [`featurectl_run_rows{fate="rejected",${OURS}}`]: 2,
      [`featurectl_run_rows{fate="failed",${OURS}}`]: 0,
      [`featurectl_run_rows{fate="skipped",${OURS}}`]: 0,
      [`featurectl_run_failures{code="INT",${OURS}}`]: 2,
      [`featurectl_run_failures{code="FLOAT",${OURS}}`]: 0,
      [`featurectl_run_skips{code="empty",${OURS}}`]: 0,
      [`featurectl_run_exit_code{${OURS}}`]: 1,
    });
    expect(metrics.get(`featurectl_run_duration_seconds{${OURS}}`)).toBeGreaterThan(0);
    expect(metrics.get(`featurectl_last_complete_timestamp_seconds{${OURS}}`)).toBeGreaterThan(before);
    expect(metrics.has(`featurectl_last_success_timestamp_seconds{${OURS}}`)).toBe(false);
  });

  it('keeps the time of the last success through failures, also before the source is found', async () => {
    const success = `featurectl_last_success_timestamp_seconds{${OURS}}`;
    expect((await run('good.csv', '--metrics', path())).code).toBe(0);
    const at = read().get(success);
    expect(at).toBeGreaterThan(1e9);
    for (const [source, code] of [
      ['bad.csv', 3],
      ['no.csv', 4],
    ] as const) {
      expect((await run(source, '--metrics', path())).code).toBe(code);
      expect(read().get(success)).toBe(at);
      expect(read().get(`featurectl_run_exit_code{${OURS}}`)).toBe(code);
    }
    expect((await run('good.csv', '--metrics', path())).code).toBe(0);
    expect(read().get(success)).toBeGreaterThan(at ?? 0);
  });

  it('a run that finds its load complete tells when the rows were loaded, not when it looked', async () => {
    const flags = ['--metrics', path(), '--checkpoint', desk.path('done.checkpoint')];
    expect((await run('good.csv', ...flags)).code).toBe(0);
    const at = Date.now() / 1000;
    writeFileSync(path(), '');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await run('good.csv', ...flags)).stderr).toMatch(/this load is complete/);
    for (const what of ['success', 'complete']) {
      expect(read().get(`featurectl_last_${what}_timestamp_seconds{${OURS}}`)).toBeLessThanOrEqual(at);
    }
    expect(read().get(`featurectl_run_end_timestamp_seconds{${OURS}}`)).toBeGreaterThan(at);
  });

  it('a dry run is no success of the load', async () => {
    expect((await run('good.csv', '--dry-run', '--metrics', path())).code).toBe(0);
    expect([...read().keys()].every((name) => name.includes('command="validate"'))).toBe(true);
  });

  it('labels are few: as many lines whatever the data', async () => {
    await run('good.csv', '--metrics', path());
    const lines = read().size;
    await run('bad.csv', '--max-errors', 'all', '--metrics', path());
    expect(read().size).toBe(lines);
    expect(lines).toBeLessThan(Object.keys(ROW_CODES).length + 20);
  });

  it('a name may hold any character', async () => {
    const name = 'a "b" \\ c';
    for (const source of ['good.csv', 'bad.csv'])
      await run(source, '--metrics', path(), '--metrics-name', name);
    const text = readFileSync(path(), 'utf8');
    expect(text).toContain('load="a \\"b\\" \\\\ c"');
    expect(text).toMatch(/^featurectl_last_success_timestamp_seconds\{.* \d/m);
  });

  it('a path that cannot be written, or is another file of the run, is known before the first write', async () => {
    expect(await run('good.csv', '--metrics', desk.path('no/m.prom'))).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/cannot write the metrics .*\[OUTPUT\]/),
    });
    expect(await run('good.csv', '--metrics', schema)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--metrics .* is also --schema/),
    });
    expect(await run('good.csv', '--metrics', '-')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--metrics -: expected a file/),
    });
    expect(readFileSync(schema, 'utf8')).toContain('name: test');
    expect(await desk.client.dbsize()).toBe(2);
  });

  it('tells the exit code that the run has when its report could not be written', async () => {
    const report = desk.path('gone/r.json');
    const { mkdirSync, rmSync } = await import('node:fs');
    mkdirSync(desk.path('gone'));
    // The directory goes while the run waits for its source.
    const fifo = desk.path('in.fifo');
    const { spawnSync, spawn } = await import('node:child_process');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    const running = run('in.fifo', '--format', 'csv', '--report', report, '--metrics', path());
    const writer = spawn('bash', [
      '-c',
      `exec 3> ${fifo}; rm -r ${desk.path('gone')}; printf 'id,x\\n1,1\\n' >&3`,
    ]);
    const done = await running;
    writer.kill();
    rmSync(fifo);
    expect(done.code).toBe(4);
    expect(read().get(`featurectl_run_exit_code{${OURS}}`)).toBe(4);
  });

  it('a file of another kind at the path is replaced', async () => {
    writeFileSync(path(), 'featurectl_last_success_timestamp_seconds{load="users",command="ingest"} soon\n');
    await run('bad.csv', '--metrics', path());
    expect([...read().keys()].some((name) => name.includes('last_success'))).toBe(false);
  });
});

describe('--pushgateway', () => {
  const group = (): Map<string, string[]> | undefined =>
    gateway.groups.get('job/featurectl/load/users/command/ingest');

  it('adds to the group of the load, and leaves the last success there through a failure', async () => {
    expect(await run('good.csv', '--pushgateway', `${gateway.url}/`, '--quiet')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const success = group()?.get('featurectl_last_success_timestamp_seconds');
    expect(success?.[0]).toMatch(/ 1\.?\d+/);
    expect((await run('bad.csv', '--pushgateway', gateway.url)).code).toBe(3);
    expect(group()?.get('featurectl_last_success_timestamp_seconds')).toEqual(success);
    expect(group()?.get('featurectl_run_exit_code')).toEqual(['featurectl_run_exit_code 3']);
    expect(group()?.get('featurectl_run_rows')).toContain('featurectl_run_rows{fate="rejected"} 1');
  });

  it('logs in with what the address says, and does not show it', async () => {
    const url = gateway.url.replace('//', '//ann:s3cret@');
    await run('good.csv', '--pushgateway', url);
    expect(gateway.authorizations.at(-1)).toBe(`Basic ${Buffer.from('ann:s3cret').toString('base64')}`);
    gateway.answer = 503;
    const report = desk.path('r.json');
    const { stderr } = await run('good.csv', '--pushgateway', url, '--report', report);
    expect(stderr + readFileSync(report, 'utf8')).not.toContain('s3cret');
  });

  it.each<[string, string, number]>([
    ['good.csv', 'a load that is right stays right', 0],
    ['bad.csv', 'one that is wrong stays wrong', 3],
  ])('a gateway that fails is a warning, --quiet or not: %s, %s', async (source, _name, code) => {
    for (const [answer, url, reason] of [
      [500, gateway.url, '500'],
      [302, gateway.url, '302'],
      [200, 'http://127.0.0.1:1', 'ECONNREFUSED'],
    ] as const) {
      gateway.answer = answer;
      const done = await run(source, '--pushgateway', url, '--quiet');
      expect(done.stderr).toMatch(
        new RegExp(
          `the metrics could not be pushed to ${url}: .*${reason}.*; the exit code is that of the load`,
        ),
      );
      expect(done.code).toBe(code);
    }
  });

  it('a gateway that never answers holds the run up for 3 s at most', async () => {
    gateway.answer = 'hang';
    const done = await run('good.csv', '--pushgateway', gateway.url, '--log', 'json');
    const lines = done.stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({
      event: 'note',
      message: expect.stringContaining('no answer in 3 s'),
    });
    expect(done.code).toBe(0);
  });

  it('an address of another kind is a usage error', async () => {
    expect(await run('good.csv', '--pushgateway', 'gateway:9091')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--pushgateway.*such as http:/),
    });
  });
});
