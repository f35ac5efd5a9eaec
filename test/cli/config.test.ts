/** Options from flags, FEATURECTL_* and featurectl.yaml: which one counts, and what is said of wrong ones. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { buildProgram, type Handlers, runCli } from '../../src/cli/program.ts';
import type { IngestOptions } from '../../src/commands/options.ts';
import { featurectl } from '../support/run.ts';

const dir = mkdtempSync(join(tmpdir(), 'featurectl-config-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let count = 0;
function file(text: string): string {
  count += 1;
  const path = join(dir, `c${count}.yaml`);
  writeFileSync(path, text);
  return path;
}

/** The options that ingest would be called with. */
async function options(argv: string[], env: NodeJS.ProcessEnv = {}): Promise<IngestOptions> {
  let seen: IngestOptions | null = null;
  const handlers = new Proxy({} as Handlers, {
    get: () => async (given: IngestOptions) => {
      seen = given;
      return 0;
    },
  });
  const io = { stdout: process.stdout, stderr: process.stderr, env, signal: new AbortController().signal };
  expect(await runCli(argv, io, handlers)).toBe(0);
  if (!seen) throw new Error('no command was called');
  return seen;
}

const INGEST = ['ingest', 'a.csv', '--schema', 's.yaml'];

describe('which one counts', () => {
  const config = 'chunk-rows: 3\ningest:\n  in_flight: 4\n  rejects: bad.csv\nvalidate: {chunk_rows: 9}\n';

  it.each<[string, string[], NodeJS.ProcessEnv, object]>([
    ['default', [], {}, { writing: { chunkRows: 1000, inFlight: 16 } }],
    ['env over default', [], { FEATURECTL_CHUNK_ROWS: '2' }, { writing: { chunkRows: 2 } }],
    ['flag over env', ['--chunk-rows', '1'], { FEATURECTL_CHUNK_ROWS: '2' }, { writing: { chunkRows: 1 } }],
    [
      'a flag equal to the default too',
      ['--chunk-rows', '1000'],
      { FEATURECTL_CHUNK_ROWS: '2' },
      { writing: { chunkRows: 1000 } },
    ],
    [
      'empty is not given',
      [],
      { FEATURECTL_CHUNK_ROWS: '', REDIS_URL: '' },
      { writing: { chunkRows: 1000 }, connection: { redis: 'redis://127.0.0.1:6379' } },
    ],
    [
      'switch by env',
      [],
      { FEATURECTL_QUIET: '1', FEATURECTL_DRY_RUN: 'true' },
      { quiet: true, dryRun: true },
    ],
    [
      'switch in any case',
      [],
      { FEATURECTL_QUIET: 'TRUE', FEATURECTL_DRY_RUN: 'On' },
      { quiet: true, dryRun: true },
    ],
    [
      'switch off in any case',
      [],
      { FEATURECTL_QUIET: 'OFF', FEATURECTL_DRY_RUN: 'No' },
      { quiet: false, dryRun: false },
    ],
    ['switch off by env', [], { FEATURECTL_QUIET: 'false' }, { quiet: false }],
    [
      'form of flags',
      [],
      { FEATURECTL_RETRY_FOR: '5m', FEATURECTL_MAX_ERRORS: '0.5%' },
      { connection: { retryForMs: 300_000 }, budget: { kind: 'share', max: 0.005 } },
    ],
    [
      'list joined by commas',
      [],
      { FEATURECTL_SENTINEL: 'a:1,b:2' },
      { connection: { sentinels: ['a:1', 'b:2'] } },
    ],
    [
      'address',
      [],
      { FEATURECTL_REDIS: 'redis://a', FEATURECTL_REDIS_URL: 'redis://b', REDIS_URL: 'redis://c' },
      { connection: { redis: 'redis://a' } },
    ],
    [
      'Kubernetes service links',
      [],
      {
        FEATURECTL_PORT: 'tcp://10.0.0.1:80',
        FEATURECTL_SERVICE_HOST: '10.0.0.1',
        FEATURECTL_PORT_80_TCP_ADDR: '10.0.0.1',
      },
      { quiet: false },
    ],
  ])('%s', async (_name, flags, env, expected) => {
    expect(await options([...INGEST, ...flags], env)).toMatchObject(expected);
  });

  it.each<[string, string[], NodeJS.ProcessEnv, object]>([
    ['file', [], {}, { writing: { chunkRows: 3, inFlight: 4 }, rejects: 'bad.csv' }],
    ['env over file', [], { FEATURECTL_IN_FLIGHT: '5' }, { writing: { chunkRows: 3, inFlight: 5 } }],
    ['flag over file', ['--in-flight', '6'], {}, { writing: { inFlight: 6 } }],
  ])('%s', async (_name, flags, env, expected) => {
    expect(await options([...INGEST, '--config', file(config), ...flags], env)).toMatchObject(expected);
    expect(await options([...INGEST, ...flags], { ...env, FEATURECTL_CONFIG: file(config) })).toMatchObject(
      expected,
    );
  });

  it("a command's section goes before the rest, and is no other command's", async () => {
    const seen = await options(['validate', 'a.csv', '--schema', 's.yaml', '--config', file(config)]);
    expect(seen).toMatchObject({ writing: { chunkRows: 9, inFlight: 16 }, rejects: null });
  });

  it.each([
    ['null-token: [NULL, "", 007]', ['NULL', '', '007']],
    ['null-token: "NA"', ['NA']],
  ])('%s', async (line, nullTokens) => {
    const config = file(`key: [country, user_id]\nttl: 24h\n${line}\n`);
    expect((await options(['ingest', 'a.csv', '--config', config])).schema).toMatchObject({
      key: ['country', 'user_id'],
      nullTokens,
    });
  });

  it('a list in the environment is a JSON array', async () => {
    const env = { FEATURECTL_KEY: 'id', FEATURECTL_TTL: '1h', FEATURECTL_NULL_TOKEN: '["NULL", ","]' };
    expect((await options(['ingest', 'a.csv'], env)).schema.nullTokens).toEqual(['NULL', ',']);
  });

  it('featurectl.yaml of the working directory is read, an empty one too', async () => {
    const before = process.cwd();
    process.chdir(dir);
    try {
      writeFileSync('featurectl.yaml', '# nothing yet\n');
      expect((await options(INGEST)).writing.chunkRows).toBe(1000);
      writeFileSync('featurectl.yaml', 'chunk-rows: 7\n');
      expect((await options(INGEST)).writing.chunkRows).toBe(7);
    } finally {
      rmSync('featurectl.yaml');
      process.chdir(before);
    }
  });
});

describe('refused with exit 2, naming place, key and what was expected', () => {
  it.each([
    ['chunk-rows: 0', /c\d+\.yaml:1: chunk-rows: found "0"\. Expected a whole number from 1/],
    ['\nmode: append', /c\d+\.yaml:2: mode: found "append"\. Allowed choices are merge, replace, newer/],
    ['quiet: maybe', /:1: quiet: found "maybe"\. Expected true or false/],
    ['ttl: [1h, 2h]', /:1: ttl: Expected|:1: ttl: found "1h, 2h"\. Expected one value, found a list/],
    ['chunk-row: 5', /:1: chunk-row: no command has such an option; did you mean chunk-rows\?/],
    ['ingest: {jsom: true}', /:1: jsom: ingest does not have such an option/],
    [
      'ingets: {rejects: a.csv}',
      /:1: ingets: expected the name of a command before a section of its options; did you mean ingest\?/,
    ],
    [
      'log: text\n rate: 5',
      /^featurectl: \S+c\d+\.yaml:2: expected rate to begin in the same column as log above, after 0 spaces, found it after 1 space; /,
    ],
    [
      'null-token: NaN',
      /--null-token \(from \S+c\d+\.yaml:1\): cannot go with --schema s\.yaml; say it in the schema file, and take it out where it is given: null: \{ tokens: \["", NaN\] \}/,
    ],
    [
      'ttl: 1h\nprefix: "f:"',
      /--prefix \(from \S+:2\), --ttl \(from \S+:1\): cannot .*: key: "f:\{COLUMN\}" and ttl: 1h/,
    ],
    ['get: {rejects: a.csv}', /:1: rejects: get does not have such an option/],
    ['rejects:', /:1: rejects: expected a value or a list of values, found nothing/],
    ['rejects: {a: 1}', /:1: rejects: .*found a map/],
    ['chunk_rows: 5\nchunk-rows: 6', /:2: chunk-rows stands twice, first at .*:1/],
    ['- a', /:1: expected "option: value" lines/],
    ['a: "b', /:1: .*closing/],
    ['chunk-rows: 0\nrate: fast', /2 options are wrong:\n {2}.*chunk-rows.*\n {2}.*rate/],
  ])('%j', async (text, message) => {
    const { code, stderr } = await featurectl([...INGEST, '--config', file(text)]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^featurectl: .*\[USAGE\]\n$/s);
    expect(code).toBe(2);
  });

  it.each<[NodeJS.ProcessEnv, RegExp]>([
    [{ FEATURECTL_CHUNK_ROWS: 'many' }, /FEATURECTL_CHUNK_ROWS: found "many"\. Expected a whole number/],
    [{ FEATURECTL_MODE: 'append' }, /FEATURECTL_MODE: found "append"\. Allowed choices/],
    [
      { FEATURECTL_REDIS_ULR: 'redis://a' },
      /FEATURECTL_REDIS_ULR: no command has .*did you mean FEATURECTL_REDIS_URL/,
    ],
    [
      { FEATURECTL_NULL_TOKEN: 'NA' },
      /--null-token \(from FEATURECTL_NULL_TOKEN\): cannot go with --schema s\.yaml/,
    ],
    [{ FEATURECTL_NULL_TOKEN: '[NULL]' }, /FEATURECTL_NULL_TOKEN: .*JSON array/],
  ])('%j', async (env, message) => {
    const { code, stderr } = await featurectl(INGEST, { env });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('a named file that is not there', async () => {
    const { code, stderr } = await featurectl([...INGEST, '--config', 'no-such.yaml']);
    expect(stderr).toMatch(
      /--config no-such\.yaml: expected a file of options, but there is no such file; check the path/,
    );
    expect(code).toBe(2);
  });
});

describe('--show-config', () => {
  it('gives each value with its source as YAML, without secrets, and needs no source', async () => {
    const config = file('max-errors: 1%\nchunk-rows: 3\n');
    const { code, stdout, stderr } = await featurectl(
      ['ingest', '--rate', '50k/s', '--show-config', '--config', config, '--quiet'],
      { env: { REDIS_URL: 'redis://u:s3cret@h', FEATURECTL_CHUNK_ROWS: '5' } },
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).not.toContain('s3cret');
    expect(stdout).toMatch(/^redis: "redis:\/\/u:\*\*\*@h" +# env REDIS_URL$/m);
    expect(stdout).toMatch(/^rate: 50k\/s +# flag$/m);
    expect(stdout).toMatch(/^max-errors: 1% +# .*c\d+\.yaml:1$/m);
    expect(stdout).toMatch(/^chunk-rows: 5 +# env FEATURECTL_CHUNK_ROWS$/m);
    expect(stdout).toMatch(/^quiet: true +# flag$/m);
    expect(stdout).toMatch(/^retry-for: 60s +# default$/m);
    expect(stdout).toMatch(/^# rejects: not given +# default$/m);
    expect(parseYaml(stdout)).toMatchObject({ 'chunk-rows': 5, mode: 'merge', quiet: true });
  });

  it('can be used as featurectl.yaml: it then gives the same', async () => {
    const first = await featurectl([
      'ingest',
      '--ttl',
      '24h',
      '--null-token',
      'a',
      '--null-token',
      '',
      '--show-config',
    ]);
    const again = await featurectl(['ingest', '--show-config', '--config', file(first.stdout)]);
    expect(parseYaml(again.stdout)).toEqual(parseYaml(first.stdout));
    expect(again.code).toBe(0);
  });
});

describe('every command', () => {
  const io = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: {},
    signal: new AbortController().signal,
  };
  const program = buildProgram(io, {} as Handlers, () => {});

  it.each(program.commands.map((command) => [command.name(), command] as const))('%s', (name, command) => {
    // Commander asks for these before the environment and the file are looked at.
    expect(command.options.filter((option) => option.mandatory)).toEqual([]);
    // Commander reads process.env itself, also where it is empty.
    expect(command.options.filter((option) => option.envVar !== undefined)).toEqual([]);
    // A key of featurectl.yaml would be a section and an option.
    expect(program.commands.flatMap((other) => other.options.map((option) => option.name()))).not.toContain(
      name,
    );
  });
});
