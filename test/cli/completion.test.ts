/** Completion as the shells do it: bash for real, zsh and fish where they are. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildProgram, type Handlers } from '../../src/cli/program.ts';
import { featurectl } from '../support/run.ts';

const dir = mkdtempSync(join(tmpdir(), 'featurectl-completion-'));
writeFileSync(join(dir, 'my users.csv'), '');
writeFileSync(join(dir, 'schema.yaml'), '');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function script(shell: string): Promise<string> {
  const { code, stdout, stderr } = await featurectl(['completion', shell]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout;
}

function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

const io = { stdout: process.stdout, stderr: process.stderr, env: {}, signal: new AbortController().signal };
const program = buildProgram(io, {} as Handlers, () => {});
const names = program.commands.map((command) => command.name());

describe.skipIf(!has('bash'))('bash', () => {
  /** What bash offers for the last word, as when the tab key is hit there. */
  async function complete(words: readonly string[]): Promise<string[]> {
    const text = `${await script('bash')}
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      complete -p featurectl > /dev/null || exit 9
      _featurectl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    // Without --norc a bash whose stdin is a socket, as here, may read the machine's bashrc.
    const done = spawnSync('bash', ['--norc', '-u', '-c', text, 'bash', ...words], {
      cwd: dir,
      encoding: 'utf8',
    });
    expect(done.stderr).toBe('');
    expect(done.status).toBe(0);
    return done.stdout.split('\n').filter((line) => line !== '');
  }

  it.each<[string[], string[]]>([
    [['featurectl', 'in'], names.filter((name) => name.startsWith('in'))],
    [
      ['featurectl', ''],
      [...names, '--help', '--version'],
    ],
    [
      ['featurectl', 'ingest', '--mode', ''],
      ['merge', 'replace', 'newer'],
    ],
    [['featurectl', 'ingest', 'a.csv', '--mode', 'r'], ['replace']],
    [['featurectl', 'ingest', '--mode', '=', 'n'], ['newer']],
    [
      ['featurectl', 'ingest', '--mode', '='],
      ['merge', 'replace', 'newer'],
    ],
    [
      ['featurectl', 'ingest', '--chunk'],
      ['--chunk-rows', '--chunk-bytes'],
    ],
    [['featurectl', 'ingest', '--schema', 'sch'], ['schema.yaml']],
    [['featurectl', 'ingest', '-s', 'sch'], ['schema.yaml']],
    [['featurectl', 'ingest', 'my'], ['my users.csv']],
    [['featurectl', 'ingest', '--quiet', 'my'], ['my users.csv']],
    [['featurectl', 'ingest', '--rate', ''], []],
    [['featurectl', 'get', ''], []],
    [['featurectl', 'get', '--js'], ['--json']],
    [
      ['featurectl', 'completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['featurectl', 'no-such', ''], []],
  ])('%j', async (words, offered) => {
    expect(await complete(words)).toEqual(offered);
  });

  it.each(program.commands.map((command) => [command.name(), command] as const))(
    'every option of %s',
    async (name, command) => {
      const long = command.options.map((option) => option.long ?? '');
      expect(await complete(['featurectl', name, '--'])).toEqual(expect.arrayContaining([...long, '--help']));
    },
  );
});

it.each(['zsh', 'fish'])('%s has every command, option and choice', async (shell) => {
  const text = await script(shell);
  for (const command of program.commands) {
    expect(text).toMatch(new RegExp(`\\b${command.name()}\\b`));
    for (const option of command.options) {
      expect(text).toContain(shell === 'fish' ? `-l ${option.name()} ` : `${option.long}`);
      if (option.argChoices) expect(text).toContain(option.argChoices.join(' '));
    }
  }
});

it.skipIf(!has('zsh'))('zsh takes the script', async () => {
  expect(spawnSync('zsh', ['-n'], { input: await script('zsh'), encoding: 'utf8' })).toMatchObject({
    status: 0,
    stderr: '',
  });
});

it.skipIf(!has('fish'))('fish takes the script, and offers', async () => {
  const text = `${await script('fish')}\ncomplete -C 'featurectl ingest --mode r'`;
  expect(spawnSync('fish', ['-c', text], { encoding: 'utf8' }).stdout).toMatch(/^replace/m);
});

it('another shell is a usage error', async () => {
  const { code, stderr } = await featurectl(['completion', 'csh']);
  expect(stderr).toContain('bash, zsh, fish');
  expect(code).toBe(2);
});
