/** The scripts that set a machine up and run demo and checks. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;

interface Outcome {
  readonly exitCode: number;
  readonly results: unknown;
}
const { tallyLine }: { tallyLine(outcome: Outcome, brokenChecks: number): string } = await import(
  new URL('../../scripts/tally.js', import.meta.url).href
);

describe('the closing line', () => {
  const results = {
    numPassedTests: 7,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [],
  };
  const unloaded = { status: 'failed', assertionResults: [] };
  const loaded = { status: 'failed', assertionResults: [{ status: 'failed' }] };

  test.each([
    ['all passed', 0, results, 0, '7 passed, 0 failed'],
    [
      'some skipped',
      0,
      { ...results, numPendingTests: 2, numTodoTests: 1 },
      0,
      '7 passed, 0 failed, 3 skipped',
    ],
    ['a failed test', 1, { ...results, numFailedTests: 2, testResults: [loaded] }, 0, '7 passed, 2 failed'],
    ['a file that did not load', 1, { ...results, testResults: [unloaded] }, 0, '7 passed, 1 failed'],
    ['an error outside tests', 1, results, 0, '7 passed, 1 failed'],
    ['static checks', 0, results, 2, '7 passed, 2 failed'],
    ['no results', 1, null, 0, '0 passed, 1 failed'],
  ])('%s', (_name, exitCode, found, broken, line) => {
    expect(tallyLine({ exitCode, results: found }, broken)).toBe(line);
  });
});

describe('redis-server', () => {
  /** Calls ensureRedisServer with only what `env` says on the PATH. */
  function ensure(env: Record<string, string>) {
    const code = `
      const { ensureRedisServer, runScript } = await import(${JSON.stringify(`file://${ROOT}scripts/lib.js`)});
      await runScript(() => { ensureRedisServer(); console.log(process.env.PATH); });`;
    const args = ['--input-type=module', '-e', code];
    return spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  }

  test('none, and nothing that installs one: says how', () => {
    const done = ensure({ PATH: '' });
    expect(done.status).toBe(1);
    expect(done.stderr).toMatch(/^error: redis-server is not on the PATH.*REDIS_SERVER=/);
  });

  test('none, but a package manager that may be used: its index is renewed, then it installs', () => {
    const directory = mkdtempSync(join(tmpdir(), 'featurectl-scripts-'));
    const server = join(directory, 'redis-server');
    const program = (name: string, script: string): void =>
      writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    // `sudo -n COMMAND` for a user who is not root; env is asked to set a variable.
    program('sudo', 'shift; exec "$@"');
    program('env', 'exec /usr/bin/env "$@"');
    program(
      'apt-get',
      `echo "$@" >> ${directory}/calls
      case "$*" in *install*) echo > ${server}; /bin/chmod +x ${server};; *update*) exit 1;; esac`,
    );
    program('true', 'exit 0');
    const done = ensure({ PATH: directory });
    expect(done.stderr).toContain('installing redis-server (apt-get)');
    expect(done.status).toBe(0);
    expect(readFileSync(join(directory, 'calls'), 'utf8')).toMatch(/^update .*\ninstall .*redis-server\n$/);
    rmSync(directory, { recursive: true });
  });

  test('REDIS_SERVER is put on the PATH; a wrong one is refused', () => {
    const directory = mkdtempSync(join(tmpdir(), 'featurectl-scripts-'));
    const program = join(directory, 'redis-server');
    symlinkSync(process.execPath, program);
    writeFileSync(join(directory, 'text'), '');
    expect(ensure({ PATH: '/nowhere', REDIS_SERVER: program }).stdout).toBe(`${directory}:/nowhere\n`);
    expect(ensure({ PATH: '', REDIS_SERVER: join(directory, 'text') }).stderr).toContain('no program');
    expect(ensure({ PATH: '', REDIS_SERVER: process.execPath }).stderr).toContain(
      'must be named redis-server',
    );
    rmSync(directory, { recursive: true });
  });
});

describe('npm run demo', () => {
  test('shows every command with the exit code that it should have', () => {
    const { REDIS_URL: _unused, ...env } = process.env;
    const args = [join(ROOT, 'scripts/demo.js')];
    const done = spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 100_000 });
    expect(done.status, `${done.stdout}\n${done.stderr}`).toBe(0);
    expect(done.stdout.match(/^\$ featurectl /gm)).toHaveLength(6);
    expect(done.stdout.match(/^\(exit 0\)$/gm)).toHaveLength(5);
    expect(done.stdout.match(/^\(exit 1\)$/gm)).toHaveLength(1);
    expect(done.stdout).toContain('INT_RANGE');
  }, 120_000);
});
