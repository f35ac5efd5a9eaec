/** What the benches of `serve` share: a Redis of their own with users in it, and servers before it. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../scripts/free-port.js';
import { rows, SCHEMA } from './data.js';
import { quantiles } from './measure.js';
import { redisArgs } from './redis-args.js';

export const ENTITIES = 20_000;
export const here = (name) => new URL(name, import.meta.url).pathname;
export const idOf = (i) => `u${String((i * 7919) % ENTITIES).padStart(8, '0')}`;

const PROGRAM = here('../bin/featurectl.js');
const children = [];
export const dir = mkdtempSync(join(tmpdir(), 'featurectl-bench-'));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

/** Killed when this process ends. */
export function startProgram([program, ...args], stdio = ['ignore', 'inherit', 'inherit']) {
  const child = spawn(program, args, { stdio });
  children.push(child);
  return child;
}

/** Gives its port. */
export async function startRedis() {
  const port = await freePort();
  startProgram([process.env.REDIS_SERVER ?? 'redis-server', ...redisArgs(port, dir)], 'ignore');
  while (spawnSync('redis-cli', ['-p', String(port), 'ping']).status !== 0) await pause(50);
  return port;
}

/** The same answer of all servers: no event time, since only featurectl would tell the age. */
export function load(redisPort) {
  writeFileSync(join(dir, 'schema.yaml'), SCHEMA.replace(/^event_time.*\n/m, ''));
  const names =
    'user_id,avg_session_duration,total_purchases,days_since_last_login,lifetime_value,churn_score,preferred_category,last_seen';
  const lines = [...rows(ENTITIES)].map(
    (row) => `${row.slice(0, 7).join(',')},${new Date(row[7]).toISOString()}`,
  );
  writeFileSync(join(dir, 'users.csv'), `${names}\n${lines.join('\n')}\n`);
  const args = ['ingest', join(dir, 'users.csv'), '--schema', join(dir, 'schema.yaml'), '--quiet'];
  const url = `redis://127.0.0.1:${redisPort}`;
  const done = spawnSync(process.execPath, [PROGRAM, ...args, '--redis', url], { stdio: 'inherit' });
  if (done.status !== 0) throw new Error('the load failed');
}

/** The command line of `featurectl serve` over what `load` has loaded. */
export function serveCommand(port, redisPort) {
  return [
    process.execPath,
    ...[PROGRAM, 'serve', '--schema', join(dir, 'schema.yaml'), '--quiet'],
    ...['--port', String(port), '--redis', `redis://127.0.0.1:${redisPort}`],
  ];
}

export async function untilUp(port) {
  for (let i = 0; i < 200; i += 1) {
    const isUp = await fetch(`http://127.0.0.1:${port}/health`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isUp) return;
    await pause(50);
  }
  throw new Error('a server did not come up in 10 s');
}

/** bench/paced.js over these requests; what it prints. `rate`: requests a second, or `max`. */
export function paced(port, rate, count, connections, requests) {
  const file = join(dir, 'requests.json');
  writeFileSync(file, JSON.stringify(requests));
  const args = [here('paced.js'), port, rate, count, connections, file].map(String);
  const { stdout, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error('the load failed');
  return JSON.parse(stdout);
}

/** Null where there is no C compiler. */
export function compilePaced() {
  const program = join(dir, 'paced');
  const made = spawnSync(process.env.CC ?? 'cc', ['-O2', '-o', program, here('paced.c')], {
    stdio: 'inherit',
  });
  return made.status === 0 ? program : null;
}

/** As `paced` at an even rate, by the program that `compilePaced` has made; each answer must be 200. */
export function pacedBy(program, port, rate, count, connections, requests) {
  const [file, times] = [join(dir, 'requests'), join(dir, 'times')];
  const texts = requests.map(({ path, body }) => {
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  });
  writeFileSync(file, texts.map((text) => `${Buffer.byteLength(text)}\n${text}`).join(''));
  const args = [port, rate, count, connections, file, times].map(String);
  if (spawnSync(program, args, { stdio: 'inherit' }).status !== 0) throw new Error('the load failed');
  const { buffer, byteOffset } = readFileSync(times);
  // Of each request: due, sent, done. The first second warms up.
  const all = new Float64Array(buffer, byteOffset, 3 * count);
  const between = (from, to) =>
    quantiles(
      Float64Array.from(
        { length: count - rate },
        (_, i) => all[3 * (i + rate) + to] - all[3 * (i + rate) + from],
      ),
    );
  return { due: between(0, 2), sent: between(1, 2), late: between(0, 1) };
}

/** The sum of the samples of /metrics of a name, where it has labels with these in them. */
export async function metricsOf(port) {
  const lines = (await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).split('\n');
  return (name, labels = '') =>
    lines
      .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(labels))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
