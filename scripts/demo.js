/**
 * `npm run demo`: features from CSV, Parquet and Arrow into Redis, a file with faults, one entity read back.
 * Uses REDIS_URL where it is set, else a private server that ends with the demo.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, runScript, setUp, startRedis } from './lib.js';

await runScript(async () => {
  setUp();
  const given = process.env.REDIS_URL;
  const redis = given ? null : await startRedis();
  const scratch = mkdtempSync(join(tmpdir(), 'featurectl-demo-'));
  try {
    say(redis ? `a private Redis, gone after the demo: ${redis.url}` : 'your Redis (REDIS_URL)');
    return await show(given ?? redis.url, scratch);
  } finally {
    redis?.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
});

/** Returns 0 when every command ended as it should. */
async function show(url, scratch) {
  const rejects = join(scratch, 'rejects.csv');
  const report = join(scratch, 'report.json');
  const steps = [
    ['200 users from CSV, each a hash with a TTL', 'ingest fixtures/users.csv --schema fixtures/users.yaml'],
    ['One of them, read back', 'get user_0001 --schema fixtures/users.yaml'],
    ['The same users from Parquet', 'ingest fixtures/users.parquet --schema fixtures/users.yaml'],
    [
      'Arrow, without a schema file',
      'ingest fixtures/users.arrow --key user_id --prefix demo:user: --ttl 1h',
    ],
    [
      'Embeddings, stored as packed float32',
      'ingest fixtures/embeddings.parquet --schema fixtures/embeddings.yaml',
    ],
    [
      'A file with one of each fault: good rows are written, bad ones go to a file to mend (exit 1)',
      `ingest fixtures/faults.csv --schema fixtures/faults.yaml --max-errors all --rejects ${rejects} --report ${report}`,
      1,
    ],
  ];
  const failed = [];
  for (const [title, command, expected = 0] of steps) {
    if (!(await runStep(url, title, command, expected))) failed.push(command);
  }
  if (failed.length === 0) showFiles(rejects, report);
  say(
    failed.length === 0
      ? 'every command ended as expected'
      : `${failed.length} command(s) did not end as expected`,
  );
  return failed.length === 0 ? 0 : 1;
}

async function runStep(url, title, command, expected) {
  say(title);
  console.log(`$ featurectl ${command}`);
  const program = [join(ROOT, 'bin/featurectl.js'), ...command.split(' ')];
  const env = { ...process.env, REDIS_URL: url };
  const child = spawn(process.execPath, program, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = await once(child, 'exit');
  console.log(status === expected ? `(exit ${status})` : `(exit ${status}, expected ${expected})`);
  return status === expected;
}

function showFiles(rejects, report) {
  say('The first of the rejected rows: the original columns and why');
  console.log(readFileSync(rejects, 'latin1').split('\n').slice(0, 4).join('\n'));
  say('From the report');
  const { counts, failures_by_code } = JSON.parse(readFileSync(report, 'utf8'));
  console.log(JSON.stringify({ counts, failures_by_code }));
}

function say(text) {
  console.log(`\n# ${text}`);
}
