/** What users install: a package that runs without what only development needs, and loads what it uses. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadedPackages } from '../support/loaded.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const USERS = join(ROOT, 'fixtures/users');

let redis: TestRedis;
let dir = '';
beforeAll(async () => {
  redis = await startRedis();
  dir = mkdtempSync(join(tmpdir(), 'featurectl-pack-'));
});
afterAll(async () => {
  await redis.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('heavy packages are loaded when they are used', () => {
  it.each<[string, string[], string[]]>([
    // arguments, some of what is loaded, what is not
    ['--version', [], ['commander']],
    [`ingest --help`, ['commander'], ['yaml', 'ioredis', 'zod']],
    [
      `validate ${USERS}.csv -s ${USERS}.yaml`,
      ['yaml'],
      ['ioredis', 'apache-arrow', 'parquet-wasm', 'pino', 'prom-client', 'fastify', '@aws-sdk/client-s3'],
    ],
    [
      `ingest ${USERS}.csv -s ${USERS}.yaml`,
      ['ioredis'],
      ['apache-arrow', 'parquet-wasm', 'pino', 'prom-client', 'fastify', '@aws-sdk/client-s3'],
    ],
    [
      `ingest ${USERS}.csv -s ${USERS}.yaml --log json --metrics /dev/null`,
      ['pino', 'prom-client'],
      ['apache-arrow', 'fastify'],
    ],
    [`ingest ${USERS}.arrow -s ${USERS}.yaml`, ['apache-arrow'], ['parquet-wasm', 'fastify']],
    [`ingest ${USERS}.parquet -s ${USERS}.yaml`, ['ioredis'], ['apache-arrow', 'parquet-wasm', 'fastify']],
    [
      `get user_0001 -s ${USERS}.yaml`,
      ['ioredis'],
      ['apache-arrow', 'parquet-wasm', 'csv-parse', 'pino', 'fastify'],
    ],
  ])('%s', (command, loaded, notLoaded) => {
    const packages = loadedPackages(command.split(' '), { REDIS_URL: redis.url });
    expect(packages).toEqual(expect.arrayContaining(loaded));
    expect(packages.filter((name) => notLoaded.includes(name))).toEqual([]);
  });

  it('--version loads no package at all', () => expect(loadedPackages(['--version'])).toEqual([]));
});

describe('npm pack', () => {
  let tarball = '';
  let installed: string | null = null;

  function npm(...args: string[]) {
    return spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel', 'error'], {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 150_000,
    });
  }

  beforeAll(() => {
    const packed = npm('pack', '--ignore-scripts', '--json', '--pack-destination', dir);
    expect(packed.status, packed.stderr).toBe(0);
    const [{ filename }] = JSON.parse(packed.stdout);
    tarball = join(dir, filename);
    const prefix = join(dir, 'prefix');
    const done = npm(
      'install',
      '-g',
      '--prefix',
      prefix,
      '--prefer-offline',
      '--omit=optional',
      '--fetch-retries',
      '0',
      tarball,
    );
    // A machine without a registry cannot install anything; whether the package is right is then not known.
    if (done.status === 0) installed = join(prefix, 'bin/featurectl');
    else if (!/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENOTCACHED|E40[13]|network/i.test(done.stderr))
      throw new Error(done.stderr);
  }, 180_000);

  it('has program, documents and licence, and nothing of development', () => {
    const files = spawnSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).stdout.trim().split('\n');
    const names = files.map((file) => file.replace(/^package\//, ''));
    expect(names).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'bin/featurectl.js',
        'dist/main.js',
        'dist/licences.txt',
        'docs/options.md',
      ]),
    );
    expect(
      names.filter(
        (name) =>
          !/^(?:dist\/.*\.js|dist\/licences\.txt|docs\/.*\.(?:md|json)|bin\/featurectl\.js|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(
            name,
          ),
      ),
    ).toEqual([]);
  });

  it('installed, it runs without development packages', (context) => {
    if (installed === null) return context.skip('no package registry can be reached');
    const program = installed;
    const run = (...args: string[]) =>
      spawnSync(program, args, {
        cwd: dir,
        encoding: 'utf8',
        env: { PATH: process.env.PATH, REDIS_URL: redis.url },
      });
    writeFileSync(join(dir, 's.yaml'), readFileSync(`${USERS}.yaml`));
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(run('--version')).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
    expect(existsSync(join(dir, 'prefix/lib/node_modules/featurectl/node_modules/vitest'))).toBe(false);
    for (const type of ['csv', 'parquet', 'arrow']) {
      expect(run('ingest', `${USERS}.${type}`, '-s', 's.yaml', '--quiet')).toMatchObject({
        status: 0,
        stdout: '',
        stderr: '',
      });
    }
    const flags = ['--log', 'json', '--metrics', 'm.prom', '--report-html', 'r.html'];
    expect(run('ingest', `${USERS}.csv`, '-s', 's.yaml', ...flags).status).toBe(0);
    expect(run('get', 'user_0001', '-s', 's.yaml').stdout).toContain('total_purchases');
    expect(run('completion', 'bash').stdout).toContain('complete -F');
  }, 60_000);
});
