/** `node bench/startup.js [rounds]`: how long small commands take beside bare `node -e 0`; medians of wall time. */
import { spawnSync } from 'node:child_process';
import { median } from './measure.js';

const ENTRY = new URL('../bin/featurectl.js', import.meta.url).pathname;

/** 200 rows. */
const USERS = ['fixtures/users.csv', '--schema', 'fixtures/users.yaml'].map((word) =>
  word.startsWith('-') ? word : new URL(`../${word}`, import.meta.url).pathname,
);

const COMMANDS = [
  ['node -e 0', ['-e', '0']],
  ['featurectl --version', [ENTRY, '--version']],
  ['featurectl --help', [ENTRY, '--help']],
  ['featurectl ingest --help', [ENTRY, 'ingest', '--help']],
  ['featurectl validate', [ENTRY, 'validate', ...USERS]],
  // Where REDIS_URL says to which server.
  ...(process.env.REDIS_URL ? [['featurectl ingest', [ENTRY, 'ingest', ...USERS]]] : []),
];

const rounds = Number(process.argv[2] ?? 21);
const times = COMMANDS.map(() => []);
// In turns, so that a busy moment of the machine falls on all alike.
for (let round = 0; round < rounds; round += 1) {
  COMMANDS.forEach(([, args], i) => {
    const started = performance.now();
    spawnSync(process.execPath, args, { stdio: 'ignore' });
    times[i].push(performance.now() - started);
  });
}
const [bare] = times.map(median);
COMMANDS.forEach(([name], i) => {
  const ms = median(times[i]);
  console.log(`${name.padEnd(26)} ${ms.toFixed(0).padStart(5)} ms  ${(ms / bare).toFixed(2)}×`);
});
