/**
 * `npm run check`: format and lint, types, build, tests; all of them, also after one has failed. The last line is
 * `N passed, N failed` (and `, N skipped`): the tests, and each static check that failed as one more.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuild, runScript, runTool, SetupError, setUpTools } from './lib.js';
import { tallyLine } from './tally.js';

await runScript(() => {
  if (!succeeds(setUpTools)) {
    console.log(tallyLine({ exitCode: 1, results: null }, 0));
    return 1;
  }
  const broken = [
    ['format and lint', () => runTool('biome', ['check', '.']) === 0],
    ['types', () => runTool('tsc', ['-p', '.']) === 0],
    ['build', () => succeeds(ensureBuild)],
  ].filter(([name, run]) => !passes(name, run));
  const tests = runTests();
  for (const [name] of broken) console.log(`failed: ${name}`);
  console.log(tallyLine(tests, broken.length));
  return tests.exitCode !== 0 || broken.length > 0 ? 1 : 0;
});

function succeeds(step) {
  try {
    step();
    return true;
  } catch (error) {
    console.error(error instanceof SetupError ? `error: ${error.message}` : error);
    return false;
  }
}

function passes(name, run) {
  console.log(`\n== ${name}`);
  return run();
}

function runTests() {
  console.log('\n== tests');
  const directory = mkdtempSync(join(tmpdir(), 'featurectl-check-'));
  const file = join(directory, 'results.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const exitCode = runTool('vitest', ['run', ...reporters, ...process.argv.slice(2)]);
    return { exitCode, results: readResults(file) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Null where the runner ended before it could write them. */
function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
