/** docs/errors.md is the catalogue in src/core/errors.ts, rendered; `npx vitest run test/docs -u` renews it. */
import { expect, it } from 'vitest';
import { ERRORS, EXIT, ROW_CODES, SKIP_CODES } from '../../src/core/errors.ts';

const EXIT_MEANINGS: Record<keyof typeof EXIT, string> = {
  ok: 'ok',
  someFailed: 'finished, but some rows were rejected or failed (within `--max-errors`), or a negative answer',
  usage: 'usage, schema or option is wrong; nothing was written (of several files: nothing of the one named)',
  budget: 'more bad rows than `--max-errors` allows (or no row, with `--fail-on-empty`)',
  fatal: 'the source, Redis or the disk failed; what was settled before is counted',
  bug: 'a bug in featurectl',
  sigint: 'interrupted by SIGINT, after settling what was on the way',
  sigterm: 'interrupted by SIGTERM, after settling what was on the way',
};

function render(): string {
  const exits = Object.entries(EXIT).map(
    ([name, code]) => `| ${code} | ${EXIT_MEANINGS[name as keyof typeof EXIT]} |`,
  );
  const errors = Object.entries(ERRORS).map(
    ([code, { exit, meaning }]) => `| ${code} | ${exit} | ${meaning} |`,
  );
  const codes = (table: Record<string, string>): string[] =>
    Object.entries(table).map(([code, meaning]) => `| ${code} | ${meaning} |`);
  return [
    '# Errors and exit codes',
    '',
    'Made from `src/core/errors.ts`; a test keeps the two equal.',
    '',
    '## Exit codes',
    '| code | means |',
    '|---|---|',
    ...exits,
    '',
    'A scheduler may retry 4 (the world may be better later) and should not retry 2, 3 and 5.',
    '',
    '## What ends a run',
    'Printed last on stderr as `featurectl: message [CODE]`; a mistake of the command line itself as `error: message`, with',
    'exit 2.',
    '',
    '| code | exit | means |',
    '|---|---|---|',
    ...errors,
    '',
    '## What is wrong with a row',
    'A bad row ends nothing by itself: it is counted by these codes, goes to `--rejects`, and counts against',
    '`--max-errors` (a number, a share of the rows read such as `0.5%`, or `all`; default 0). A share is judged',
    'from 1,000 rows on and at the end.',
    '',
    '| code | means |',
    '|---|---|',
    ...codes(ROW_CODES),
    '',
    '## Rows that are skipped',
    'Neither written nor wrong.',
    '',
    '| code | means |',
    '|---|---|',
    ...codes(SKIP_CODES),
    '',
  ].join('\n');
}

it('docs/errors.md is the catalogue', async () => {
  await expect(render()).toMatchFileSnapshot('../../docs/errors.md');
});
