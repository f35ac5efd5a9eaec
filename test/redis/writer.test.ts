/** What the fast writer alone does: event times in Redis, back-pressure, rate, what its plan says. */
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TestRedis } from '../support/redis-server.ts';
import { useRedis } from '../support/use-redis.ts';
import {
  commitRow,
  commitRows,
  createTally,
  openWriter,
  plainRows,
  storedFields,
  writeAll,
} from '../support/writing.ts';

let server: TestRedis;
let client: Redis;
useRedis((redis) => {
  ({ server, client } = redis);
});
beforeEach(async () => {
  await client.flushall();
});

const XY = { fields: ['x', 'y'] };
const NEWER = { fields: ['x', 'at'], mode: 'newer', eventTimeField: 1 } as const;
const later = 'written';
const equal = 'unchanged';
const older = 'stale';

describe('newer: row against stored', () => {
  it.each([
    ['2024-01-15T08:00:00Z', null, later],
    ['2024-01-15T08:00:01Z', '2024-01-15T08:00:00Z', later],
    ['2024-01-15T08:00:00Z', '2024-01-15T08:00:00Z', equal],
    ['2024-01-15T08:00:00Z', '2024-01-15T08:00:01Z', older],
    ['2024-01-15T08:00:00.1Z', '2024-01-15T08:00:00Z', later],
    ['2024-01-15T08:00:00.10Z', '2024-01-15T08:00:00.1Z', equal],
    ['2024-01-15T08:00:00.09Z', '2024-01-15T08:00:00.1Z', older],
    ['2024-01-15T08:00:00.123456789Z', '2024-01-15T08:00:00.123456788Z', later],
    ['2024-01-15T08:00:00.123456788Z', '2024-01-15T08:00:00.123456789Z', older],
    ['1969-12-31T23:59:59.999Z', '1970-01-01T00:00:00Z', older],
    ['9223372036854775807', '9223372036854775806', later],
    ['9223372036854775806', '9223372036854775807', older],
    ['9007199254740993', '9007199254740992', later],
    ['10', '9', later],
    ['-1', '1', older],
    ['-2', '-1', older],
    ['-1', '-2', later],
    ['0', '-0', equal],
    ['0', '-1', later],
    ['007', '7', equal],
    ['2024-01-15', '2024-01-14', later],
    ['2024-01-14', '2024-01-15', older],
    ['2024-01-15', '2024-01-15', equal],
    ['2024-01-15T00:00:00Z', '2024-01-15', equal],
  ])('%s against %s: %s', async (at, stored, expected) => {
    if (stored !== null) await client.hset('k:1', 'at', stored, 'x', 'old');
    if (stored !== null) await client.expire('k:1', 50);
    const { told } = await writeAll(server.url, NEWER, [{ key: 'k:1', values: ['new', at], eventTime: at }]);
    expect({ written: told.written, ...told.skipped }).toEqual({
      written: expected === later ? 1 : 0,
      ...(expected === later ? {} : { [expected]: 1 }),
    });
    expect(await client.hget('k:1', 'x')).toBe(expected === later ? 'new' : 'old');
    expect((await client.ttl('k:1')) > 60).toBe(expected !== older);
  });

  it.each(['yesterday', '2024-01-15T08:00:00+02:00', '1.5', '', '2024-01-15T08:00:00.1234567891Z'])(
    'a stored time of no such form (%j) fails the row and changes nothing',
    async (stored) => {
      await client.hset('k:1', 'at', stored, 'x', 'old');
      const at = '2024-01-15T08:00:00Z';
      const tally = await writeAll(server.url, NEWER, [
        { key: 'k:0', values: ['new', at], eventTime: at },
        { key: 'k:1', values: ['new', at], eventTime: at },
        { key: 'k:2', values: ['new', at], eventTime: at },
      ]);
      expect(tally.told.written).toBe(2);
      expect(tally.told.failed.get(1)?.reason).toMatch(/expected event times of one kind/);
      expect(tally.told.failed.get(1)?.reason).toContain(`"${stored}" in Redis`);
      expect(await client.hgetall('k:1')).toEqual({ at: stored, x: 'old' });
      expect(await client.ttl('k:1')).toBe(-1);
    },
  );
});

describe('back-pressure', () => {
  it('at most inFlight chunks are on the way, and room() waits until Redis answers', async () => {
    const tally = createTally();
    const writer = await openWriter(server.url, { ...XY, chunkRows: 10, inFlight: 3 }, tally);
    await client.call('CLIENT', 'PAUSE', 1000, 'ALL');
    const rows = plainRows(1000);
    let next = 0;
    while (next < rows.length && !commitRow(writer, rows[next]!, next)) next += 1;
    next += 1;
    // Three on the way and one that waits for a place.
    expect(next).toBe(40);
    expect(writer.stats().chunksSent).toBe(3);
    let isOpen = false;
    const room = writer.room().then(() => {
      isOpen = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(isOpen).toBe(false);
    expect(tally.total()).toBe(0);
    await room;
    await commitRows(writer, rows.slice(next), next);
    await writer.drain();
    await writer.close();
    expect(tally.told.written).toBe(1000);
  });

  it('the rate is kept', async () => {
    const started = performance.now();
    const tally = await writeAll(server.url, { ...XY, rate: 4000, chunkRows: 1000 }, plainRows(2000));
    const seconds = (performance.now() - started) / 1000;
    expect(tally.told.written).toBe(2000);
    expect(seconds).toBeGreaterThan(0.35);
    expect(seconds).toBeLessThan(3);
  });
});

describe('abandon', () => {
  it('with grace: what was committed is still written', async () => {
    const tally = createTally();
    const writer = await openWriter(server.url, { ...XY, connections: 2 }, tally);
    await commitRows(writer, plainRows(250));
    const started = performance.now();
    await writer.abandon(10_000);
    expect(performance.now() - started).toBeLessThan(2_000);
    await writer.close();
    expect(tally.told.written).toBe(250);
    expect(Object.keys(await storedFields(client))).toHaveLength(250);
  });

  it('a server that does not answer within the grace: UNSETTLED, each row once', async () => {
    const tally = createTally();
    const writer = await openWriter(server.url, { ...XY, chunkRows: 10, inFlight: 2 }, tally);
    await client.call('CLIENT', 'PAUSE', 600, 'ALL');
    for (const [i, row] of plainRows(55).entries()) commitRow(writer, row, i);
    const started = performance.now();
    await writer.abandon(100);
    expect(performance.now() - started).toBeLessThan(500);
    expect(tally.codes()).toEqual({ UNSETTLED: 55 });
    await writer.close();
    // What was on the way may still be written; nobody is told of it any more.
    await client.ping();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(tally.total()).toBe(55);
  });
});

describe('plan', () => {
  it.each([
    ['auto', 'merge', 'restore'],
    ['auto', 'newer', 'restore'],
    ['auto', 'replace', 'restore'],
    ['script', 'merge', 'script'],
    ['script', 'replace', 'script'],
    ['pipeline', 'merge', 'pipeline'],
    ['pipeline', 'replace', 'pipeline'],
  ] as const)('--write %s, mode %s: %s', async (path, mode, expected) => {
    const writer = await openWriter(server.url, { ...NEWER, mode, path }, createTally());
    await writer.close();
    expect(writer.plan).toMatchObject({ mode, path: expected, server: expect.stringMatching(/^\d+\.\d+/) });
    expect(writer.plan.why.length).toBeGreaterThan(10);
    const warns = expected === 'pipeline' && mode === 'merge';
    expect(writer.plan.warnings).toEqual(warns ? [expect.stringContaining('EXPIRE')] : []);
  });

  it('newer cannot go by pipeline', async () => {
    const refused = openWriter(server.url, { ...NEWER, path: 'pipeline' }, createTally());
    await expect(refused).rejects.toMatchObject({ code: 'REDIS_SERVER' });
  });
});
