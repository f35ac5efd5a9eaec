/** docs/options.md is the grammar of src/cli, rendered; `npx vitest run test/docs -u` renews it. */
import type { Command, Option } from 'commander';
import { expect, it } from 'vitest';
import { defaultText, ownOptions } from '../../src/cli/config.ts';
import { envNames } from '../../src/cli/option-value.ts';
import { buildProgram, type Handlers } from '../../src/cli/program.ts';

const INTRO = `# Options

Made from the grammar in \`src/cli/\`; a test keeps the two equal.

## Where a value comes from
A flag counts before the environment, the environment before the file, the file before the default.

| | |
|---|---|
| flag | \`--chunk-rows 500\` |
| environment | \`FEATURECTL_CHUNK_ROWS=500\`: the option's name in capitals, with \`_\` for \`-\`. An empty variable is one that is not given. Switches take \`true\` or \`false\`; an option that may be repeated takes one text or a JSON array of them. A \`FEATURECTL_\` variable that no command has is refused (exit 2); what Kubernetes sets for a Service named featurectl is not looked at |
| address | \`FEATURECTL_REDIS\`, else \`FEATURECTL_REDIS_URL\`, else \`REDIS_URL\` |
| file | \`featurectl.yaml\` in the working directory, or the one that \`--config FILE\` or \`FEATURECTL_CONFIG\` names. Keys are the options' names with \`-\` or \`_\`; a map under a command's name holds for that command alone, and goes before the rest. Unknown keys, keys without a value and wrong values are refused (exit 2) with their line. Paths are taken from the working directory, as those of flags are |

\`\`\`yaml
redis: redis://cache-1:6379/0
log: json
ingest:
  max-errors: 0.1%
  null-token: [NULL, NA]
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
  const rows = ownOptions(command).map(
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

it('docs/options.md is the grammar', async () => {
  await expect(render(program)).toMatchFileSnapshot('../../docs/options.md');
});

it('an option of one name is the same variable for every command', () => {
  const names = program.commands.flatMap(ownOptions).map((option) => envNames(option)[0]);
  expect(new Set(names).size).toBeLessThan(names.length);
  expect(names.every((name) => /^FEATURECTL_[A-Z0-9_]+$/.test(name ?? ''))).toBe(true);
});
