/** What is in the repository: nothing of one machine, fixtures as made, a package file that can be trusted. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
const packageFile = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const lockFile = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

/** Null where this is no git work tree, such as an unpacked archive. */
function trackedFiles(): string[] | null {
  const done = spawnSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
  if (done.status !== 0 || !existsSync(join(ROOT, '.git'))) return null;
  return done.stdout.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

// Put together from parts, or this file would be found.
const MACHINE: readonly (readonly [string, RegExp])[] = [
  ['path of a work folder', new RegExp(`(?<![\\w.])/${'work'}/`)],
  ['path of a home folder', new RegExp(`(?<![\\w.])/(?:${'home'}|${'Users'})/\\w`)],
  ["path of root's home", new RegExp(`(?<![\\w.])/${'root'}/`)],
  ['path of a Windows user', new RegExp(`[A-Z]:\\\\+${'Users'}\\\\`)],
  ['host of a package registry', new RegExp(`\\b${'registry'}\\.[a-z0-9-]+\\.[a-z]`)],
  ['host of a package mirror', new RegExp(`\\b(?:${'artifactory'}|${'verdaccio'}|${'nexus'})[.:]`, 'i')],
  ['source of a locked package', new RegExp(`"${'resolved'}": *"http`)],
];

function machineTraces(text: string): string[] {
  return MACHINE.flatMap(([what, pattern]) => {
    const match = pattern.exec(text);
    return match ? [`${what}: ${text.slice(match.index, match.index + 60).split('\n', 1)[0]}`] : [];
  });
}

describe('nothing of one machine', () => {
  const files = trackedFiles();

  test.skipIf(files === null)('in any tracked file', () => {
    expect(files?.length).toBeGreaterThan(20);
    const traces = (files ?? [])
      .filter((path) => statSync(join(ROOT, path)).isFile())
      .flatMap((path) => {
        const found = machineTraces(readFileSync(join(ROOT, path), 'latin1'));
        return found.map((trace) => `${path}: ${trace}`);
      });
    expect(traces).toEqual([]);
  });

  test.each([
    [`see /${'work'}/shared`],
    [`cd /${'home'}/ann/x`],
    [`"/${'Users'}/ann"`],
    [`/${'root'}/.npmrc`],
    [`C:\\${'Users'}\\ann`],
    [`https://${'registry'}.npmjs.org/x`],
    [`http://${'verdaccio'}:4873`],
    [`"${'resolved'}": "https://host/x.tgz"`],
  ])('planted: %s', (text) => expect(machineTraces(text)).toHaveLength(1));

  test('ordinary text is left alone', () => {
    expect(machineTraces('http://host/home, ./work/x, a registry, src/root/x, /tmp/work')).toEqual([]);
  });
});

describe('fixtures', () => {
  test('make.js makes the committed bytes', () => {
    const directory = mkdtempSync(join(tmpdir(), 'featurectl-fixtures-'));
    const done = spawnSync(process.execPath, [join(ROOT, 'fixtures/make.js'), directory], {
      encoding: 'utf8',
    });
    expect(done.stderr).toBe('');
    const names = readdirSync(directory);
    expect(names).toEqual(
      expect.arrayContaining(['users.csv', 'users.parquet', 'users.arrow', 'faults.csv']),
    );
    const differ = names.filter(
      (name) => !readFileSync(join(directory, name)).equals(readFileSync(join(ROOT, 'fixtures', name))),
    );
    expect(differ).toEqual([]);
    rmSync(directory, { recursive: true });
  });
});

describe('package.json', () => {
  const versions: [string, string][] = Object.entries({
    ...packageFile.dependencies,
    ...packageFile.devDependencies,
  });

  test.each(versions)('%s is pinned to one version, and locked to it', (name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(lockFile.packages[`node_modules/${name}`].version).toBe(version);
  });

  test('says what Node it needs, as the lock file does', () => {
    expect(packageFile.engines).toEqual({ node: '>=20' });
    expect(lockFile.packages[''].engines).toEqual(packageFile.engines);
    expect(lockFile.version).toBe(packageFile.version);
  });

  test('names files that are there', () => {
    expect(packageFile.type).toBe('module');
    expect(packageFile.license).toBe('MIT');
    const named = ['LICENSE', packageFile.bin.featurectl, ...packageFile.files].filter(
      (name) => name !== 'dist',
    );
    expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  test('src/ uses every dependency, and of the development ones those that the build takes into dist/', () => {
    const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
    const sources = names.filter((name) => name.endsWith('.ts'));
    const text = sources.map((name) => readFileSync(join(ROOT, 'src', name), 'utf8')).join('\n');
    const isUsed = (name: string): boolean => new RegExp(`['"]${name}(/[^'"]*)?['"]`).test(text);
    // Held at a version that fastify, which loads it, would not choose: later ones need Node 22.
    const held = ['light-my-request'];
    expect(Object.keys(packageFile.dependencies).filter((name) => !isUsed(name))).toEqual(held);
    const bundled = ['apache-arrow', 'commander', 'hysnappy', 'ioredis', 'ora', 'yaml', 'zod'];
    expect(Object.keys(packageFile.devDependencies).filter(isUsed)).toEqual(bundled);
  });
});
