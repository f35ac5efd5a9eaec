/** `verify`: what was loaded is found again, and whatever was changed since is named. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionOptions } from '../../src/commands/options.ts';
import { verifyCommand } from '../../src/commands/verify.ts';
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
    'v.yaml',
    schemaText({ x: '\n  a: int64\n  b: string\n  at: { type: timestamp, value: ingest_time }' }),
  );
});

const ROWS = 'id,a,b\n1,10,x\n2,20,y\n3,30,\n';

async function loaded(content = ROWS, flags: readonly string[] = []): Promise<string> {
  const file = await desk.file('v.csv', content);
  const { code, stderr } = await desk.run(['ingest', file, '--schema', schema, ...flags]);
  expect(code, stderr).toBe(0);
  return file;
}

function verify(file: string, flags: readonly string[] = []): Promise<RunResult> {
  return desk.run(['verify', file, '--schema', schema, ...flags]);
}

async function asJson(file: string, flags: readonly string[] = []): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await verify(file, ['--json', ...flags]);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('verify', () => {
  it('finds what was loaded: exit 0', async () => {
    const { code, stdout } = await verify(await loaded());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^compared +3 +rows$/m);
    expect(stdout).toMatch(/^missing +0$/m);
  });

  it('a load in mode newer whose nulls take fields away: they must be absent', async () => {
    schema = await desk.file(
      'removing.yaml',
      schemaText({
        x: '\n  a: int64\n  b: { type: string, null: remove }\n  seen: date',
        more: 'event_time: seen',
      }),
    );
    const file = await loaded('id,a,b,seen\n1,1,x,2026-01-01\n1,2,,2026-01-02\n', ['--mode', 'newer']);
    expect((await verify(file)).code).toBe(0);
    await desk.client.hset('k:1', 'b', 'x');
    expect(await asJson(file)).toMatchObject({ exit_code: 1, features: { b: 1 } });
  });

  it.each<[string, (d: Desk) => Promise<unknown>, object, RegExp]>([
    ['a missing key', (d) => d.client.del('k:2'), { missing: 1, differing: 1 }, /v\.csv:3 k:2: missing$/m],
    [
      'another value',
      (d) => d.client.hset('k:2', 'a', '21'),
      { different: 1 },
      /k:2: a: expected "20", found "21"$/m,
    ],
    [
      'a missing field',
      (d) => d.client.hdel('k:2', 'b'),
      { different: 1 },
      /k:2: b: expected "y", found no field$/m,
    ],
    ['no TTL', (d) => d.client.persist('k:1'), { no_ttl: 1, different: 0 }, /k:1: no TTL$/m],
    [
      'another type',
      (d) => d.client.set('k:1', 'x'),
      { other_type: 1, missing: 0 },
      /k:1: holds another type$/m,
    ],
    [
      'bytes that are no text',
      (d) => d.client.hset('k:1', 'b', Buffer.from([0xff, 0x5c, 0x41])),
      { different: 1 },
      /b: expected "x", found "\\\\xff\\\\x5cA"$/m,
    ],
    [
      'several things of a key',
      (d) => d.client.multi().persist('k:1').hset('k:1', 'a', '1', 'b', 'z').exec(),
      { differing: 1, no_ttl: 1, different: 1 },
      /k:1: no TTL; a: .*; b: expected "x", found "z"$/m,
    ],
  ])('%s: exit 1', async (_, change, keys, line) => {
    const file = await loaded();
    await change(desk);
    const { code, stdout } = await verify(file);
    expect(code).toBe(1);
    expect(stdout).toMatch(line);
    expect(await asJson(file)).toMatchObject({ exit_code: 1, keys });
  });

  it('ingest_time and a field of others are not compared', async () => {
    const file = await loaded();
    await desk.client.hset('k:1', 'at', 'x', 'other', 'y');
    expect((await verify(file)).code).toBe(0);
  });

  it('--mode replace: no other field may be there, nor one that the row does not send', async () => {
    const file = await loaded(ROWS, ['--mode', 'replace']);
    expect((await verify(file, ['--mode', 'replace'])).code).toBe(0);
    await desk.client.hset('k:3', 'other', 'y', 'b', 'z');
    const { code, stdout } = await verify(file, ['--mode', 'replace']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/k:3: b: expected no field, found "z"; other: expected no field, found "y"$/m);
    expect(await asJson(file, ['--mode', 'replace'])).toMatchObject({ features: { b: 1 }, extra_fields: 1 });
  });

  it('a schema without TTL asks for none', async () => {
    schema = await desk.file('v.yaml', schemaText({ x: '\n  a: int64', ttl: 'none' }));
    expect((await verify(await loaded('id,a\n1,2\n'))).code).toBe(0);
  });

  it('rejected and empty rows are counted and not compared', async () => {
    const file = await desk.file('v.csv', 'id,a,b\n1,x,y\n2,,\n3,3,z\n');
    await desk.run(['ingest', file, '--schema', schema, '--max-errors', 'all']);
    expect(await asJson(file)).toMatchObject({
      exit_code: 0,
      rows: { read: 3, rejected: 1, empty: 1 },
      compared: 1,
    });
  });

  it('--show N, --report FILE', async () => {
    const file = await loaded();
    await desk.client.flushall();
    const report = desk.path('verify.json');
    const { stdout } = await verify(file, ['--show', '1', '--report', report]);
    expect(stdout).toMatch(/k:1: missing\nand 2 more \(--show N/);
    expect(JSON.parse(await desk.read('verify.json'))).toMatchObject({
      command: 'verify',
      keys: { missing: 3 },
      first: [{ key: 'k:1', line: 2 }],
    });
  });

  it('a report over the source is refused', async () => {
    const file = await loaded();
    const { code, stderr } = await verify(file, ['--report', file]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/would overwrite/);
  });

  it('no Redis: exit 4', async () => {
    const file = await loaded();
    const { code, stderr } = await verify(file, ['--redis', 'redis://127.0.0.1:1']);
    expect(code).toBe(4);
    expect(stderr).toMatch(/REDIS_CONNECT/);
  });

  it('several files, without a schema', async () => {
    const first = await desk.file('v1.csv', 'id,a\n1,x\n');
    const second = await desk.file('v2.csv', 'id,a\n1,y\n2,z\n');
    const flags = ['--key', 'id', '--prefix', 'p:', '--ttl', '1h'];
    await desk.run(['ingest', first, second, ...flags]);
    expect((await desk.run(['verify', first, second, ...flags])).code).toBe(0);
    expect((await desk.run(['verify', second, first, ...flags])).code).toBe(1);
  });
});

describe('--sample', () => {
  const many = `id,a,b\n${Array.from({ length: 3000 }, (_, i) => `${i % 1000},${i},x\n`).join('')}`;

  it('compares so many keys, the same by the same seed', async () => {
    const file = await loaded(many);
    expect(await asJson(file, ['--sample', '50'])).toMatchObject({
      exit_code: 0,
      compared: 50,
      rows: { read: 3000 },
    });
    await desk.client.flushall();
    const keys = async (seed: string): Promise<unknown[]> => {
      const { first } = await asJson(file, ['--sample', '50', '--seed', seed, '--show', '100']);
      return (first as { key: string }[]).map(({ key }) => key).sort();
    };
    expect(await keys('1')).toEqual(await keys('1'));
    expect(await keys('1')).not.toEqual(await keys('2'));
    expect(await keys('1')).toHaveLength(50);
  });

  it('a sample larger than the file is all of it', async () => {
    expect(await asJson(await loaded(), ['--sample', '1000'])).toMatchObject({ exit_code: 0, compared: 3 });
  });
});

const cell = fc.constantFrom('', '1', '2', '3');
const rowsOf = fc.array(fc.tuple(fc.constantFrom('1', '2', '3'), cell, cell), {
  minLength: 1,
  maxLength: 40,
});

describe('several rows of a key: what ingest leaves is what verify expects', () => {
  it.each(['merge', 'replace'] as const)('--mode %s, whole and as a sample', async (mode) => {
    await fc.assert(
      fc.asyncProperty(rowsOf, async (rows) => {
        await desk.client.flushall();
        const file = await loaded(`id,a,b\n${rows.map((row) => `${row.join(',')}\n`).join('')}`, [
          '--mode',
          mode,
        ]);
        expect(await asJson(file, ['--mode', mode])).toMatchObject({ exit_code: 0 });
        expect(await asJson(file, ['--mode', mode, '--sample', '2'])).toMatchObject({ exit_code: 0 });
        const [key] = await desk.client.keys('*');
        if (key === undefined) return;
        await desk.client.hset(key, 'a', 'wrong', 'b', 'wrong');
        expect(await asJson(file, ['--mode', mode])).toMatchObject({ exit_code: 1, keys: { differing: 1 } });
      }),
      { numRuns: 25 },
    );
  });
});

/** As the first of two rows of each key differs until the second is read, all keys are open at once. */
describe('more differing keys than are held', () => {
  const twice = (value: (i: number) => string): string =>
    `id,a,b\n${Array.from({ length: 400 }, (_, i) => `${i % 200},${value(i)},x\n`).join('')}`;

  async function held(file: string): Promise<{ code: number; result: Record<string, unknown> }> {
    let text = '';
    const stdout = { write: (chunk: string) => (text += chunk) };
    const code = await verifyCommand(
      {
        sources: [file],
        schema: {
          file: schema,
          key: [],
          prefix: '',
          ttl: null,
          ttlJitter: null,
          timezone: null,
          allowNonfinite: false,
          nullTokens: null,
        },
        reading: { format: null, encoding: null, delimiter: null, maxRecordSize: 1024 },
        // Only what a plain connection needs: the others' options come and go.
        connection: {
          redis: desk.redis.url,
          sentinels: [],
          sentinelName: null,
          tlsCa: null,
          tlsCert: null,
          tlsKey: null,
          retryForMs: 0,
        } as unknown as ConnectionOptions,
        ...{
          mode: 'merge',
          sample: Number.POSITIVE_INFINITY,
          seed: 0,
          show: 5,
          json: true,
          report: null,
          heldKeys: 20,
        },
      },
      {
        stdout: stdout as unknown as NodeJS.WriteStream,
        stderr: process.stderr,
        env: {},
        signal: new AbortController().signal,
      },
    );
    return { code, result: JSON.parse(text) as Record<string, unknown> };
  }

  it('the source is read again: no difference is made up', async () => {
    const { code, result } = await held(await loaded(twice(String)));
    expect(code).toBe(0);
    expect(result).toMatchObject({ share: 1, rows: { read: 400 }, keys: { differing: 0 } });
  });

  it('a single difference is found in whatever pass', async () => {
    const file = await loaded(twice(String));
    for (const id of ['0', '77', '199']) {
      const right = (await desk.client.hget(`k:${id}`, 'a')) ?? '';
      await desk.client.hset(`k:${id}`, 'a', '-1');
      const { code, result } = await held(file);
      expect(code).toBe(1);
      expect(result).toMatchObject({ keys: { differing: 1 }, first: [{ key: `k:${id}` }] });
      await desk.client.hset(`k:${id}`, 'a', right);
    }
  });

  it('where very many differ the counts are of a share of the keys, which is said', async () => {
    const file = await loaded(twice(() => '1'));
    await desk.client.flushall();
    const { code, result } = await held(file);
    expect(code).toBe(1);
    const { share, keys } = result as { share: number; keys: { missing: number } };
    expect(share).toBeLessThan(1);
    expect(keys.missing).toBeGreaterThan(0);
    expect(keys.missing).toBeLessThanOrEqual(20);
  });
});

it('--mode newer: says how such a load is verified', async () => {
  const { code, stderr } = await verify(desk.path('any.csv'), ['--mode', 'newer']);
  expect(code).toBe(2);
  expect(stderr).toContain('sort the file by its event time, and verify that with --mode merge');
});
