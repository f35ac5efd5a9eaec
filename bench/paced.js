/**
 * Requests at an even rate over keep-alive connections: latency from the moment at which each was due, so that a
 * slow server cannot hide by slowing the load. Arguments: port, path, rate, seconds, connections, bodies (JSON).
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const [port, path, rate, seconds, connections, bodiesFile] = process.argv.slice(2);
const requests = JSON.parse(readFileSync(bodiesFile, 'utf8')).map(
  (body) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
);
const idle = [];
const latencies = [];
let due = 0;
let sent = 0;
const startedAt = performance.now();

for (let i = 0; i < Number(connections); i += 1) open();

function open() {
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
  let dueAt = 0;
  let head = '';
  socket.on('connect', () => idle.push(send));
  socket.on('data', (data) => {
    head += data.latin1Slice();
    const end = head.indexOf('\r\n\r\n');
    if (end < 0 || head.length < end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1])) return;
    if (!head.startsWith('HTTP/1.1 200')) throw new Error(head);
    head = '';
    latencies.push(performance.now() - dueAt);
    idle.push(send);
    pump();
  });
  function send(at) {
    dueAt = at;
    socket.write(requests[sent % requests.length]);
    sent += 1;
  }
}

function pump() {
  while (sent < due && idle.length > 0) idle.shift()(startedAt + (sent / Number(rate)) * 1000);
}

const tick = () => {
  const elapsed = performance.now() - startedAt;
  due = Math.floor((Math.min(elapsed, Number(seconds) * 1000) / 1000) * Number(rate));
  pump();
  if (elapsed < Number(seconds) * 1000) return setTimeout(tick, 1);
  // The first second warms up.
  const sorted = latencies.slice(Number(rate)).sort((a, b) => a - b);
  const at = (share) => Number(sorted[Math.floor(sorted.length * share)].toFixed(2));
  console.log(
    JSON.stringify({
      rate: latencies.length / Number(seconds),
      p50: at(0.5),
      p99: at(0.99),
      p999: at(0.999),
    }),
  );
  process.exit(0);
};
tick();
