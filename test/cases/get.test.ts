/** `get`: what was written, as a person and as a script see it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

const FEATURES = `
  n: int64
  big: int64
  f: float64
  b: bool
  t: timestamp
  v: vector<float32>[2]
  j: json
  s: string`;

async function ingest(): Promise<string> {
  const schema = await desk.file(
    'get.yaml',
    schemaText({ key: 'k:{a}:{b}', x: FEATURES, more: 'event_time: t' }).replace(
      '  b: bool',
      '  ok: { type: bool, from: ok }',
    ),
  );
  const file = await desk.file(
    'get.csv',
    'a,b,n,big,f,ok,t,v,j,s\nx:y,"1,2",5,9007199254740993,0.5,true,2024-01-15T08:00:00Z,"[0.1,2]","{""a"":[1]}",é\n',
  );
  const { code, stderr } = await desk.run(['ingest', file, '--schema', schema]);
  expect(code, stderr).toBe(0);
  return schema;
}

it('shows typed values, TTL and age, as JSON', async () => {
  const schema = await ingest();
  const { code, stdout } = await desk.run(['get', '["x:y","1,2"]', '--schema', schema, '--json']);
  expect(code).toBe(0);
  const view = JSON.parse(stdout) as Record<string, unknown>;
  expect(view).toMatchObject({
    key: 'k:x%3Ay:1,2',
    found: true,
    features: {
      n: 5,
      big: '9007199254740993',
      f: 0.5,
      ok: true,
      t: '2024-01-15T08:00:00Z',
      v: [0.1, 2],
      j: { a: [1] },
      s: 'é',
    },
  });
  expect(view.ttl_seconds).toBeGreaterThan(3500);
  expect(view.age_seconds).toBeGreaterThan(0);
});

it('shows a table, and as stored without a schema', async () => {
  await ingest();
  const { code, stdout } = await desk.run(['get', 'x%3Ay:1,2', '--prefix', 'k:']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^k:x%3Ay:1,2 {2}TTL (1h00m|59m\d\ds)\n/);
  expect(stdout).toMatch(/^ {2}big +9007199254740993$/m);
});

it('a missing entity: says so, exit 1, the others are shown', async () => {
  await ingest();
  const { code, stdout } = await desk.run(['get', 'nope', 'x%3Ay:1,2', '--prefix', 'k:']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^k:nope {2}not found\n/);
  expect(stdout).toMatch(/^k:x%3Ay:1,2/m);
});

it('an entity with too few parts is a usage error', async () => {
  const schema = await ingest();
  const { code, stderr } = await desk.run(['get', 'x', '--schema', schema]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/2 parts \(a,b\), found 1/);
});

it('a key of another type is told in its place, exit 1; the others are shown', async () => {
  await ingest();
  await desk.client.set('k:other', 'x');
  const table = await desk.run(['get', 'other', 'x%3Ay:1,2', 'nope', '--prefix', 'k:']);
  expect(table.code, table.stderr).toBe(1);
  const [first, second] = table.stdout.split('\n');
  expect(first).toBe('k:other  cannot be read: k:other: expected a hash, found a key of another type');
  expect(second).toMatch(/^k:x%3Ay:1,2 {2}TTL/);
  expect(table.stdout).toMatch(/^k:nope {2}not found$/m);
  const json = await desk.run(['get', 'other', 'x%3Ay:1,2', '--prefix', 'k:', '--json']);
  expect(json.code).toBe(1);
  const [other, good] = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(other).toMatchObject({
    found: false,
    features: {},
    error: expect.stringMatching(/expected a hash/),
  });
  expect(good.found).toBe(true);
  expect('error' in good).toBe(false);
});

it('no Redis: at once, or after --retry-for', async () => {
  const away = ['get', 'x', '--redis', 'redis://127.0.0.1:1'];
  const { code, stderr } = await desk.run(away);
  expect(code).toBe(4);
  expect(stderr).toMatch(/could not connect: .*REDIS_CONNECT/);
  expect((await desk.run([...away, '--retry-for', '200ms'])).stderr).toMatch(/could not connect within/);
});

it.each([
  [['', '--schema', 'one.yaml'], /entity "": expected id, found an empty text/],
  [[' ', '--schema', 'one.yaml'], /expected id, found only white space/],
  [['de,', '--schema', 'get.yaml'], /expected b, found an empty text/],
  [['u1', '', '--prefix', 'k:'], /entity "": expected text, found an empty one/],
])('an entity without text is a usage error: %j', async (argv, message) => {
  await ingest();
  await desk.file('one.yaml', schemaText({ key: 'features:user:{id}' }));
  const { code, stdout, stderr } = await desk.run(['get', ...argv.map(inDesk)]);
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([2, '']);
});

it('a whole key with --schema: the entity is asked for', async () => {
  await ingest();
  const one = await desk.file('one.yaml', schemaText({ key: 'features:user:{id}' }));
  const { code, stderr } = await desk.run(['get', 'features:user:000001', 'nobody', '--schema', one]);
  expect(stderr).toBe(
    'featurectl: features:user:000001 has the form of a whole key (features:user:{id}): with --schema give the entity alone, id\n',
  );
  expect(code).toBe(1);
  const parts = await desk.run(['get', 'k:de:1', '--schema', desk.path('get.yaml')]);
  expect(parts.stderr).toMatch(/expected 2 parts \(a,b\), found 1; k:de:1 has the form of a whole key/);
});

function inDesk(word: string): string {
  return word.endsWith('.yaml') ? desk.path(word) : word;
}
