/**
 * node bench/soak.js [--requests 1000000]
 * So many requests to one `featurectl serve` over 16 connections, of every kind: single reads, an entity that is not
 * there, a selection, batches of 10, bodies that are wrong. Prints what the process holds at the start and on the way.
 */
import { parseArgs } from 'node:util';
import { freePort } from '../scripts/free-port.js';
import { idOf, load, metricsOf, paced, serveCommand, startProgram, startRedis, untilUp } from './serving.js';

const { values: flags } = parseArgs({ options: { requests: { type: 'string', default: '1000000' } } });
const CONNECTIONS = 16;
const total = Number(flags.requests);

const redisPort = await startRedis();
load(redisPort);
const port = await freePort();
startProgram(serveCommand(port, redisPort));
await untilUp(port);

const requests = Array.from({ length: 1000 }, (_, i) => requestOf(i));
console.log(`${total} requests over ${CONNECTIONS} connections, node ${process.version}\n`);
console.log(
  '| requests | RSS MB | heap MB | external MB | handles | files | reads in flight |\n|---|---|---|---|---|---|---|',
);
await print(0);
let done = 0;
for (const until of [0.01, 0.1, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * total))) {
  paced(port, 'max', until - done, CONNECTIONS, requests);
  done = until;
  await print(done);
}
const answered = (await metricsOf(port))('featurectl_http_requests_total', 'method="POST"');
if (answered !== total) throw new Error(`expected ${total} requests in /metrics, found ${answered}`);
process.exit(0);

function requestOf(i) {
  const path = '/features';
  const single = (entity, more = {}) => JSON.stringify({ entity_key: entity, ...more });
  switch (i % 10) {
    case 0:
      return { path, body: single(`nobody ${i}`), status: 404 };
    case 1:
      return { path, body: `{"entity_key":"${idOf(i)}`, status: 422 };
    case 2:
      return { path, body: single(idOf(i), { features: ['churn_score', 'total_purchases'] }), status: 200 };
    case 3: {
      const entity_keys = Array.from({ length: 10 }, (_, k) => idOf(i * 10 + k));
      return { path: '/features/batch?typed=true', body: JSON.stringify({ entity_keys }), status: 200 };
    }
    default:
      return { path, body: single(idOf(i)), status: 200 };
  }
}

async function print(requests) {
  // Connections of the load that has ended are closed by then.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const of = await metricsOf(port);
  const mb = (name) => (of(name) / 1e6).toFixed(1);
  const cells = [
    requests.toLocaleString('en-US'),
    mb('process_resident_memory_bytes'),
    mb('nodejs_heap_size_used_bytes'),
    mb('nodejs_external_memory_bytes'),
    of('nodejs_active_handles_total'),
    of('process_open_fds'),
    of('featurectl_reads_in_flight'),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
