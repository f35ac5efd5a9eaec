/**
 * node bench/serve.js [--seconds 6] [--rounds 3] [--only featurectl]
 * Feature servers side by side, one process each, driven over 16 connections: single reads and batches of 100, the
 * servers in turn in every round. Then the latency of single reads at half of what featurectl can do. FastAPI takes
 * part where /usr/bin/python3 or python3 has fastapi, uvicorn and redis. Load comes from wrk where there is one, at an
 * even rate from paced.c where there is a C compiler: Node as the load would take the two cores from what is measured.
 */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { freePort } from '../scripts/free-port.js';
import { median } from './measure.js';
import {
  compilePaced,
  dir,
  here,
  idOf,
  load,
  metricsOf,
  paced,
  pacedBy,
  serveCommand,
  startProgram,
  startRedis,
  untilUp,
} from './serving.js';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const seconds = Number(flags.seconds);
const CONNECTIONS = 16;
const BATCH = 100;
/** As src/server/metrics.ts has them, as far as they matter here. */
const SERVER_BUCKETS = [0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05];
const hasWrk = spawnSync('wrk', ['-v']).error === undefined;

const redisPort = await startRedis();
load(redisPort);
const servers = [];
for (const [name, command] of serverCommands().filter(([name]) => name.includes(flags.only))) {
  const port = await freePort();
  startProgram(command(port));
  servers.push({ name, port, single: [], batch: [] });
  await untilUp(port);
}
const bodies = makeBodies();
for (let round = 0; round < Number(flags.rounds); round += 1) {
  for (const server of servers) {
    for (const kind of ['single', 'batch']) server[kind].push(await drive(server.port, kind, seconds));
  }
}
await print();
process.exit(0);

/** Requests a second. Any answer but 200 is an error of the bench. */
async function drive(port, kind, duration) {
  const path = kind === 'single' ? '/features' : '/features/batch';
  return hasWrk
    ? wrk(port, kind, path, duration)
    : (await cannon(port, kind, path, duration)).requests.average;
}

function wrk(port, kind, path, duration) {
  const script = join(dir, `${kind}.lua`);
  const list = bodies[kind].map((body) => `[==[${body}]==]`).join(',\n');
  writeFileSync(
    script,
    `local bodies = {${list}}\nlocal i = 0\nwrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n` +
      `local made = {}\nfunction init() for n, b in ipairs(bodies) do made[n] = wrk.format(nil, '${path}', nil, b) end end\n` +
      'function request() i = i % #made + 1 return made[i] end\n',
  );
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${duration}s`, '-s', script, `http://127.0.0.1:${port}`];
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.once('close', () => {
      const rate = /Requests\/sec:\s+([\d.]+)/.exec(out)?.[1];
      if (rate === undefined || /Non-2xx|Socket errors/.test(out)) return reject(new Error(out));
      resolve(Number(rate));
    });
  });
}

async function cannon(port, kind, path, duration) {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections: CONNECTIONS,
    duration,
    requests: bodies[kind].map((body) => ({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json' },
      body,
    })),
  });
  if (result.non2xx + result.errors > 0)
    throw new Error(`${result.non2xx} answers but 200, ${result.errors} errors`);
  return result;
}

function makeBodies() {
  return {
    single: Array.from({ length: 1000 }, (_, i) => JSON.stringify({ entity_key: idOf(i) })),
    batch: Array.from({ length: 100 }, (_, i) =>
      JSON.stringify({ entity_keys: Array.from({ length: BATCH }, (_, k) => idOf(i * BATCH + k)) }),
    ),
  };
}

function serverCommands() {
  const redis = String(redisPort);
  const commands = [
    ['featurectl serve', (port) => serveCommand(port, redis)],
    ['fastify + ioredis', (port) => [process.execPath, here('baseline-fastify.js'), String(port), redis]],
  ];
  const python = ['/usr/bin/python3', 'python3'].find(
    (name) => spawnSync(name, ['-c', 'import fastapi, uvicorn, redis']).status === 0,
  );
  if (python) {
    const fastapi = (kind) => (port) => [python, here('baseline-fastapi.py'), String(port), redis, kind];
    commands.push(
      ['FastAPI, def and redis-py', fastapi('sync')],
      ['FastAPI, async def and redis.asyncio', fastapi('async')],
    );
  }
  return commands;
}

async function print() {
  const base = servers.find(({ name }) => name.startsWith('FastAPI'));
  console.log(
    `${cpus().length} cores (${cpus()[0]?.model}), node ${process.version}, ${hasWrk ? 'wrk' : 'autocannon'}`,
  );
  console.log(`${CONNECTIONS} connections, ${seconds} s a run, median of ${flags.rounds}\n`);
  console.log(
    '| server | single, requests/s | ratio | batch of 100, requests/s | ratio |\n|---|---|---|---|---|',
  );
  for (const { name, single, batch } of servers) {
    const ratio = (kind, own) => (base ? (median(own) / median(base[kind])).toFixed(2) : '');
    const rate = (own) => Math.round(median(own)).toLocaleString('en-US');
    console.log(
      `| ${name} | ${rate(single)} | ${ratio('single', single)} | ${rate(batch)} | ${ratio('batch', batch)} |`,
    );
  }
  const own = servers.find(({ name }) => name.startsWith('featurectl'));
  if (!own) return;
  const half = Math.round(median(own.single) / 2);
  const requests = bodies.single.map((body) => ({ path: '/features', body, status: 200 }));
  const program = compilePaced();
  const by = program === null ? 'paced.js (no C compiler was found for paced.c)' : 'paced.c';
  console.log(`\nsingle reads at half of that, ${half}/s over ${CONNECTIONS} connections by ${by}, ms:\n`);
  console.log(
    '| run | p50 | p90 | p99 | p99.9 | p99 from sent | p99 of waiting to be sent | p99 in the server |\n|---|---|---|---|---|---|---|---|',
  );
  for (let round = 1; round <= Number(flags.rounds); round += 1) {
    const before = await metricsOf(own.port);
    const load = [own.port, half, half * (seconds + 1), CONNECTIONS, requests];
    const { due, sent, late } = program === null ? paced(...load) : pacedBy(program, ...load);
    const inside = serverP99(before, await metricsOf(own.port));
    console.log(
      `| ${round} | ${due.p50} | ${due.p90} | ${due.p99} | ${due.p999} | ${sent.p99} | ${late.p99} | ${inside} |`,
    );
  }
}

/** Of what was answered between two looks at /metrics: the bucket that holds it. */
function serverP99(before, after) {
  const name = 'featurectl_http_request_seconds';
  const own = 'route="/features"';
  const grown = (metric, labels) => after(metric, labels) - before(metric, labels);
  const all = grown(`${name}_count`, own);
  const bounds = SERVER_BUCKETS.filter(
    (bound) => grown(`${name}_bucket`, `le="${bound}",method="POST",${own}`) >= all * 0.99,
  );
  return bounds.length === 0 ? '?' : `≤ ${bounds[0] * 1000}`;
}
