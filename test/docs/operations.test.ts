/** What docs/operations.md shows besides commands that run here: YAML, Python, rights, hosts; and the Dockerfile. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { buildProgram, type Handlers } from '../../src/cli/program.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { featurectl } from '../support/run.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1] ?? '',
  );
}

/** Command lines of featurectl in a text of shell, up to what ends a command there. */
function shellCommands(text: string): string[][] {
  return [...text.matchAll(/\bfeaturectl (?=[a-z])([^\n|;&>]*)/g)].map(([, rest = '']) =>
    [...rest.matchAll(/"[^"]*"|'[^']*'|[^\s"']+/g)].map(([word]) => word.replace(/^["']|["']$/g, '')),
  );
}

/** Lists such as `["featurectl", "plan", shard]`; what is no literal is a word. */
function listCommands(text: string): string[][] {
  return [...text.matchAll(/\["featurectl", ([^\]]*)\]/g)].map(([, rest = '']) =>
    rest.split(', ').map((word) => word.replace(/^"|"$/g, '')),
  );
}

const io = { stdout: process.stdout, stderr: process.stderr, env: {}, signal: new AbortController().signal };

/** Throws where the command has no such option, or the option no such value. */
function checkGrammar([name, ...words]: readonly string[]): void {
  const program = buildProgram(io, {} as Handlers, () => {});
  const command = program.commands.find((each) => each.name() === name);
  if (!command) throw new Error(`no command ${name}`);
  const { unknown } = command.exitOverride().parseOptions(words);
  if (unknown.length > 0) throw new Error(`${name}: unknown ${unknown}`);
}

describe('YAML', () => {
  const documents = blocks('yaml').map((text) => ({ text, value: parseYaml(text) }));

  it('is of the kinds that it says', () => {
    const jobs = documents.map(({ value }) => value).filter((value) => value.kind === 'Job');
    expect(jobs.map((job) => job.apiVersion)).toEqual(['batch/v1', 'batch/v1']);
    for (const { spec } of jobs) {
      const pod = spec.template.spec;
      const mounts = pod.containers[0].volumeMounts.map((mount: { name: string }) => mount.name);
      expect(pod.volumes.map((volume: { name: string }) => volume.name)).toEqual(mounts);
      expect(pod.restartPolicy).toBe('Never');
    }
    expect(documents).toHaveLength(4);
  });

  it('names containers, exit codes and metrics that there are', () => {
    const [rules, job] = documents.map(({ value }) => value);
    const names = rules.groups[0].rules.flatMap(({ expr }: { expr: string }) =>
      expr.match(/featurectl_[a-z_]+/g),
    );
    const source = readFileSync(join(ROOT, 'src/output/metrics.ts'), 'utf8');
    expect(names.filter((name: string) => !source.includes(`'${name}'`))).toEqual([]);
    expect(job.spec.podFailurePolicy.rules[0].onExitCodes.containerName).toBe(
      job.spec.template.spec.containers[0].name,
    );
  });

  it('has a variable for each that stands in the arguments, and a checkpoint of its own for each Job', () => {
    const jobs = documents.map(({ value }) => value).filter((value) => value.kind === 'Job');
    const [{ args, env }] = jobs[0].spec.template.spec.containers;
    const names = args.flatMap((text: string) => [...text.matchAll(/\$\((\w+)\)/g)].map(([, name]) => name));
    expect(names).toEqual(['JOB_NAME']);
    expect(env.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(names));
  });

  it('has command lines that the grammar takes', () => {
    const args = documents
      .flatMap(({ value }) => value.spec?.template.spec.containers ?? [])
      .map((each) => each.args);
    const lists = args.filter((list) => list.length > 1);
    const commands = [...lists, ...documents.flatMap(({ text }) => shellCommands(text))];
    expect(commands.length).toBeGreaterThan(3);
    for (const command of commands) checkGrammar(command);
  });
});

describe('Python and hosts', () => {
  it.skipIf(spawnSync('python3', ['--version']).status !== 0)('the DAG compiles', () => {
    const dir = mkdtempSync(join(tmpdir(), 'featurectl-dag-'));
    writeFileSync(join(dir, 'dag.py'), blocks('python').join('\n'));
    expect(
      spawnSync('python3', ['-m', 'py_compile', join(dir, 'dag.py')], { encoding: 'utf8' }),
    ).toMatchObject({ stderr: '', status: 0 });
    rmSync(dir, { recursive: true });
  });

  it('their command lines are ones that the grammar takes', () => {
    const python = blocks('python').join('\n');
    const commands = [
      ...listCommands(python),
      ...shellCommands(python),
      ...blocks('bash').flatMap(shellCommands),
    ];
    // `docker run … featurectl:0.1.0 ingest …` too.
    const images = [...page.matchAll(/featurectl:0\.1\.0 (ingest .*)$/gm)].map(([, rest = '']) =>
      rest.split(' '),
    );
    expect(commands.length + images.length).toBeGreaterThan(5);
    for (const command of [...commands, ...images]) checkGrammar(command);
  });

  it('a check that finds wrong options', () => {
    expect(() => checkGrammar(['ingest', 'a.csv', '--no-such'])).toThrow(/unknown --no-such/);
    expect(() => checkGrammar(['ingest', 'a.csv', '--mode', 'append'])).toThrow(/Allowed choices/);
    expect(shellCommands(`x featurectl ingest "a b" -s 'c' || featurectl check | y`)).toEqual([
      ['ingest', 'a b', '-s', 'c'],
      ['check'],
    ]);
  });
});

describe('rights', () => {
  let redis: TestRedis;
  const source = join(ROOT, 'fixtures/users.csv');
  const schema = join(ROOT, 'fixtures/users.yaml');
  beforeAll(async () => {
    redis = await startRedis();
    const lines = blocks('text').filter((text) => text.startsWith('ACL SETUSER'));
    expect(lines).toHaveLength(2);
    for (const line of lines) await redis.cli(...line.trim().split(' '));
  });
  afterAll(() => redis.stop());

  const as = (user: string, ...argv: string[]) =>
    featurectl(argv, { env: { FEATURECTL_REDIS_URL: redis.url.replace('//', `//${user}:PASSWORD@`) } });

  it.each([
    ['--mode', 'merge'],
    ['--mode', 'replace'],
    ['--write', 'pipeline'],
    ['--connections', '3'],
  ])('loader: %s %s', async (...flags) => {
    await redis.cli('FLUSHALL');
    expect(await as('loader', 'ingest', source, '--schema', schema, '--quiet', ...flags)).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await redis.cli('DBSIZE')).toBe(200);
    expect(await redis.cli('TTL', 'features:user:user_0001')).toBeGreaterThan(1);
  });

  it('loader: --mode newer', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'featurectl-acl-'));
    const text = readFileSync(schema, 'utf8').replace('\nfeatures:', '\nevent_time: updated_at\nfeatures:');
    writeFileSync(join(dir, 's.yaml'), text);
    const done = await as(
      'loader',
      'ingest',
      source,
      '--schema',
      join(dir, 's.yaml'),
      '--quiet',
      '--mode',
      'newer',
    );
    expect(done).toEqual({ code: 0, stdout: '', stderr: '' });
    rmSync(dir, { recursive: true });
  });

  it('loader: nothing else', async () => {
    const other = await as(
      'loader',
      'ingest',
      source,
      '--key',
      'user_id',
      '--prefix',
      'other:',
      '--ttl',
      '1h',
      '--quiet',
    );
    expect(other.code).toBeGreaterThan(1);
    expect(other.stderr).toMatch(/NOPERM|may not|No permissions/i);
    expect(await redis.cli('EXISTS', 'other:user_0001')).toBe(0);
    for (const command of [
      ['flushall'],
      ['keys', '*'],
      ['config', 'set', 'save', ''],
      ['eval', 'return 1', '0'],
    ]) {
      expect(String(await redis.cli('ACL', 'DRYRUN', 'loader', ...command))).toMatch(/no permissions/);
    }
  });

  it('reader: reads, and does not write', async () => {
    await as('loader', 'ingest', source, '--schema', schema, '--quiet');
    expect((await as('reader', 'get', 'user_0001', '--schema', schema)).stdout).toContain('total_purchases');
    expect((await as('reader', 'verify', source, '--schema', schema)).code).toBe(0);
    expect((await as('reader', 'check', '--schema', schema, '--min-count', '100')).code).toBe(0);
    expect(String(await redis.cli('ACL', 'DRYRUN', 'reader', 'hset', 'features:user:x', 'a', 'b'))).toMatch(
      /no permissions/,
    );
    expect((await as('reader', 'ingest', source, '--schema', schema)).stderr).toContain('[REDIS_AUTH]');
  });
});

describe('Dockerfile', () => {
  const lines = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));
  const stages = lines.join('\n').split(/^(?=FROM )/m);
  const copies = (stage: string): string[][] =>
    [...stage.matchAll(/^COPY (.*)$/gm)].map(([, rest = '']) => rest.split(' '));

  it('has two stages, and ends as a user without rights', () => {
    expect(stages.map((stage) => /^FROM (\S+)/.exec(stage)?.[1])).toEqual(['node:22-slim', 'node:22-slim']);
    expect(stages[1]).toMatch(/^USER node$[\s\S]*^ENTRYPOINT \["featurectl"\]$/m);
    expect(stages[1]).not.toMatch(/npm|src/);
  });

  it('copies what is there, and nothing that .dockerignore holds back', () => {
    const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8').trim().split('\n');
    expect(ignore[0]).toBe('*');
    const fromHere = stages
      .flatMap(copies)
      .filter(([first]) => !first?.startsWith('--from'))
      .flatMap((words) => words.slice(0, -1));
    expect(fromHere.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
    expect(fromHere.map((name) => `!${name.replace('./', '')}`).sort()).toEqual(ignore.slice(1).sort());
  });

  it('builds from what it copies, and the result runs', () => {
    const dir = mkdtempSync(join(tmpdir(), 'featurectl-image-'));
    const build = join(dir, 'build');
    for (const [name = ''] of copies(stages[0] ?? '')
      .flatMap((words) => words.slice(0, -1))
      .map((word) => [word])) {
      cpSync(join(ROOT, name), join(build, name), { recursive: true });
    }
    // In place of `npm ci`.
    symlinkSync(join(ROOT, 'node_modules'), join(build, 'node_modules'));
    const built = spawnSync('npm', ['run', 'build'], { cwd: build, encoding: 'utf8' });
    expect(built.status, built.stdout + built.stderr).toBe(0);
    for (const words of copies(stages[1] ?? '')) {
      const isBuilt = words[0]?.startsWith('--from');
      const [from = '', to = ''] = isBuilt ? words.slice(1) : words;
      const target = join(dir, to);
      if (from.endsWith('node_modules')) continue;
      cpSync(isBuilt ? join(build, from.replace('/app/', '')) : join(ROOT, from), target, {
        recursive: true,
      });
    }
    const program = join(dir, 'app/bin/featurectl.js');
    symlinkSync(join(ROOT, 'node_modules'), join(dirname(dirname(program)), 'node_modules'));
    const done = spawnSync(process.execPath, [program, '--help'], { encoding: 'utf8' });
    expect(done.stdout).toContain('Exit codes');
    expect(done.status).toBe(0);
    rmSync(dir, { recursive: true });
  }, 60_000);
});
