/** CASES.md, table Keys, TTL, modes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytes, type Desk, openDesk } from '../support/desk.ts';
import { load } from '../support/load.ts';
import { startRedis } from '../support/redis-server.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

it.each([
  ['a b', 'a b'],
  ['a:b', 'a:b'],
  ['é', bytes('é')],
  ['x'.repeat(10_000), 'x'.repeat(10_000)],
])('an entity is byte-exact in its key', async (entity, key) => {
  const { stored } = await load(desk, `id,x\n${entity},1\n`);
  expect(Object.keys(stored)).toEqual([`k:${key}`]);
});

it('composite parts cannot collide', async () => {
  const text = 'a,b,x\na:b,c,1\na,b:c,2\n"a%3Ab",c,3\n';
  const { code, stored } = await load(desk, text, { key: 'k:{a}:{b}' });
  expect(code).toBe(0);
  expect(
    Object.values(stored)
      .map((hash) => hash.fields.x)
      .sort(),
  ).toEqual(['1', '2', '3']);
});

it('{_row} and {_source} may stand in a key', async () => {
  const { stored } = await load(desk, 'id,x\na,1\nb,2\n', { key: 'k:{_source}:{_row}', name: 'rows.csv' });
  expect(Object.keys(stored)).toEqual(['k:rows.csv:1', 'k:rows.csv:2']);
});

it('a hash tag puts both keys of an entity in the slot that Redis computes', async () => {
  const cluster = await startRedis({ cluster: true });
  try {
    const { stored } = await load(desk, 'id,x\nu1,1\n', { key: 'f:{{{id}}}:a' });
    const key = Object.keys(stored)[0] ?? '';
    expect(key).toBe('f:{u1}:a');
    expect(await cluster.cli('CLUSTER', 'KEYSLOT', key)).toBe(await cluster.cli('CLUSTER', 'KEYSLOT', 'u1'));
  } finally {
    await cluster.stop();
  }
});

it('an entity with braces under a hash tag is written, with a warning', async () => {
  const { code, stored, stderr } = await load(desk, 'id,x\nu}1,1\nu2,2\n', { key: 'f:{{{id}}}:a' });
  expect({ code, keys: Object.keys(stored) }).toEqual({ code: 0, keys: ['f:{u2}:a', 'f:{u}1}:a'] });
  expect(stderr).toMatch(/braces.*hash tag.*u}1/s);
  expect((await load(desk, 'id,x\nu}1,1\n')).stderr).not.toMatch(/hash tag/);
});

describe('TTL', () => {
  it.each(['0s', '-5s', '1.5h', '""', '11w5', '3651d', '24'])(
    '%s is refused before any write',
    async (ttl) => {
      const { code, stored, stderr } = await load(desk, 'id,x\n1,a\n', { ttl });
      expect({ code, stored }).toEqual({ code: 2, stored: {} });
      expect(stderr).toMatch(/ttl/);
    },
  );

  it('none must be said aloud, and gives none', async () => {
    const { stored } = await load(desk, 'id,x\n1,a\n', { ttl: 'none' });
    expect(stored['k:1']?.ttlMs).toBe(-1);
  });

  it('in milliseconds', async () => {
    const { stored } = await load(desk, 'id,x\n1,a\n', { ttl: '90500ms' });
    expect(stored['k:1']?.ttlMs).toBeGreaterThan(85_000);
    expect(stored['k:1']?.ttlMs).toBeLessThanOrEqual(90_500);
  });

  it('jitter keeps within its interval, spreads, and a rerun gives the same', async () => {
    const text = `id,x\n${Array.from({ length: 300 }, (_, i) => `${i},a`).join('\n')}\n`;
    const options = { ttl: '1000s', more: 'ttl_jitter: 10%' };
    const first = await load(desk, text, options);
    const second = await load(desk, text, options);
    const seconds = Object.values(first.stored).map((hash) => Math.ceil(hash.ttlMs / 1000));
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(895);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(1000);
    expect(new Set(seconds).size).toBeGreaterThan(40);
    for (const [key, hash] of Object.entries(second.stored)) {
      // Both were read some moments after they were set.
      expect(Math.abs(hash.ttlMs - (first.stored[key]?.ttlMs ?? 0))).toBeLessThan(5000);
    }
  });
});

describe('modes', () => {
  const seed = (): Promise<unknown> => desk.client.hset('k:1', { a: 'old', b: 'kept' });
  const a = { x: '\n  a: string' };

  it('merge keeps other fields', async () => {
    await seed();
    const { stored } = await load(desk, 'id,a\n1,new\n', a);
    expect(stored['k:1']?.fields).toEqual({ a: 'new', b: 'kept' });
    expect(stored['k:1']?.ttlMs).toBeGreaterThan(3_500_000);
  });

  it('replace drops them', async () => {
    await seed();
    const { stored } = await load(desk, 'id,a\n1,new\n', { ...a, flags: ['--mode', 'replace'] });
    expect(stored['k:1']?.fields).toEqual({ a: 'new' });
    expect(stored['k:1']?.ttlMs).toBeGreaterThan(3_500_000);
  });

  it('null policy remove takes the field away, in replace and newer only', async () => {
    const features = { x: '\n  a: { type: string, null: remove }\n  c: string', more: '' };
    await seed();
    const { code } = await load(desk, 'id,a,c\n1,,z\n', features);
    expect(code).toBe(2);
    await seed();
    const { stored } = await load(desk, 'id,a,c,at\n1,,z,2024-01-01T00:00:00Z\n', {
      ...features,
      more: 'event_time: at',
      flags: ['--mode', 'newer'],
    });
    expect(stored['k:1']?.fields).toEqual({ b: 'kept', c: 'z', at: '2024-01-01T00:00:00Z' });
  });

  const times = ['2024-01-03T00:00:00Z', '2024-01-02T00:00:00.5Z', '2024-01-02T00:00:00Z'];
  const filler = Array.from({ length: 400 }, (_, i) => `f${i},${times[0]},-`);
  const thrice = `id,at,x\n1,${times[0]},t3\n${filler.join('\n')}\n1,${times[1]},t2\n1,${times[2]},t1\n`;
  const spread = ['--chunk-rows', '50', '--connections', '3'];

  it('newer: the latest event time wins, across chunks and connections', async () => {
    const { code, x, stderr } = await load(desk, thrice, {
      more: 'event_time: at',
      flags: ['--mode', 'newer', ...spread],
    });
    expect(code, stderr).toBe(0);
    expect(x[1]).toBe('t3');
    expect(stderr).toMatch(/stale\D+2\b/);
  });

  it('merge: the last row of a key wins, across chunks and connections', async () => {
    const { x } = await load(desk, thrice, { flags: spread });
    expect(x[1]).toBe('t1');
  });

  it('newer with an equal event time refreshes the TTL and counts unchanged', async () => {
    await desk.client.hset('k:1', { x: 'old', at: '2024-01-03T00:00:00Z' });
    await desk.client.expire('k:1', 10);
    const { code, stored, stderr } = await load(desk, `id,at,x\n1,2024-01-03T00:00:00.000Z,new\n`, {
      more: 'event_time: at',
      flags: ['--mode', 'newer'],
    });
    expect(code, stderr).toBe(0);
    expect(stored['k:1']?.fields.x).toBe('old');
    expect(stored['k:1']?.ttlMs).toBeGreaterThan(3_500_000);
    expect(stderr).toMatch(/unchanged\D+1\b/);
  });

  it('newer without an event time in the schema is refused', async () => {
    const { code, stderr } = await load(desk, 'id,x\n1,a\n', { flags: ['--mode', 'newer'] });
    expect(code).toBe(2);
    expect(stderr).toMatch(/event_time/);
  });
});
