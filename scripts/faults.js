/** `npm run faults [-- --runs 200 --seed 7]`: loads with faults at random moments, each compared with a clean run. */
import { parseArgs } from 'node:util';
import { runScript, runTool, setUp } from './lib.js';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '200' }, seed: { type: 'string', default: '7' } },
});

await runScript(() => {
  setUp();
  process.env.FAULTS_RUNS = values.runs;
  process.env.FAULTS_SEED = values.seed;
  return runTool('vitest', ['run', '--reporter', 'dot', 'test/redis/campaign.test.ts']);
});
