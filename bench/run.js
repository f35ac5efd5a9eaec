/**
 * npm run bench [-- --rows 1000000 --repeat 5 --only merge,replace]
 * Every number comes from this one run; ratios are to redis-cli --pipe of the same rows as HSET + EXPIRE in the same
 * round, and their median is shown: a machine is faster and slower by turns.
 * Several sizes (--rows 10000,100000,1000000,10000000) make a table each.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { DATA_DIR, makeFile, makeSchema } from './data.js';
import { measure, median } from './measure.js';
import { recordCalls } from './record.js';
import { startServer } from './server.js';

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
  },
});
const repeat = Number(flags.repeat);
const entry = new URL('../bin/featurectl.js', import.meta.url).pathname;
const here = (name) => new URL(`./${name}`, import.meta.url).pathname;

const BASE = 'redis-cli --pipe, HSET+EXPIRE';
const CALLS = 'redis-cli --pipe, the script calls of --write script';
/** Cases of this name run on the keys that the case before them left. */
const KEYS_EXIST = 'keys exist';

const schema = makeSchema();
const server = await startServer();
try {
  for (const count of flags.rows.split(',').map(Number)) print(count, await runSize(count));
} finally {
  server.stop();
}

/** Runs of each case by its name, taken in turns. */
async function runSize(count) {
  const cases = [];
  for (const { name, kind, command } of casesOf(count).filter(({ name }) => isWanted(name))) {
    const file = kind === 'calls' ? await recordMerge(count) : await makeFile(kind, count);
    cases.push({ name, command: command(file), stdin: name.startsWith('redis-cli') ? file : undefined });
  }
  const results = new Map(cases.map(({ name }) => [name, []]));
  for (let round = 0; round < repeat; round += 1) {
    for (const { name, command, stdin } of cases) {
      if (!name.includes(KEYS_EXIST)) await server.client.flushall('SYNC');
      results.get(name).push(await measure(command, { stdin }));
      const stored = await server.client.dbsize();
      if (stored !== count) throw new Error(`${name}: expected ${count} keys, found ${stored}`);
      process.stderr.write('.');
    }
  }
  process.stderr.write('\n');
  return results;
}

function isWanted(name) {
  const words = flags.only.split(',').filter((word) => word !== '');
  return words.length === 0 || name === BASE || words.some((word) => name.includes(word));
}

function ingestOf(source, port, ...more) {
  return [
    process.execPath,
    ...[entry, 'ingest', source, '--schema', schema, '--redis', `redis://127.0.0.1:${port}`, '--quiet'],
    ...more,
  ];
}

async function recordMerge(count) {
  const csv = await makeFile('csv', count);
  const path = `${DATA_DIR}rows-${count}.calls`;
  await recordCalls((port) => ingestOf(csv, port, '--write', 'script'), server.port, path);
  return path;
}

function casesOf(count) {
  const { port } = server;
  const pipe = () => ['redis-cli', '-p', String(port), '--pipe'];
  const load = (name, kind, ...more) => ({ name, kind, command: (file) => ingestOf(file, port, ...more) });
  const cases = [
    { name: BASE, kind: 'resp', command: pipe },
    load('merge from CSV', 'csv'),
    load('replace from CSV', 'csv', '--mode', 'replace'),
  ];
  // Other kinds of files of this size would take longer to make than to load.
  if (count > 1_000_000) return cases;
  cases.splice(1, 0, { name: `${BASE}, ${KEYS_EXIST}`, kind: 'resp', command: pipe });
  cases.splice(3, 0, load(`merge from CSV, ${KEYS_EXIST}`, 'csv'));
  cases.push(
    { name: CALLS, kind: 'calls', command: pipe },
    load('merge from CSV, --write script', 'csv', '--write', 'script'),
    load('merge from Parquet', 'parquet'),
    load('merge from Arrow', 'arrow'),
    load('merge from CSV, --write pipeline', 'csv', '--write', 'pipeline'),
    load('newer from CSV', 'csv', '--mode', 'newer'),
    load('replace from Parquet', 'parquet', '--mode', 'replace'),
    load('replace from Arrow', 'arrow', '--mode', 'replace'),
    load('newer from Parquet', 'parquet', '--mode', 'newer'),
    load('newer from Arrow', 'arrow', '--mode', 'newer'),
    {
      name: 'csv-parse + ioredis pipelines',
      kind: 'csv',
      command: (file) => [process.execPath, here('baseline-ioredis.js'), file, String(port)],
    },
  );
  if (python() !== null) {
    cases.push({
      name: 'pandas + redis-py pipelines',
      kind: 'csv',
      command: (file) => [python(), here('baseline-pandas.py'), file, String(port)],
    });
  }
  return cases;
}

/** A Python that has both, or null. */
function python() {
  const has = (name) => spawnSync(name, ['-c', 'import pandas, redis'], { stdio: 'ignore' }).status === 0;
  return ['python3', '/usr/bin/python3'].find(has) ?? null;
}

function print(count, results) {
  const base = results.get(BASE) ?? [];
  console.log(`${count} rows of 8 columns, ${repeat} rounds, ${cpus().length} cores (${cpus()[0]?.model})`);
  console.log(`node ${process.version}, redis ${server.version}\n`);
  console.log('| what | rows/s | ratio | CPU µs a row | peak RSS MB |\n|---|---|---|---|---|');
  for (const [name, runs] of results) {
    const seconds = median(runs.map((run) => run.seconds));
    const ratio = median(runs.map((run, round) => base[round].seconds / run.seconds));
    const cpu = runs[0].cpu === null ? '' : ((median(runs.map((run) => run.cpu)) / count) * 1e6).toFixed(2);
    const rss = runs[0].rss === null ? '' : Math.round(Math.max(...runs.map((run) => run.rss)));
    const rate = Math.round(count / seconds).toLocaleString('en-US');
    console.log(`| ${name} | ${rate} | ${ratio.toFixed(2)} | ${cpu} | ${rss} |`);
  }
  console.log('');
}
