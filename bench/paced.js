/**
 * Requests over keep-alive connections, at an even rate or as fast as they are answered (rate `max`).
 * Arguments: port, rate, count, connections, file of requests (JSON: path, body and the status that is expected).
 * Prints JSON: latencies in ms from the moment at which each request was due, so that a slow server cannot hide by
 * slowing the load; `sent` the same from when it was written; `late` how long it waited here for that, which is this
 * program's own delay or that of a machine with other work, and where all connections are busy the server's.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { quantiles } from './measure.js';

const [port, rateText, countText, connectionsText, file] = process.argv.slice(2);
const count = Number(countText);
const rate = rateText === 'max' ? Number.POSITIVE_INFINITY : Number(rateText);
const connections = Number(connectionsText);
const requests = JSON.parse(readFileSync(file, 'utf8')).map(({ path, body, status }) => ({
  bytes: Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  ),
  start: `HTTP/1.1 ${status} `,
}));
// Nothing is made for a request that its latency would hold: no list that grows, one buffer a connection.
const sentAt = new Float64Array(count);
const doneAt = new Float64Array(count);
const idle = [];
let next = 0;
let answered = 0;
let startedAt = 0;

for (let i = 0; i < connections; i += 1) open();

function open() {
  const buffer = Buffer.allocUnsafe(256 * 1024);
  let held = 0;
  let expected = 0;
  let own = 0;
  const onread = {
    buffer,
    callback: (size) => {
      if (held === 0) expected = lengthOf(buffer.latin1Slice(0, Math.min(size, 1024)), own);
      held += size;
      if (held < expected) return true;
      held = 0;
      doneAt[own] = performance.now();
      answered += 1;
      idle.push(send);
      pump();
      if (answered === count) print();
      return true;
    },
  };
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true, onread });
  function send() {
    own = next;
    next += 1;
    sentAt[own] = performance.now();
    socket.write(requests[own % requests.length].bytes);
  }
  socket.once('connect', () => {
    idle.push(send);
    if (idle.length < connections) return;
    startedAt = performance.now();
    tick();
  });
}

/** Bytes of the answer, which come in the first read as far as its headers go. */
function lengthOf(text, index) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0 || !text.startsWith(requests[index % requests.length].start)) throw new Error(text);
  return end + 4 + Number(/content-length: (\d+)/i.exec(text)[1]);
}

function dueAt(index) {
  return startedAt + (index / rate) * 1000;
}

function pump() {
  const now = performance.now();
  while (next < count && idle.length > 0 && dueAt(next) <= now) idle.shift()();
}

/** What is due is seen at every answer, and within a millisecond where none comes. */
function tick() {
  pump();
  if (next < count) setTimeout(tick, 1);
}

function print() {
  const seconds = (performance.now() - startedAt) / 1000;
  // The first second warms up.
  const from = Number.isFinite(rate) ? Math.min(rate, count / 2) : 0;
  const shares = (of) =>
    quantiles(Float64Array.from({ length: count - Math.floor(from) }, (_, i) => of(i + Math.floor(from))));
  const latency = Number.isFinite(rate)
    ? { due: shares((i) => doneAt[i] - dueAt(i)), late: shares((i) => sentAt[i] - dueAt(i)) }
    : {};
  console.log(
    JSON.stringify({ rate: count / seconds, ...latency, sent: shares((i) => doneAt[i] - sentAt[i]) }),
  );
  process.exit(0);
}
