/** The contract between the bulk channel and the internals of the pinned ioredis. */
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cut, sendBulk } from '../../src/redis/bulk-channel.ts';
import type { Reply } from '../../src/redis/framer.ts';
import { command } from '../../src/redis/resp.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';

let server: TestRedis;
let client: Redis;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  client = clientOf(server.port);
  await client.connect();
});
afterEach(() => client.disconnect());

function clientOf(port: number): Redis {
  const made = new Redis({
    port,
    host: '127.0.0.1',
    protocol: 2,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    disableClientInfo: true,
    retryStrategy: () => null,
  });
  made.on('error', () => {});
  return made;
}

interface Taken {
  readonly replies: Reply[];
  lost: number;
  readonly settled: Promise<void>;
}

/** Sends and gathers; settled when all replies came or the connection was lost. */
function send(bytes: Buffer, replies: number, on = client): Taken {
  let done = (): void => {};
  const settled = new Promise<void>((resolve) => {
    done = resolve;
  });
  const taken: Taken = { replies: [], lost: 0, settled };
  const isSent = sendBulk(on, bytes, replies, {
    reply: (reply, times) => {
      for (let i = 0; i < times; i += 1) taken.replies.push(reply);
      if (taken.replies.length === replies) done();
    },
    lost: () => {
      taken.lost += 1;
      done();
    },
  });
  expect(isSent).toBe(true);
  return taken;
}

const bytesOf = (...commands: string[][]): Buffer =>
  Buffer.from(commands.map((words) => command(...words)).join(''), 'latin1');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('ioredis is the version that this was read and tested with', () => {
  const { version } = JSON.parse(readFileSync('node_modules/ioredis/package.json', 'utf8'));
  expect(version).toBe('6.0.0');
});

it.each([
  ['ioredis, while one of its own is awaited', 0],
  ['the channel', 1],
])(
  'replies of every kind come in order, between those of ordinary commands, read by %s',
  async (_by, sent) => {
    if (sent > 0) await send(bytesOf(['DEL', 'a']), 1).settled;
    else await client.del('a');
    const first = client.echo('first');
    const taken = send(
      bytesOf(
        ['SET', 'a', '\xff'],
        ['GET', 'a'],
        ['INCR', 'a'],
        ['GET', 'none'],
        ['STRLEN', 'a'],
        ['MGET', 'a', 'b'],
      ),
      6,
    );
    const last = client.echo('last');
    await taken.settled;
    expect([await first, await last]).toEqual(['first', 'last']);
    const [ok, value, error, none, length, list] = taken.replies;
    expect(String(ok)).toBe('OK');
    expect(value).toEqual(Buffer.from([255]));
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(/^ERR value is not an integer/);
    expect([none, length]).toEqual([null, 1]);
    expect(list).toEqual([Buffer.from([255]), null]);
    expect(taken.lost).toBe(0);
  },
);

it('an entry of the queue is asked for nothing but name, args, resolve, reject and pipelineIndex', async () => {
  const asked = new Set<string | symbol>();
  const queue = (client as unknown as { commandQueue: { push(entry: { command: object }): void } })
    .commandQueue;
  const push = queue.push.bind(queue);
  queue.push = (entry) => {
    const spied = new Proxy(entry.command, {
      get: (target, name, self) => {
        asked.add(name);
        return Reflect.get(target, name, self);
      },
    });
    push({ ...entry, command: spied });
  };
  // While it is awaited, ioredis reads the replies.
  client.echo('first').catch(() => {});
  const taken = send(bytesOf(['PING'], ['NO-SUCH-COMMAND'], ['CLIENT', 'PAUSE', '50'], ['SET', 'a', 'b']), 4);
  await pause(10);
  client.disconnect();
  await taken.settled;
  const allowed = ['name', 'args', 'resolve', 'reject', 'pipelineIndex'];
  expect([...asked].filter((name) => !allowed.includes(String(name)))).toEqual([]);
  expect(asked).toContain('resolve');
  expect(asked).toContain('reject');
});

it('replies in a row that are the same come together, never more than were awaited', async () => {
  const counts: [Reply, number][] = [];
  const awaited = [3, 2].map((replies) => {
    const sets = Array.from({ length: replies }, () => ['SET', 'a', 'b']);
    return new Promise<void>((resolve, reject) => {
      let left = replies;
      const reply = (given: Reply, times: number): void => {
        counts.push([given, times]);
        left -= times;
        if (left === 0) resolve();
      };
      sendBulk(client, bytesOf(...sets), replies, { reply, lost: reject });
    });
  });
  const own = client.set('a', 'c');
  await Promise.all(awaited);
  expect(await own).toBe('OK');
  expect(counts.map(([reply]) => reply)).toEqual(counts.map(() => 'OK'));
  expect(counts.reduce((sum, [, times]) => sum + times, 0)).toBe(5);
  expect(Math.max(...counts.map(([, times]) => times))).toBeLessThanOrEqual(3);
});

describe('a lost connection is told once, and nothing after it', () => {
  /** Three replies come; the other two wait behind a pause. */
  const bytes = bytesOf(
    ['PING'],
    ['PING'],
    ['CLIENT', 'PAUSE', '300', 'WRITE'],
    ['SET', 'a', '1'],
    ['SET', 'a', '2'],
  );
  const ways: [string, () => unknown][] = [
    ['disconnect()', () => client.disconnect()],
    ['cut()', () => cut(client)],
    ['cut() twice', () => [cut(client), cut(client)]],
    ['CLIENT KILL', () => server.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')],
    ['a kill of the server', () => server.restart()],
  ];
  it.each(ways)('%s', async (_way, end) => {
    const taken = send(bytes, 5);
    while (taken.replies.length < 3) await pause(5);
    await end();
    await taken.settled;
    await pause(50);
    expect(taken.replies).toHaveLength(3);
    expect(taken.lost).toBe(1);
    const unheard = { reply: () => expect.unreachable(), lost: () => expect.unreachable() };
    expect(sendBulk(client, bytes, 5, unheard)).toBe(false);
    await server.cli('CLIENT', 'UNPAUSE');
  });
});

it('cut() drops what the socket has not sent: a buffer may be used again', async () => {
  let peer: Socket | null = null;
  const deaf = createServer((socket) => {
    peer = socket.pause();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => deaf.once('listening', resolve));
  const target = clientOf((deaf.address() as { port: number }).port);
  await target.connect();
  const buffer = Buffer.alloc(32 << 20, 'a');
  const taken = send(buffer, 1, target);
  await pause(50);
  cut(target);
  buffer.fill('b');
  await taken.settled;
  let received = 0;
  let changed = 0;
  const socket = peer as unknown as Socket;
  socket.on('error', () => {});
  socket.on('data', (data: Buffer) => {
    received += data.length;
    if (data.includes('b')) changed += 1;
  });
  await new Promise((resolve) => {
    socket.once('close', resolve);
    socket.resume();
  });
  expect(received).toBeLessThan(buffer.length);
  expect(changed).toBe(0);
  deaf.close();
});
