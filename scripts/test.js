/** `npm test [-- ARGUMENTS OF VITEST]`: sets up what is missing, then runs the tests. */
import { runScript, runTool, setUp } from './lib.js';

await runScript(() => {
  setUp();
  return runTool('vitest', ['run', ...process.argv.slice(2)]);
});
