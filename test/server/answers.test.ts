/** What the endpoints answer: shapes, statuses, selection, types, age. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { type Served, serve } from './support.ts';

let desk: Desk;
let server: Served;

const USERS = `name: users
key: "u:{id}"
ttl: 1h
features:
  n: int64
  f: float64
  s: { type: string, required: false }
  __proto__: string
`;

const PAIRS = `name: pairs
key: "p:{country}:{id}"
ttl: 1h
event_time: t
features:
  n: int64
  f: float32
  ok: bool
  d: decimal
  t: timestamp
  e: { type: timestamp, store: epoch_ms, from: t }
  v: vector<float32>[2]
  w: { type: "vector<float64>[2]", encoding: json, from: v }
  raw: { type: bytes, decode: hex }
  j: json
`;

beforeAll(async () => {
  desk = await openDesk();
  const users = await desk.file('users.yaml', USERS);
  const pairs = await desk.file('pairs.yaml', PAIRS);
  const lines =
    'id,n,f,s,__proto__\n1,9007199254740993,0.5,"q""\\é\n\u0001",p\n2,-7,1e21,,x\n a b,0,-0,"","y"\n';
  const some = `country,id,n,f,ok,d,t,v,raw,j\nde,1,5,0.1,true,1.50,2020-01-01T00:00:00.5Z,"[0.1,2]",00ff,"{""a"":[1,true]}"\n"a,b",x:y,6,1,false,2,${new Date(Date.now() - 60_000).toISOString()},"[1,2]",61,"[]"\n`;
  for (const [csv, schema] of [
    [await desk.file('users.csv', lines), users],
    [await desk.file('pairs.csv', some), pairs],
  ] as const) {
    const { code, stderr } = await desk.run(['ingest', csv, '--schema', schema]);
    expect(code, stderr).toBe(0);
  }
  await desk.client.set('u:text', 'no hash');
  await desk.client.hset('u:foreign', 'other', '1');
  server = await serve(desk, ['--schema', users, pairs]);
});
afterAll(async () => {
  await server.stop();
  await desk.close();
});

const FIRST = { n: '9007199254740993', f: '0.5', s: 'q"\\é\n\u0001', ['__proto__']: 'p' };

describe('POST /features', () => {
  it('the shape, with values as stored, byte for byte', async () => {
    const { status, headers, json } = await server.post('/features', { entity_key: '1' });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(json).toEqual({ entity_key: '1', features: FIRST, found: true });
    expect(Object.getOwnPropertyNames(json.features)).toContain('__proto__');
  });

  it.each([
    ['a null is not there', '2', { n: '-7', f: '1e+21', ['__proto__']: 'x' }],
    ['an empty string is one', ' a b', { n: '0', f: '-0', s: '', ['__proto__']: 'y' }],
    ['a whole number is its text', 2, { n: '-7', f: '1e+21', ['__proto__']: 'x' }],
    ['fields that the view does not have are not its own', 'foreign', {}],
  ])('%s', async (_name, entity_key, features) => {
    const { status, json } = await server.post('/features', { entity_key });
    expect(status).toBe(200);
    expect(json).toEqual({ entity_key, features, found: true });
  });

  it.each(['nope', '__proto__', 'constructor', 'é', 'a\r\nb', '\0', 'x'.repeat(10_000)])(
    '404 for an entity that is not there: %j',
    async (entity_key) => {
      const { status, json } = await server.post('/features', { entity_key });
      expect(status).toBe(404);
      expect(json).toEqual({ entity_key, features: {}, found: false });
    },
  );

  it('409 for a key of another type', async () => {
    const { status, json } = await server.post('/features', { entity_key: 'text' });
    expect(status).toBe(409);
    expect(json).toEqual({ code: 'WRONG_TYPE', message: expect.stringMatching(/found another type/) });
  });

  it.each([
    ['some features, null where nothing is stored', '2', ['s', 'n'], { s: null, n: '-7' }],
    ['one', '1', ['f'], { f: '0.5' }],
    ['a name like any other', '1', ['__proto__'], { ['__proto__']: 'p' }],
    ['none of which is stored', 'foreign', ['n'], { n: null }],
  ])('features: %s', async (_name, entity_key, features, expected) => {
    const { status, json } = await server.post('/features', { entity_key, features });
    expect(status).toBe(200);
    expect(json).toEqual({ entity_key, features: expected, found: true });
  });

  it('features of an entity that is not there: 404', async () => {
    const { status, json } = await server.post('/features', { entity_key: 'nope', features: ['n'] });
    expect(status).toBe(404);
    expect(json).toEqual({ entity_key: 'nope', features: {}, found: false });
  });

  it('typed: JSON types; what a JSON number would change stays text', async () => {
    const { json } = await server.post('/features?typed=true', { entity_key: '1' });
    expect(json.features).toEqual({ ...FIRST, f: 0.5 });
    const other = await server.post('/features?typed=true', { entity_key: '2', features: ['n', 'f', 's'] });
    expect(other.json.features).toEqual({ n: -7, f: 1e21, s: null });
    expect(other.text).toContain('"n":-7,');
  });
});

describe('POST /features/batch', () => {
  it('the order of the request, what is missing, the time it took', async () => {
    const entity_keys = ['2', 'nope', '1', '2', 'text'];
    const { status, json } = await server.post('/features/batch', { entity_keys });
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual(['results', 'missing', 'latency_ms']);
    const second = { n: '-7', f: '1e+21', ['__proto__']: 'x' };
    expect(json.results).toEqual([
      { entity_key: '2', features: second, found: true },
      { entity_key: 'nope', features: {}, found: false },
      { entity_key: '1', features: FIRST, found: true },
      { entity_key: '2', features: second, found: true },
      { entity_key: 'text', features: {}, found: false, error: expect.stringMatching(/another type/) },
    ]);
    expect(json.missing).toEqual(['nope', 'text']);
    expect(json.latency_ms).toBeGreaterThan(0);
  });

  it('of features, typed', async () => {
    const { json } = await server.post('/features/batch?typed=true', {
      entity_keys: ['1', '2'],
      features: ['f'],
    });
    expect(json.results.map((row: { features: unknown }) => row.features)).toEqual([{ f: 0.5 }, { f: 1e21 }]);
  });

  it('of nobody', async () => {
    const { status, json } = await server.post('/features/batch', { entity_keys: [] });
    expect(status).toBe(200);
    expect(json).toMatchObject({ results: [], missing: [] });
  });

  it('of a thousand, answered whole', async () => {
    const entity_keys = Array.from({ length: 1000 }, (_, i) => (i % 2 ? '1' : `no ${i}`));
    const { json } = await server.post('/features/batch', { entity_keys });
    expect(json.results.map((row: { entity_key: string }) => row.entity_key)).toEqual(entity_keys);
    expect(json.missing).toHaveLength(500);
  });
});

describe('views', () => {
  const path = '/views/pairs/features';
  const stored = {
    n: '5',
    f: '0.1',
    ok: '1',
    d: '1.50',
    t: '2020-01-01T00:00:00.5Z',
    e: '1577836800500',
    v: Buffer.from(new Float32Array([0.1, 2]).buffer).toString('base64'),
    w: '[0.1,2]',
    raw: 'AP8=',
    j: '{"a":[1,true]}',
  };

  it.each([
    ['an object of its parts', { id: '1', country: 'de' }],
    ['an array of them in order', ['de', '1']],
    ['their text joined by commas', 'de,1'],
    ['a number as a part', { country: 'de', id: 1 }],
  ])('a composite entity as %s', async (_name, entity_key) => {
    const { status, json } = await server.post(path, { entity_key });
    expect(status).toBe(200);
    expect(json).toEqual({
      entity_key,
      features: stored,
      found: true,
      age_seconds: expect.any(Number),
      stale: true,
    });
  });

  it('parts that hold what stands between them', async () => {
    const entity_key = { country: 'a,b', id: 'x:y' };
    const { json } = await server.post(`${path}/batch`, { entity_keys: [entity_key, ['de', '1']] });
    expect(json.results[0]).toMatchObject({ entity_key, found: true, stale: false });
    expect(json.results[0].age_seconds).toBeGreaterThanOrEqual(60);
    expect(json.results[0].age_seconds).toBeLessThan(120);
    expect(json.missing).toEqual([]);
  });

  it('typed: numbers, booleans, vectors and JSON', async () => {
    const { json } = await server.post(`${path}?typed=true`, { entity_key: ['de', '1'] });
    expect(json.features).toEqual({
      ...stored,
      n: 5,
      f: 0.1,
      ok: true,
      e: 1577836800500,
      v: [0.1, 2],
      w: [0.1, 2],
      j: { a: [1, true] },
    });
  });

  it.each([
    ['?vectors=array', [0.1, 2]],
    ['?vectors=base64&typed=true', stored.v],
  ])('packed vectors: %s', async (query, v) => {
    const { json } = await server.post(path + query, { entity_key: ['de', '1'], features: ['v'] });
    expect(json.features).toEqual({ v });
  });

  it('age with a selection that lacks the event time, and without one stored', async () => {
    await desk.client.hset('p:fr:1', 'n', '1');
    const entity_keys = ['de,1', 'fr,1', 'xx,1'];
    const { json } = await server.post(`${path}/batch`, { entity_keys, features: ['n'] });
    expect(json.results).toEqual([
      { entity_key: 'de,1', features: { n: '5' }, found: true, age_seconds: expect.any(Number), stale: true },
      { entity_key: 'fr,1', features: { n: '1' }, found: true, age_seconds: null, stale: null },
      { entity_key: 'xx,1', features: {}, found: false, age_seconds: null, stale: null },
    ]);
  });

  it('the first one is /features, and has a path of its own', async () => {
    const { json } = await server.post('/views/users/features', { entity_key: '1' });
    expect(json.features).toEqual(FIRST);
    expect((await server.post('/views/nope/features', { entity_key: '1' })).status).toBe(404);
  });
});

describe('a wrong request names the field', () => {
  const long = Array.from({ length: 1001 }, () => '1');
  it.each([
    ['/features', {}, 'entity_key', /missing/],
    ['/features', { entity_key: null }, 'entity_key', /expected text or a whole number, found null$/],
    ['/features', { entity_key: '' }, 'entity_key', /expected text, found an empty one$/],
    ['/features', { entity_key: ' \t ' }, 'entity_key', /white space/],
    [
      '/features',
      { entity_key: 1.5 },
      'entity_key',
      /expected text or a whole number, found a number that is not whole$/,
    ],
    ['/features', { entity_key: 2 ** 53 }, 'entity_key', /up to 2\^53 - 1, .* send it as text$/],
    ['/features', '{"entity_key":"\\ud800"}', 'entity_key', /Unicode/],
    ['/features', { entity_key: 'x', extra: 1 }, 'extra', /not known/],
    ['/features', '{"entity_key":"x","__proto__":{}}', '__proto__', /not known/],
    [
      '/features',
      { entity_key: 'x', features: [] },
      'features',
      /expected a feature or more, found none; leave it out/,
    ],
    ['/features', { entity_key: 'x', features: ['n', 'nope'] }, 'features[1]', /a feature .* found "nope"/],
    ['/features', { entity_key: 'x', features: ['\n"'.repeat(60)] }, 'features[0]', /found "(\\n\\"){50}…"/],
    ['/features', { entity_key: 'x', features: [1] }, 'features[0]', /expected text, found a number$/],
    ['/features', { entity_key: 'x', features: 'n' }, 'features', /expected an array, found text$/],
    [
      '/features',
      { entity_key: 'x', features: ['n', 'n'] },
      'features',
      /each feature once, found \[0\] and \[1\] the same$/,
    ],
    ['/features', '[]', 'body', /expected an object, found an array$/],
    ['/features', '{', 'body', /expected JSON/],
    ['/features', '', 'body', /expected JSON|expected an object, found/],
    ['/features', Buffer.from('{"entity_key":"\xe9"}', 'latin1'), 'body', /expected UTF-8/],
    ['/features?typed=yes', { entity_key: 'x' }, 'typed', /expected true or false/],
    ['/features?typed=true&typed=true', { entity_key: 'x' }, 'typed', /expected text, found an array$/],
    ['/features', { entity_key: -(2 ** 53) }, 'entity_key', /send it as text$/],
    [
      '/views/pairs/features',
      { entity_key: 5 },
      'entity_key',
      /an object or an array or text, found a number$/,
    ],
    ['/views/pairs/features', { entity_key: ['a', 'b', 'c'] }, 'entity_key', /expected 2 parts, found 3$/],
    ['/features?typd=true', { entity_key: 'x' }, 'typd', /not known/],
    ['/features/batch', {}, 'entity_keys', /missing/],
    ['/features/batch', { entity_keys: 'x' }, 'entity_keys', /expected an array, found text$/],
    ['/features/batch', { entity_keys: ['x'], features: ['nope'] }, 'features[0]', /found "nope"/],
    [
      '/features/batch',
      { entity_keys: ['x', {}] },
      'entity_keys[1]',
      /text or a whole number, found an object$/,
    ],
    ['/features/batch', { entity_keys: ['x', ' '] }, 'entity_keys[1]', /white space/],
    [
      '/features/batch',
      { entity_keys: long },
      'entity_keys',
      /at most 1000 entities .*\(--max-batch\), found 1001; /,
    ],
    ['/views/pairs/features', { entity_key: 'de' }, 'entity_key', /2 parts \(country,id\), found 1/],
    ['/views/pairs/features', { entity_key: { country: 'de' } }, 'entity_key.id', /missing/],
    ['/views/pairs/features', { entity_key: { country: 'de', id: '1', x: 1 } }, 'entity_key.x', /not known/],
    ['/views/pairs/features', { entity_key: ['de'] }, 'entity_key', /expected 2 parts, found 1$/],
  ])('422 %s %j: %s', async (path, body, field, message) => {
    const { status, json } = await server.post(path, body);
    expect(json).toEqual({ code: 'INVALID', message: expect.stringMatching(message), field });
    expect(status).toBe(422);
  });

  it.each([
    [
      '415 for another type of body',
      () => server.post('/features', 'entity_key=x', { 'content-type': 'text/plain' }),
      415,
      'MEDIA_TYPE',
    ],
    ['404 for another path', () => server.get('/nope'), 404, 'NOT_FOUND'],
    ['400 for a path that cannot be decoded', () => server.get('/%zz'), 400, 'BAD_REQUEST'],
  ])('%s', async (_name, ask, status, code) => {
    const answer = await ask();
    expect(answer.json).toEqual({ code, message: expect.any(String) });
    expect(answer.status).toBe(status);
  });
});

it('a view that there is not: those that there are', async () => {
  const { status, json } = await server.post('/views/nope/features', { entity_key: '1' });
  expect([status, json]).toEqual([
    404,
    { code: 'NOT_FOUND', message: 'expected a view of this server (users, pairs), found "nope"' },
  ]);
  expect((await server.post('/views/users/nope', {})).json.message).toMatch(/no such path/);
});

it.each([
  ['GET', '/features', 'POST'],
  ['GET', '/features/batch?typed=true', 'POST'],
  ['DELETE', '/views/pairs/features', 'POST'],
  ['POST', '/health', 'GET, HEAD'],
  ['PUT', '/metrics', 'GET, HEAD'],
])('405 for %s %s, with Allow', async (method, path, allow) => {
  const answer = await fetch(server.url + path, { method });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
  expect(await answer.json()).toEqual({
    code: 'METHOD',
    message: `expected ${allow.replace(', ', ' or ')} for this path, found ${method}`,
  });
});

describe('what surrounds it', () => {
  it.each([
    ['/health', { status: 'ok', redis: 'connected' }],
    ['/health/ready', { status: 'ok', redis: 'connected' }],
    ['/health/live', { status: 'ok' }],
  ])('%s', async (path, body) => {
    const { status, json } = await server.get(path);
    expect(status).toBe(200);
    expect(json).toEqual(body);
  });

  it('/metrics: requests, latency, event-loop delay, the state of Redis', async () => {
    await server.post('/features', { entity_key: 'nope' });
    const { text, headers } = await server.get('/metrics');
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toMatch(
      /featurectl_http_requests_total\{method="POST",route="\/features",status="404"\} \d+/,
    );
    expect(text).toMatch(
      /featurectl_http_request_seconds_bucket\{le="0.001",method="POST",route="\/features"\} \d+/,
    );
    expect(text).toMatch(/featurectl_redis_ready 1\n/);
    expect(text).toMatch(/nodejs_eventloop_lag_p99_seconds [\d.]+/);
    const value = (name: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(name))
          ?.split(' ')[1],
      );
    const own = 'method="POST",route="/features"';
    expect(value(`featurectl_http_request_seconds_bucket{le="+Inf",${own}}`)).toBe(
      value(`featurectl_http_request_seconds_count{${own}}`),
    );
  });

  it('/docs/json describes the endpoints with the schemas that validate; /docs shows them', async () => {
    const { json } = await server.get('/docs/json');
    expect(Object.keys(json.paths)).toEqual(
      expect.arrayContaining(['/features', '/features/batch', '/views/pairs/features', '/health/ready']),
    );
    const body = json.paths['/features/batch'].post.requestBody.content['application/json'].schema;
    expect(body).toMatchObject({
      required: ['entity_keys'],
      properties: {
        entity_keys: { maxItems: 1000 },
        features: { items: { enum: ['n', 'f', 's', '__proto__'] } },
      },
    });
    const page = await server.get('/docs');
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.text).toContain('POST /views/pairs/features/batch');
    expect(page.text).not.toMatch(/<script|https?:\/\//);
  });
});
