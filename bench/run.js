/**
 * npm run bench [-- --rows 1000000 --repeat 5 --only merge,replace]
 * Every number comes from this one run; ratios are to redis-cli --pipe of the same rows as HSET + EXPIRE.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { makeFiles } from './data.js';
import { measure, median } from './measure.js';

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
  },
});
const count = Number(flags.rows);
const repeat = Number(flags.repeat);
const entry = new URL('../bin/featurectl.js', import.meta.url).pathname;
const here = (name) => new URL(`./${name}`, import.meta.url).pathname;

const files = await makeFiles(count);
const server = await startServer();
try {
  const cases = casesOf(files, server.port).filter(([name]) => isWanted(name));
  const results = new Map(cases.map(([name]) => [name, []]));
  for (let round = 0; round < repeat; round += 1) {
    for (const [name, command, options] of cases) {
      await server.client.flushall('SYNC');
      results.get(name).push(await measure(command, options));
      const stored = await server.client.dbsize();
      if (stored !== count) throw new Error(`${name}: expected ${count} keys, found ${stored}`);
      process.stderr.write('.');
    }
  }
  process.stderr.write('\n');
  print(results);
} finally {
  server.stop();
}

function isWanted(name) {
  const words = flags.only.split(',').filter((word) => word !== '');
  return words.length === 0 || name.startsWith('redis-cli') || words.some((word) => name.includes(word));
}

function casesOf(data, port) {
  const featurectl = (source, ...more) => [
    process.execPath,
    ...[entry, 'ingest', source, '--schema', data.schema, '--redis', `redis://127.0.0.1:${port}`, '--quiet'],
    ...more,
  ];
  const cases = [
    ['redis-cli --pipe, HSET+EXPIRE', ['redis-cli', '-p', String(port), '--pipe'], { stdin: data.resp }],
    ['merge from CSV', featurectl(data.csv)],
    ['merge from Parquet', featurectl(data.parquet)],
    ['merge from Arrow', featurectl(data.arrow)],
    ['merge from CSV, --write pipeline', featurectl(data.csv, '--write', 'pipeline')],
    ['replace from CSV', featurectl(data.csv, '--mode', 'replace')],
    ['newer from CSV', featurectl(data.csv, '--mode', 'newer')],
    [
      'csv-parse + ioredis pipelines',
      [process.execPath, here('baseline-ioredis.js'), data.csv, String(port)],
    ],
  ];
  if (hasPandas()) {
    cases.push([
      'pandas + redis-py pipelines',
      ['python3', here('baseline-pandas.py'), data.csv, String(port)],
    ]);
  }
  return cases;
}

function hasPandas() {
  return spawnSync('python3', ['-c', 'import pandas, redis'], { stdio: 'ignore' }).status === 0;
}

function print(results) {
  const base = median((results.get('redis-cli --pipe, HSET+EXPIRE') ?? []).map((run) => run.seconds));
  console.log(`${count} rows of 8 columns, ${repeat} rounds, ${cpus().length} cores (${cpus()[0]?.model})`);
  console.log(`node ${process.version}, redis ${server.version}\n`);
  console.log('| what | rows/s | ratio | CPU µs a row | peak RSS MB |\n|---|---|---|---|---|');
  for (const [name, runs] of results) {
    const seconds = median(runs.map((run) => run.seconds));
    const cpu = runs[0].cpu === null ? '' : ((median(runs.map((run) => run.cpu)) / count) * 1e6).toFixed(2);
    const rss = runs[0].rss === null ? '' : Math.round(Math.max(...runs.map((run) => run.rss)));
    const rate = Math.round(count / seconds).toLocaleString('en-US');
    console.log(`| ${name} | ${rate} | ${(base / seconds).toFixed(2)} | ${cpu} | ${rss} |`);
  }
}

async function startServer() {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'featurectl-bench-'));
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    dir,
  ];
  const child = spawn(process.env.REDIS_SERVER ?? 'redis-server', args, { stdio: 'ignore' });
  const client = new Redis(port);
  const info = await client.info('server');
  return {
    port,
    client,
    version: /redis_version:(\S+)/.exec(info)?.[1],
    stop: () => {
      client.disconnect();
      child.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
