/** Ten thousand wrong requests, the same ones in every run: none is a 500, and the server serves on. */
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';
import { type Served, serve } from './support.ts';

const HTTP_REQUESTS = 9_000;
const RAW_REQUESTS = 1_000;

let desk: Desk;
let server: Served;

beforeAll(async () => {
  desk = await openDesk();
  const schema = await desk.file('s.yaml', schemaText({ x: '\n  x: string\n  __proto__: int64' }));
  const pair = await desk.file(
    'p.yaml',
    schemaText({ key: 'p:{a}:{b}' }).replace('name: test', 'name: pair'),
  );
  await desk.client.hset('k:1', 'x', '1');
  server = await serve(desk, ['--schema', schema, pair, '--body-limit', '64KiB', '--request-timeout', '1s']);
});
afterAll(async () => {
  await server.stop();
  await desk.close();
});

/** xorshift32. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const PATHS = ['/features', '/features/batch', '/views/pair/features', '/views/pair/features/batch'];
const ODD_PATHS = [
  '/',
  '//',
  '/features/',
  '/features?typed=',
  '/features?__proto__=1',
  '/features?typed=true&typed=true',
];
ODD_PATHS.push(
  '/views/__proto__/features',
  '/docs/../features',
  '/metrics/x',
  '/%00',
  '/%ff',
  `/${'x'.repeat(3000)}`,
);
const METHODS = ['POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'];
const TYPES = [
  'application/json',
  'application/json',
  'application/json; charset=utf-16',
  'text/plain',
  'x',
  '',
];
const NAMES = [
  'entity_key',
  'entity_keys',
  'features',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
];
const VALUES: readonly unknown[] = [
  ...[
    '1',
    '',
    ' ',
    '__proto__',
    'constructor',
    'a,b',
    '\0',
    '\ud800',
    '\u2028',
    'é',
    'x'.repeat(5000),
    '{}',
    '"',
  ],
  ...[
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    true,
    false,
    null,
    [],
    {},
    [[]],
    [{}],
    { a: '1' },
    { a: '1', b: '2' },
    ['1', '2'],
  ],
  ...[['__proto__'], { ['__proto__']: 'x' }, { length: 1 }, ['1', null], ['1', { a: 1 }], ['x', '__proto__']],
];

function makeBody(random: (below: number) => number): Buffer {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const kind = random(12);
  if (kind === 0)
    return Buffer.alloc(random(2) * 70_000 + random(200), pick(['[', '{"a":', 'x', '\xff']), 'latin1');
  if (kind === 1) return Buffer.from(Array.from({ length: random(80) }, () => random(256)));
  if (kind === 2) return Buffer.from(JSON.stringify(pick(VALUES)) ?? '');
  const fields = Array.from(
    { length: 1 + random(3) },
    () => `${JSON.stringify(pick(NAMES))}:${JSON.stringify(pick(VALUES))}`,
  );
  const body = Buffer.from(`{${fields.join(',')}}`);
  if (kind < 5) return body.subarray(0, random(body.length + 1));
  if (kind === 5 && body.length > 0) body[random(body.length)] = random(256);
  return body;
}

function send(agent: Agent, random: (below: number) => number): Promise<number> {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const method = pick(METHODS);
  const path =
    random(5) === 0
      ? pick(ODD_PATHS)
      : pick(PATHS) + (random(8) === 0 ? pick(['?typed=true', '?vectors=x', '?a']) : '');
  const type = pick(TYPES);
  const body = makeBody(random);
  return new Promise((resolve, reject) => {
    const headers = { ...(type === '' ? {} : { 'content-type': type }), 'content-length': body.length };
    const sent = request({ port: server.port, agent, method, path, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    // A body that is too long may be cut off before its answer is read.
    sent.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve(413) : reject(error),
    );
    sent.end(body);
  });
}

it('wrong paths, methods, types and bodies', async () => {
  const random = createRandom(42);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const statuses = new Map<number, number>();
  for (let sent = 0; sent < HTTP_REQUESTS; sent += 100) {
    const some = await Promise.all(Array.from({ length: 100 }, () => send(agent, random)));
    for (const status of some) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  agent.destroy();
  const seen = [...statuses.keys()].sort();
  expect(seen.filter((status) => status >= 500)).toEqual([]);
  // It reached all that it was meant to reach.
  expect(seen).toEqual(expect.arrayContaining([200, 404, 413, 415, 422]));
  expect((await server.post('/features', { entity_key: '1' })).json.features).toEqual({ x: '1' });
}, 60_000);

const PIECES = [
  'POST ',
  'GET ',
  '/features',
  ' HTTP/1.1\r\n',
  ' HTTP/9.9\r\n',
  '\r\n',
  '\n',
  'Host: x\r\n',
  '\0',
  '\xff',
];
PIECES.push(
  'Content-Length: 5\r\n',
  'Content-Length: -1\r\n',
  'Content-Length: 99999999999\r\n',
  'Transfer-Encoding: chunked\r\n',
);
PIECES.push(
  'Content-Type: application/json\r\n',
  '{"entity_key":"1"}',
  '5\r\nabcde\r\n',
  '0\r\n\r\n',
  `A: ${'x'.repeat(9000)}\r\n`,
);
PIECES.push(
  'Expect: 100-continue\r\n',
  'Upgrade: websocket\r\n',
  'Connection: upgrade\r\n',
  '__proto__: x\r\n',
  'PRI * HTTP/2.0\r\n\r\n',
);

function sendRaw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.end(bytes, 'latin1'));
    socket.on('data', (data) => {
      heard += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(heard));
  });
}

it('bytes that are no requests', async () => {
  const random = createRandom(7);
  const answers: string[] = [];
  for (let sent = 0; sent < RAW_REQUESTS; sent += 50) {
    const texts = Array.from({ length: 50 }, () =>
      Array.from({ length: 1 + random(9) }, () => PIECES[random(PIECES.length)]).join(''),
    );
    answers.push(...(await Promise.all(texts.map(sendRaw))));
  }
  const statuses = answers.flatMap((text) =>
    [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((match) => match[1]),
  );
  expect(statuses.length).toBeGreaterThan(100);
  expect(statuses.filter((status) => Number(status) >= 500)).toEqual([]);
  expect(answers.filter((text) => /\bat .*\.[jt]s:\d+/.test(text))).toEqual([]);
  expect((await server.post('/features', { entity_key: '1' })).status).toBe(200);
}, 60_000);

it('clean objects, whatever was sent', () => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>).x).toBe(undefined);
});
