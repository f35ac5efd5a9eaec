/** The contract between raw-stream and the internals of the pinned ioredis. */
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { cut } from '../../src/redis/bulk-channel.ts';
import { takeStream } from '../../src/redis/raw-stream.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';

let server: TestRedis;
let client: Redis;

beforeAll(async () => {
  server = await startRedis({ args: ['--requirepass', 'pw'] });
});
afterAll(() => server.stop());
beforeEach(async () => {
  client = new Redis({
    port: server.port,
    host: '127.0.0.1',
    password: 'pw',
    db: 2,
    protocol: 2,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    disableClientInfo: true,
    maxRetriesPerRequest: null,
    retryStrategy: () => null,
  });
  client.on('error', () => {});
  await client.connect();
});
afterEach(() => client.disconnect());

interface Heard {
  readonly text: () => string;
  readonly closed: Promise<void>;
  readonly write: (bytes: string) => void;
  until(pattern: RegExp): Promise<void>;
}

function take(): Heard {
  let text = '';
  let close = (): void => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const stream = takeStream(
    client,
    (chunk) => {
      text += chunk.toString('latin1');
    },
    () => close(),
  );
  return {
    text: () => text,
    closed,
    write: (bytes) => void stream.write(bytes, 'latin1'),
    until: async (pattern) => {
      for (let i = 0; i < 500 && !pattern.test(text); i += 1)
        await new Promise((done) => setTimeout(done, 10));
      expect(text).toMatch(pattern);
    },
  };
}

it('is held to the version that is installed', () => {
  const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
  const { version } = read('../../node_modules/ioredis/package.json');
  expect(read('../../package.json').devDependencies.ioredis).toBe(version);
});

it('bytes go both ways, after AUTH and SELECT, and ioredis sees none of them', async () => {
  const heard = take();
  heard.write('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\xff\0v\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n');
  await heard.until(/^\+OK\r\n\$3\r\n\xff\0v\r\n$/s);
  heard.write('*1\r\n$7\r\nINVALID\r\n*2\r\n$6\r\nCLIENT\r\n$4\r\nINFO\r\n');
  await heard.until(/-ERR unknown command[\s\S]* db=2 /);
  // An error reply would have been ioredis' to complain of, were it still reading.
  expect(client.status).toBe('ready');
});

it('replies that come in pieces come whole, in order', async () => {
  const heard = take();
  const value = 'x'.repeat(300_000);
  heard.write(`*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$${value.length}\r\n${value}\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n`);
  await heard.until(/x\r\n$/);
  expect(heard.text() === `+OK\r\n$300000\r\n${value}\r\n`).toBe(true);
});

it('a connection that the server ends is told of once', async () => {
  const heard = take();
  await server.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await heard.closed;
  expect(() => take()).toThrow('the connection was closed');
});

it('cut ends it', async () => {
  const heard = take();
  cut(client);
  await heard.closed;
  expect(client.status).not.toBe('ready');
});

it('refuses a connection that awaits replies', async () => {
  const pending = client.ping();
  expect(() => take()).toThrow('still awaits replies');
  await pending;
  take();
});

it('refuses a client that never connected', () => {
  const idle = new Redis({ port: server.port, lazyConnect: true });
  expect(() =>
    takeStream(
      idle,
      () => {},
      () => {},
    ),
  ).toThrow('the connection was closed');
  idle.disconnect();
});
