/** Bounds and doors: size, time, overload, tokens, HTTPS. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.js';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';
import { type Served, serve, slowPost, until } from './support.ts';

let desk: Desk;
let schema: string;
let server: Served | null = null;

beforeAll(async () => {
  desk = await openDesk();
  schema = await desk.file('s.yaml', schemaText({}));
  await desk.client.hset('k:1', 'x', 'v');
});
afterEach(async () => {
  await server?.stop();
  server = null;
});
afterAll(() => desk.close());

const start = async (...flags: string[]): Promise<Served> => {
  server = await serve(desk, ['--schema', schema, ...flags]);
  return server;
};
const JSON_TYPE = { 'content-type': 'application/json' };

it('a body of 10 MB, a batch and headers beyond the limits', async () => {
  const { post, get } = await start('--max-batch', '2');
  const large = await post('/features', { entity_key: 'x'.repeat(10_000_000) }).catch(() => null);
  // The server closes without reading the rest; whether the answer is still read is the client's luck.
  if (large !== null) expect([large.status, large.json.code]).toEqual([413, 'TOO_LARGE']);
  const fit = await post('/features', { entity_key: 'x'.repeat(1_000_000) });
  expect(fit.status).toBe(404);
  const over = await post('/features', { entity_key: 'x'.repeat(1_048_570) });
  expect([over.status, over.json.code]).toEqual([413, 'TOO_LARGE']);
  const batch = await post('/features/batch', { entity_keys: ['1', '2', '3'] });
  expect([batch.status, batch.json.field]).toEqual([422, 'entity_keys']);
  const headers = await get('/health', { 'x-long': 'x'.repeat(9000) });
  expect([headers.status, headers.json.code]).toEqual([431, 'HEADERS']);
});

it.each([
  ['at the limit', 2048, 404, undefined],
  ['one byte longer', 2049, 413, 'TOO_LARGE'],
])('--body-limit 2KiB: a body %s', async (_name, bytes, status, code) => {
  const { post } = await start('--body-limit', '2KiB');
  const answer = await post('/features', { entity_key: 'x'.repeat(bytes - '{"entity_key":""}'.length) });
  expect([answer.status, answer.json.code]).toEqual([status, code]);
});

it('--max-batch: as many are answered, one more names the field', async () => {
  const { post } = await start('--max-batch', '2');
  expect((await post('/features/batch', { entity_keys: ['1', '2'] })).status).toBe(200);
  const { status, json } = await post('/features/batch', { entity_keys: ['1', '2', '3'] });
  expect([status, json]).toEqual([
    422,
    {
      code: 'INVALID',
      field: 'entity_keys',
      message: expect.stringMatching(/at most 2 entities .*--max-batch/),
    },
  ]);
});

it('--typed: JSON types where the query does not say', async () => {
  const typed = await desk.file('typed.yaml', schemaText({ key: 't:{id}', x: 'int64' }));
  await desk.client.hset('t:1', 'x', '7');
  server = await serve(desk, ['--schema', typed, '--typed']);
  const { post } = server;
  expect((await post('/features', { entity_key: '1' })).json.features).toEqual({ x: 7 });
  expect((await post('/features?typed=false', { entity_key: '1' })).json.features).toEqual({ x: '7' });
});

it.each([
  [[], false],
  [['--stale-after', '1h'], false],
  [['--stale-after', '90s'], true],
])('an event time of two minutes ago, with %j: stale is %s', async (flags, stale) => {
  const dated = await desk.file(
    'dated.yaml',
    'name: dated\nkey: "d:{id}"\nttl: 1d\nevent_time: t\nfeatures:\n  t: timestamp\n',
  );
  await desk.client.hset('d:1', 't', new Date(Date.now() - 120_000).toISOString());
  server = await serve(desk, ['--schema', dated, ...flags]);
  const { json } = await server.post('/features', { entity_key: '1' });
  expect([json.stale, Math.floor(json.age_seconds / 60)]).toEqual([stale, 2]);
});

it('clients that are slow with headers or body are let go; others are served meanwhile', async () => {
  const { port, post } = await start('--request-timeout', '300ms');
  const slow = Array.from({ length: 20 }, (_, i) =>
    slowPost(port, '/features', { ...JSON_TYPE, 'content-length': '100' }, (write) => {
      if (i % 2) write('{"entity');
    }),
  );
  expect((await post('/features', { entity_key: '1' })).status).toBe(200);
  // 408, or closed before it was read.
  expect((await Promise.all(slow)).filter((status) => status !== 408 && status !== 0)).toEqual([]);
  expect((await post('/features', { entity_key: '1' })).status).toBe(200);
});

it('too many requests at once: 503 with Retry-After, the others are answered', async () => {
  const { post } = await start('--max-in-flight', '2', '--redis-timeout', '5s');
  await desk.client.client('PAUSE', 400, 'ALL');
  const answers = await Promise.all(Array.from({ length: 6 }, () => post('/features', { entity_key: '1' })));
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.map(({ status, json }) => [status, json.code])).toEqual(
    Array.from({ length: 4 }, () => [503, 'BUSY']),
  );
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
  expect((await post('/features', { entity_key: '1' })).status).toBe(200);
});

it('Redis that does not answer: 503 in time, health says so, and it recovers alone', async () => {
  const { post, get } = await start('--redis-timeout', '200ms');
  await desk.client.client('PAUSE', 1500, 'ALL');
  const { status, json, headers } = await post('/features', { entity_key: '1' });
  expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'REDIS_AWAY', '1']);
  const health = await get('/health');
  expect([health.status, health.json]).toEqual([503, { status: 'unavailable', redis: 'disconnected' }]);
  expect((await get('/health/live')).status).toBe(200);
  await until(async () => (await get('/health/ready')).status === 200);
  expect((await post('/features', { entity_key: '1' })).json.features).toEqual({ x: 'v' });
});

it('bearer tokens of a file, which is read again when it changes', async () => {
  const file = await desk.file('tokens', 'first-token\nsecond-token\n');
  const { post, get, stop } = await start('--token-file', file);
  const ask = async (header?: string) =>
    (await post('/features', { entity_key: '1' }, header ? { authorization: header } : {})).status;
  for (const good of ['Bearer first-token', 'Bearer second-token', 'bearer  first-token'])
    expect(await ask(good), good).toBe(200);
  for (const bad of [
    undefined,
    'first-token',
    'Bearer first',
    'Bearer first-tokenx',
    'Bearer ',
    'Basic first-token',
  ])
    expect(await ask(bad), String(bad)).toBe(401);
  const refused = await get('/metrics');
  expect([refused.status, refused.json.code]).toEqual([401, 'UNAUTHORIZED']);
  expect(refused.headers.get('www-authenticate')).toBe('Bearer');
  for (const path of ['/docs', '/docs/json', '//metrics', '/%6detrics', '/METRICS'])
    expect([401, 404], path).toContain((await get(path)).status);
  expect((await get('/health')).status).toBe(200);
  const nameless = await post('/views/nope/features', {});
  expect(nameless.json.message).toBe('no such path; GET /docs lists them');
  await writeFile(file, 'third-token\n');
  await until(async () => (await ask('Bearer third-token')) === 200);
  expect(await ask('Bearer first-token')).toBe(401);
  await writeFile(file, '\n');
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(await ask('Bearer third-token')).toBe(200);
  const { stderr } = await stop();
  server = null;
  expect(stderr).toMatch(/token file was read again/);
  expect(stderr).toMatch(/earlier tokens hold/);
  expect(stderr).not.toMatch(/first-token|third-token/);
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

it.skipIf(!hasOpenssl)('HTTPS with a certificate', async () => {
  const [cert, key] = [desk.path('cert.pem'), desk.path('key.pem')];
  const made = spawnSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { encoding: 'utf8' },
  );
  expect(made.status, made.stderr).toBe(0);
  const port = await freePort();
  const interrupt = new AbortController();
  const argv = [
    'serve',
    '--schema',
    schema,
    '--port',
    String(port),
    '--https-cert',
    cert,
    '--https-key',
    key,
  ];
  const done = desk.run(argv, { signal: interrupt.signal });
  const ask = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const options = {
        port,
        path: '/features',
        method: 'POST',
        rejectUnauthorized: false,
        headers: JSON_TYPE,
        agent: false,
      };
      const sent = httpsRequest(options, (response) => {
        let text = '';
        response.on('data', (data) => {
          text += data;
        });
        response.on('end', () => resolve(JSON.parse(text)));
      });
      sent.on('error', reject);
      sent.end('{"entity_key":"1"}');
    });
  await until(async () => ((await ask()) as { found?: boolean }).found === true);
  expect(await ask()).toEqual({ entity_key: '1', features: { x: 'v' }, found: true });
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
  interrupt.abort(143);
  const { code, stderr } = await done;
  expect(code).toBe(0);
  expect(stderr).toMatch(/listening on https:/);
});

it.each([
  [[], /--schema FILE/],
  [['--schema', 'no.yaml'], /no\.yaml/],
  [['--schema', 's.yaml', 's.yaml'], /test a second time/],
  [['--schema', 'name.yaml'], /letters, digits/],
  [['--schema', 's.yaml', '--token-file', 'none'], /--token-file .*none/],
  [['--schema', 's.yaml', '--token-file', 'empty'], /expected a token on a line/],
  [['--schema', 's.yaml', '--https-cert', 'c.pem'], /--https-cert and --https-key: expected both/],
  [['--schema', 's.yaml', '--https-cert', 'c.pem', '--https-key', 'k.pem'], /--https-cert .*c\.pem/],
  [['--schema', 's.yaml', '--redis', 'http://x'], /expected redis:/],
  [['--schema', 's.yaml', '--port', '99999'], /from 0 to 65535/],
])('exit 2 at once: %j', async (flags, message) => {
  await desk.file('name.yaml', schemaText({}).replace('name: test', 'name: "a b"'));
  await desk.file('empty', '\n \n');
  const files = flags.map((flag) =>
    /^(?:.*\.(?:yaml|pem)|none|empty)$/.test(flag) ? desk.path(flag) : flag,
  );
  const { code, stderr } = await desk.run(['serve', ...files]);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});

it('an address of another machine: exit 4', async () => {
  const { code, stderr } = await desk.run([
    'serve',
    '--schema',
    desk.path('s.yaml'),
    '--host',
    '203.0.113.1',
  ]);
  expect(stderr).toMatch(/cannot listen on 203\.0\.113\.1:8000.*LISTEN/s);
  expect(code).toBe(4);
});

it('logs hold no keys, values or passwords', async () => {
  const { post, stop } = await start();
  await post('/features', { entity_key: 'secret-entity' });
  await post('/features', { entity_key: 'secret-entity', features: ['secret-feature'] });
  await post('/features', '{"entity_key":"secret-entity"');
  await desk.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await until(async () => (await post('/features', { entity_key: '1' })).status === 200);
  const { code, stderr } = await stop();
  server = null;
  expect(code).toBe(0);
  expect(stderr).toMatch(/went away[\s\S]*connected to Redis/);
  expect(stderr).not.toMatch(/secret/);
});

it('--quiet says nothing, --log json speaks in JSON lines', async () => {
  const quiet = await (await start('--quiet')).stop();
  expect([quiet.code, quiet.stdout, quiet.stderr]).toEqual([0, '', '']);
  const json = await (await start('--log', 'json')).stop();
  server = null;
  const messages = json.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).message);
  expect(messages.join('\n')).toMatch(/listening on[\s\S]*shutting down/);
});
