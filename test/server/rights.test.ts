/** What a user of Redis needs to read: the one list of the docs is enough, and what of it is missing is told. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { startRedis } from '../support/redis-server.ts';
import { featurectl } from '../support/run.ts';
import { type Served, serve, until } from './support.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const [source, schema] = [`${ROOT}fixtures/users.csv`, `${ROOT}fixtures/users.yaml`];
const page = (name: string): string => readFileSync(`${ROOT}docs/${name}.md`, 'utf8');
const RIGHTS = /^ACL SETUSER reader .* -@all (.*)$/m.exec(page('operations'))?.[1] ?? '';

let desk: Desk;
let url: string;
let server: Served | null = null;

beforeAll(async () => {
  desk = await openDesk();
  expect((await desk.run(['ingest', source, '--schema', schema, '--quiet'])).code).toBe(0);
  url = desk.redis.url.replace('//', '//reader:PASSWORD@');
});
afterEach(async () => {
  await server?.stop();
  server = null;
});
afterAll(() => desk.close());

/** The user of docs/operations.md, with these changes. */
async function reader(...changes: string[]): Promise<void> {
  await desk.redis.cli('ACL', 'DELUSER', 'reader');
  const line = /^ACL SETUSER reader .*$/m.exec(page('operations'))?.[0] ?? '';
  await desk.redis.cli(...line.split(' '), ...changes);
}

const start = async (isReady = true): Promise<Served> => {
  server = await serve(desk, ['--schema', schema, '--redis', url], isReady);
  return server;
};

it('docs/serving.md has the list of docs/operations.md', () => {
  expect(RIGHTS).toMatch(/^(\+[a-z]+ ?)+$/);
  expect(page('serving')).toContain(`\`${RIGHTS}\``);
});

it.each([
  ['get', ['get', 'user_0001', '--schema', schema]],
  ['verify', ['verify', source, '--schema', schema]],
  ['check', ['check', '--schema', schema, '--min-count', '100']],
])('%s needs no more', async (_name, argv) => {
  await reader();
  const { code, stderr } = await desk.run([...argv, '--redis', url]);
  expect(stderr).not.toMatch(/NOPERM/);
  expect(code, stderr).toBe(0);
});

const ASKED: [string, object][] = [
  ['/features', { entity_key: 'user_0001' }],
  ['/features?typed=true', { entity_key: 'user_0001' }],
  ['/features', { entity_key: 'user_0001', features: ['churn_score'] }],
  ['/features/batch', { entity_keys: ['user_0001', 'nobody'] }],
  ['/features/batch?typed=true', { entity_keys: ['user_0001'], features: ['churn_score'] }],
  ['/views/user_features/features', { entity_key: 'user_0001' }],
];

it('serve needs no more', async () => {
  await reader();
  const { post, get, stop } = await start();
  for (const [path, body] of ASKED) expect((await post(path, body)).status, path).toBe(200);
  expect((await get('/health/ready')).json).toEqual({ status: 'ok', redis: 'connected' });
  const { stderr } = await stop();
  server = null;
  expect(stderr).not.toMatch(/NOPERM/);
});

it.each(['hgetall', 'hmget', 'exists'])(
  'serve without %s: told at start, by health and by each read, until it is granted',
  async (name) => {
    await reader(`-${name}`);
    const { post, get, stop } = await start(false);
    const what = new RegExp(`may run ${name.toUpperCase()}, .*ACL SETUSER NAME \\+${name}$`);
    const health = await get('/health/ready');
    expect([health.status, health.json.redis]).toEqual([503, 'refused']);
    expect(health.json.reason).toMatch(what);
    for (const [path, body] of ASKED) {
      const { status, json } = await post(path, body);
      expect([status, json.code]).toEqual([503, 'REFUSED']);
      expect(json.message).toMatch(what);
    }
    await desk.redis.cli('ACL', 'SETUSER', 'reader', `+${name}`);
    await until(async () => (await get('/health/ready')).status === 200);
    for (const [path, body] of ASKED) expect((await post(path, body)).status, path).toBe(200);
    const { stderr } = await stop();
    server = null;
    expect(stderr).toMatch(new RegExp(`listening on \\S+; expected .* ${name.toUpperCase()}`));
  },
);

it('several that are missing are named together', async () => {
  await reader('-hmget', '-exists');
  const { get } = await start(false);
  expect((await get('/health')).json.reason).toMatch(/HMGET and EXISTS, .*\+hmget \+exists$/);
});

it('a right that is taken away while it runs', async () => {
  await reader();
  const { post, get } = await start();
  await desk.redis.cli('ACL', 'SETUSER', 'reader', '-hgetall');
  const { status, json } = await post('/features', { entity_key: 'user_0001' });
  expect([status, json.code]).toEqual([503, 'REFUSED']);
  expect(json.message).toMatch(/HGETALL.*\+hgetall/);
  await until(async () => (await get('/health/ready')).json.redis === 'refused');
  await desk.redis.cli('ACL', 'SETUSER', 'reader', '+hgetall');
  await until(async () => (await post('/features', { entity_key: 'user_0001' })).status === 200);
});

it('a wrong password is refused, not away; its log says which', async () => {
  const { get, post, stop } = await serve(
    desk,
    ['--schema', schema, '--redis', url.replace('PASSWORD', 'other')],
    false,
  );
  expect((await get('/health/ready')).json.redis).toBe('refused');
  expect((await post('/features', { entity_key: 'user_0001' })).json.code).toBe('REFUSED');
  expect((await stop()).stderr).toMatch(/WRONGPASS/);
});

it('on a Cluster: the rights that its page adds, and what is missing', async () => {
  const cluster = await startRedis({ cluster: true });
  const line = /^ACL SETUSER reader .*$/m.exec(page('operations'))?.[0] ?? '';
  await cluster.cli(...line.split(' '), '+cluster|slots', '+asking');
  const ingested = await featurectl(['ingest', source, '--schema', schema, '--redis', cluster.url]);
  expect(ingested.code, ingested.stderr).toBe(0);
  const argv = ['--schema', schema, '--redis', cluster.url.replace('//', '//reader:PASSWORD@')];
  server = await serve(desk, argv);
  const { post, get } = server;
  for (const [path, body] of ASKED) expect((await post(path, body)).status, path).toBe(200);
  await cluster.cli('ACL', 'SETUSER', 'reader', '-hgetall');
  const refused = await post('/features', { entity_key: 'user_0001' });
  expect([refused.status, refused.json.code]).toEqual([503, 'REFUSED']);
  expect((await get('/health/ready')).json.reason).toMatch(/HGETALL/);
  await cluster.stop();
});
