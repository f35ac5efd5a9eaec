/** `check`: what monitoring is told about the keys of a schema. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';
import type { RunResult } from '../support/run.ts';

let desk: Desk;
let schema: string;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());
beforeEach(async () => {
  await desk.client.flushall();
  schema = await desk.file(
    'c.yaml',
    schemaText({
      more: 'event_time: at',
      x: '\n  a: int64\n  at: timestamp\n  seen: { type: timestamp, value: ingest_time }',
    }),
  );
});

const HOUR = 3_600_000;

/** Entities 1 to `count`, the event time of entity i is i hours ago. */
async function load(count: number, flags: readonly string[] = []): Promise<void> {
  const rows = Array.from({ length: count }, (_, i) => {
    const at = new Date(Date.now() - (i + 1) * HOUR).toISOString();
    return `${i + 1},${i % 4 === 0 ? '' : i},${at}\n`;
  });
  const file = await desk.file('c.csv', `id,a,at\n${rows.join('')}`);
  const { code, stderr } = await desk.run(['ingest', file, '--schema', schema, ...flags]);
  expect(code, stderr).toBe(0);
}

function check(flags: readonly string[] = []): Promise<RunResult> {
  return desk.run(['check', '--schema', schema, ...flags]);
}

interface Checked {
  readonly count: number;
  readonly ttl_seconds: Record<string, number>;
  readonly age_seconds: Record<string, number> | null;
  readonly broken: readonly { readonly threshold: string }[];
  readonly [name: string]: unknown;
}

async function asJson(flags: readonly string[] = []): Promise<Checked> {
  const { stdout, stderr } = await check(['--json', ...flags]);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Checked;
}

describe('what it shows', () => {
  it('count, TTL, age and null rates', async () => {
    await load(100);
    const checked = await asJson();
    expect(checked).toMatchObject({
      exit_code: 0,
      count: 100,
      read: 100,
      without_ttl: 0,
      other_type: 0,
      other_keys: 0,
    });
    expect(checked.null_rates).toEqual({ a: 0.25, at: 0 });
    for (const of of ['min', 'p50', 'p99']) {
      expect(checked.ttl_seconds[of]).toBeGreaterThan(3500);
      expect(checked.ttl_seconds[of]).toBeLessThan(3637);
    }
    expect(checked.age_seconds?.max).toBeGreaterThan(100 * 3600 - 1);
    expect(checked.age_seconds?.max).toBeLessThan(100 * 3600 + 60);
    expect(checked.age_seconds?.p50).toBeGreaterThan(50 * 3600 * 0.98);
    expect(checked.age_seconds?.p50).toBeLessThan(51 * 3600 * 1.02);
  });

  it('a table for people', async () => {
    await load(4);
    const { code, stdout } = await check();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^k:\{id\}\nkeys +4\n/);
    expect(stdout).toMatch(/^TTL min +(1h00m|59m\d\ds)$/m);
    expect(stdout).toMatch(/^age max +4h00m$/m);
    expect(stdout).toMatch(/^nulls a +25\.0%$/m);
  });

  it('300 features: those in trouble first, of the healthy ones a few', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `f${i}`);
    const features = names.map((name) => `\n  ${name}: int64`).join('');
    schema = await desk.file('wide.yaml', schemaText({ x: features }));
    const fields = names.filter((name) => name !== 'f7').flatMap((name) => [name, '1']);
    await desk.client.hset('k:1', ...fields);
    await desk.client.hset('k:2', ...fields.slice(4));
    const { stdout } = await check(['--max-null-rate', '60%']);
    const rows = stdout.split('\n').filter((line) => /^nulls|features/.test(line));
    expect(rows[0]).toMatch(/^nulls f7 +100\.0% +broken$/);
    expect(rows.slice(1, 3)).toEqual([
      expect.stringMatching(/^nulls f0 +50\.0%$/),
      expect.stringMatching(/^nulls f1 +50\.0%$/),
    ]);
    expect(rows).toHaveLength(12);
    expect(rows.at(-1)).toMatch(/^289 more features +0\.0% +or less; --json has all$/);
    expect(Object.keys((await asJson()).null_rates as object)).toHaveLength(300);
    await desk.client.hset('k:1', { f7: '1' });
    expect((await check(['--max-null-rate', '0%'])).stdout).toMatch(/^broken: --max-null-rate: .*f0/m);
  });

  it('keys without TTL, of another type, and of another template', async () => {
    schema = await desk.file('c.yaml', schemaText({ key: 'k:{id}:v1' }));
    await desk.client.hset('k:1:v1', 'x', '1');
    await desk.client.set('k:2:v1', 'text');
    await desk.client.hset('k::v1', 'x', '1');
    await desk.client.hset('other', 'x', '1');
    expect(await asJson()).toMatchObject({ count: 2, read: 2, without_ttl: 1, other_type: 1, other_keys: 1 });
  });

  it('glob characters of the key are themselves', async () => {
    schema = await desk.file('c.yaml', schemaText({ key: 'k[ab]*?\\^:{id}' }));
    await desk.client.hset('k[ab]*?\\^:1', 'x', '1');
    await desk.client.hset('ka*?\\^:1', 'x', '1');
    await desk.client.hset('k[ab]xyz\\^:1', 'x', '1');
    expect(await asJson()).toMatchObject({ count: 1, other_keys: 0 });
  });

  it('many keys, in several SCANs', async () => {
    const pipeline = desk.client.pipeline();
    for (let i = 0; i < 5000; i += 1)
      pipeline.hset(`k:${i}`, 'a', '1').expire(`k:${i}`, 100).set(`z:${i}`, '1');
    await pipeline.exec();
    expect(await asJson()).toMatchObject({
      count: 5000,
      read: 5000,
      null_rates: { a: 0, at: 1 },
      age_seconds: { max: null, unknown: 5000 },
    });
  });

  it('an event time that is still to come has age 0', async () => {
    await desk.client.hset('k:1', 'at', '2999-01-01T00:00:00Z');
    expect((await asJson()).age_seconds).toMatchObject({ max: 0, unknown: 0 });
  });
});

describe('thresholds', () => {
  it.each<[string[], string | null, RegExp]>([
    [['--min-count', '10'], null, /^(?!.*broken)/s],
    [['--min-count', '11'], '--min-count', /^broken: --min-count: expected at least 11 keys, found 10$/m],
    [['--max-age', '11h'], null, /^(?!.*broken)/s],
    [
      ['--max-age', '9h'],
      '--max-age',
      /^broken: --max-age: expected no entity older than 9h00m, found 10h00m$/m,
    ],
    [['--max-median-age', '7h'], null, /^(?!.*broken)/s],
    [
      ['--max-median-age', '3h'],
      '--max-median-age',
      /^broken: --max-median-age: expected not half of the entities older than 3h00m, found /m,
    ],
    [['--min-ttl', '30m'], null, /^(?!.*broken)/s],
    [
      ['--min-ttl', '2h'],
      '--min-ttl',
      /^broken: --min-ttl: expected a TTL of at least 2h00m in every key, found /m,
    ],
    [['--max-no-ttl', '1'], null, /^(?!.*broken)/s],
    [
      ['--max-no-ttl', '0'],
      '--max-no-ttl',
      /^broken: --max-no-ttl: expected at most 0 keys without TTL, found 1$/m,
    ],
    [['--max-null-rate', '30%'], null, /^(?!.*broken)/s],
    [
      ['--max-null-rate', '10%'],
      '--max-null-rate',
      /^broken: --max-null-rate: expected a null in at most 10\.0%, found 30\.0%$/m,
    ],
    [['--max-null-rate', '10%', '--max-null-rate', 'a=50%'], null, /^(?!.*broken)/s],
    [['--max-null-rate', 'at=0%'], null, /^(?!.*broken)/s],
  ])('%s', async (flags, threshold, shown) => {
    await load(10);
    await desk.client.persist('k:3');
    const { code, stdout } = await check(flags);
    expect(code).toBe(threshold === null ? 0 : 1);
    expect(stdout).toMatch(shown);
    expect((await asJson(flags)).broken.map((broken) => broken.threshold)).toEqual(
      threshold === null ? [] : [threshold],
    );
  });

  it('no key at all is broken, unless --min-count 0', async () => {
    expect((await check()).code).toBe(1);
    expect((await check(['--min-count', '0', '--max-age', '1h', '--min-ttl', '1h'])).code).toBe(0);
  });

  it('entities whose age is not known break --max-age', async () => {
    await desk.client.hset('k:1', 'a', '1');
    expect((await check(['--max-age', '1h'])).stdout).toMatch(/an event time in the entities, found none/);
  });

  it.each([
    [['--max-null-rate', 'nope=1%'], /expected a feature of the schema, found "nope"/],
    [['--max-null-rate', '101%'], /a share such as 5%/],
    [['--max-age', '5'], /a duration/],
  ])('%s is a usage error', async (flags, message) => {
    const { code, stderr } = await check(flags);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('without --schema: a usage error', async () => {
    const { code, stderr } = await desk.run(['check']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/expected --schema FILE/);
  });

  it('--max-age without an event_time is a usage error', async () => {
    schema = await desk.file('c.yaml', schemaText({}));
    const { code, stderr } = await check(['--max-age', '1h']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/event_time/);
  });
});

describe('which keys', () => {
  it('--entities: these alone, and those that are missing', async () => {
    await load(5);
    const file = await desk.file('entities.txt', '1\r\n2\n\nnope\n');
    expect(await asJson(['--entities', file])).toMatchObject({ count: 2, read: 2, missing: 1 });
    expect((await check(['--entities', file, '--min-count', '3'])).code).toBe(1);
  });

  it('--entities of a composite key', async () => {
    schema = await desk.file('c.yaml', schemaText({ key: 'k:{a}:{b}' }));
    await desk.client.hset('k:x%3Ay:1,2', 'x', '1');
    const file = await desk.file('entities.txt', '["x:y","1,2"]\n');
    expect(await asJson(['--entities', file])).toMatchObject({ count: 1, missing: 0 });
    const bad = await desk.file('bad.txt', 'x\n');
    expect((await check(['--entities', bad])).code).toBe(2);
  });

  it('an absent file of entities: exit 4, named', async () => {
    const { code, stderr } = await check(['--entities', desk.path('absent')]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/--entities .*absent/);
  });

  it('--sample: all are counted, so many are read', async () => {
    await load(300);
    expect(await asJson(['--sample', '20', '--min-count', '300'])).toMatchObject({
      exit_code: 0,
      count: 300,
      read: 20,
    });
  });
});

it('no Redis: at once, or after --retry-for', async () => {
  const away = ['--redis', 'redis://127.0.0.1:1'];
  const { code, stderr } = await check(away);
  expect(code).toBe(4);
  expect(stderr).toMatch(/could not connect: .*REDIS_CONNECT/);
  expect((await check([...away, '--retry-for', '200ms'])).stderr).toMatch(
    /could not connect within .*REDIS_CONNECT/,
  );
});

it('never sends KEYS or a write', async () => {
  await load(3);
  const monitor = await desk.client.duplicate().monitor();
  const seen = new Set<string>();
  monitor.on('monitor', (_time: string, [name = '']: string[]) => seen.add(name.toUpperCase()));
  await check();
  await desk.client.ping();
  await new Promise((resolve) => setTimeout(resolve, 50));
  monitor.disconnect();
  expect(seen).toContain('SCAN');
  const allowed = ['SCAN', 'HGETALL', 'PTTL', 'PING', 'HELLO', 'SELECT', 'AUTH', 'INFO'];
  expect([...seen].filter((name) => !allowed.includes(name))).toEqual([]);
});

it('a user without SCAN is told what to grant', async () => {
  await desk.client.call('ACL', 'SETUSER', 'noscan', 'on', '>pw', '~*', '+@all', '-scan');
  const url = desk.redis.url.replace('redis://', 'redis://noscan:pw@');
  const { code, stderr } = await check(['--redis', url]);
  expect(code).toBe(4);
  expect(stderr).toMatch(/\+scan.*\[REDIS_AUTH\]/);
});

it('a user with the rights to read alone is enough', async () => {
  await load(3);
  await desk.client.call('ACL', 'SETUSER', 'reader', 'on', '>pw', '~k:*', '+scan', '+hgetall', '+pttl');
  const url = desk.redis.url.replace('redis://', 'redis://reader:pw@');
  const { code, stderr } = await check(['--redis', url]);
  expect(code, stderr).toBe(0);
});
