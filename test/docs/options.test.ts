/** docs/options.md is the grammar of src/cli, rendered; `npx vitest run test/docs -u` renews it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import { expect, it } from 'vitest';
import { addConfig, defaultText, ownOptions } from '../../src/cli/config.ts';
import { envNames } from '../../src/cli/option-value.ts';
import { buildProgram, type Handlers, runCli } from '../../src/cli/program.ts';

const INTRO = `# Options

Made from the grammar in \`src/cli/\`; a test keeps the two equal.

## Where a value comes from
A flag counts before the environment, the environment before the file, the file before the default.

| | |
|---|---|
| flag | \`--chunk-rows 500\` |
| environment | \`FEATURECTL_CHUNK_ROWS=500\`: the option's name in capitals, with \`_\` for \`-\`. An empty variable is one that is not given. Switches take \`true\`, \`yes\`, \`on\` or \`1\`, and \`false\`, \`no\`, \`off\` or \`0\`, in any case, here and in the file; an option that may be repeated takes one text or a JSON array of them. A \`FEATURECTL_\` variable that no command has is refused (exit 2); what Kubernetes sets for a Service named featurectl is not looked at |
| address | \`FEATURECTL_REDIS\`, else \`FEATURECTL_REDIS_URL\`, else \`REDIS_URL\` |
| file | \`featurectl.yaml\` in the working directory, or the one that \`--config FILE\` or \`FEATURECTL_CONFIG\` names. Keys are the options' names with \`-\` or \`_\`; a map under a command's name holds for that command alone, and goes before the rest. Unknown keys, keys without a value and wrong values are refused (exit 2) with their line. Paths are taken from the working directory, as those of flags are |

\`\`\`yaml
redis: redis://cache-1:6379/0
log: json
ingest:
  max-errors: 0.1%
  rejects: rejects.csv
\`\`\`

\`--show-config\` prints the options in force, each with where it comes from, as a text that may be a \`featurectl.yaml\`
itself, and ends. Passwords and tokens are shown as \`***\`.

\`\`\`sh
FEATURECTL_RATE=50k/s featurectl ingest --max-errors 0.1% --show-config
\`\`\`
`;

function render(program: Command): string {
  const commands = program.commands.filter((command) => command.name() !== 'help');
  return [INTRO, ...commands.map(renderCommand)].join('\n');
}

function renderCommand(command: Command): string {
  const usage = `featurectl ${command.name()} ${command.usage().replace('[options] ', '')}`;
  const rows = command.options.map(
    (option) =>
      `| \`${escapeCell(option.flags)}\` | ${defaultCell(option)} | ${escapeCell(meaning(option))} |`,
  );
  const table = rows.length === 0 ? [] : ['', '| option | default | |', '|---|---|---|', ...rows];
  return [`## ${command.name()}`, command.description(), '', `    ${usage}`, ...table, ''].join('\n');
}

function defaultCell(option: Option): string {
  const text = defaultText(option);
  if (text === null || text === 'false') return '';
  return /\s/.test(text) ? escapeCell(text) : `\`${escapeCell(text)}\``;
}

function meaning({ description, argChoices }: Option): string {
  const plain = description.replace(/ \(default: [^)]*\)/, '');
  return argChoices ? `${plain}: ${argChoices.map((choice) => `\`${choice}\``).join(', ')}` : plain;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

const io = { stdout: process.stdout, stderr: process.stderr, env: {}, signal: new AbortController().signal };
const program = buildProgram(io, {} as Handlers, () => {});
addConfig(program, io, []);

it('docs/options.md is the grammar', async () => {
  await expect(render(program)).toMatchFileSnapshot('../../docs/options.md');
});

it.each(program.commands.map((command) => [command.name(), command] as const))(
  'what --help of %s lists is in docs/options.md',
  async (name, command) => {
    const text = await readFile('docs/options.md', 'utf8');
    const section = text.split(/^## /m).find((part) => part.startsWith(`${name}\n`)) ?? '';
    const helped = [...command.helpInformation().matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)].map(
      ([, flag]) => flag,
    );
    const listed = [...section.matchAll(/^\| `(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag);
    expect(listed).toEqual(helped.filter((flag) => flag !== '--help'));
  },
);

it.each([
  ['a schema file', ['--schema', 's.yaml']],
  ['flags instead', ['--key', 'user_id', '--prefix', 'f:', '--ttl', '24h']],
])('the featurectl.yaml of docs/options.md goes with %s', async (_, flags) => {
  const example = /```yaml\n(.*?)```/s.exec(await readFile('docs/options.md', 'utf8'))?.[1] ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'featurectl-options-'));
  await writeFile(join(folder, 'c.yaml'), example);
  let called = 0;
  const handlers = { ingest: async () => (called += 1) } as unknown as Handlers;
  const argv = ['ingest', 'users.csv', ...flags, '--config', join(folder, 'c.yaml')];
  await runCli(argv, io, handlers);
  await rm(folder, { recursive: true });
  expect(example).toContain('ingest:');
  expect(called).toBe(1);
});

it('an option of one name is the same variable for every command', () => {
  const names = program.commands.flatMap(ownOptions).map((option) => envNames(option)[0]);
  expect(new Set(names).size).toBeLessThan(names.length);
  expect(names.every((name) => /^FEATURECTL_[A-Z0-9_]+$/.test(name ?? ''))).toBe(true);
});
