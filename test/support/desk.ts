/** A place to try the program as a user does: a real Redis, a folder of its own, files in, hashes out. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from './redis-server.ts';
import { featurectl, type RunOptions, type RunResult } from './run.ts';

/** One hash with its TTL in milliseconds (-1: none). Keys and values are latin1: one char is one byte. */
export interface StoredHash {
  readonly fields: Record<string, string>;
  readonly ttlMs: number;
}

export interface Desk {
  readonly redis: TestRedis;
  readonly client: Redis;
  readonly dir: string;
  /** Writes a file into the folder and gives its path. */
  file(name: string, content: string | Buffer): Promise<string>;
  read(name: string): Promise<string>;
  path(name: string): string;
  /** A command line with this desk's Redis. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** All hashes, by key as latin1; then empties Redis. */
  take(): Promise<Record<string, StoredHash>>;
  close(): Promise<void>;
}

export async function openDesk(serverArgs: readonly string[] = []): Promise<Desk> {
  const redis = await startRedis({ args: serverArgs });
  const client = new Redis(redis.url);
  const dir = await mkdtemp(join(tmpdir(), 'featurectl-test-'));
  const path = (name: string): string => join(dir, name);
  return {
    redis,
    client,
    dir,
    path,
    file: async (name, content) => {
      await writeFile(path(name), content);
      return path(name);
    },
    read: (name) => readFile(path(name), 'latin1'),
    run: (argv, options = {}) =>
      featurectl(argv, { ...options, env: { REDIS_URL: redis.url, ...options.env } }),
    take: () => takeAll(client),
    close: async () => {
      client.disconnect();
      await redis.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function takeAll(client: Redis): Promise<Record<string, StoredHash>> {
  const hashes: Record<string, StoredHash> = Object.create(null);
  const keys = (await client.keysBuffer('*')).sort(Buffer.compare);
  for (let from = 0; from < keys.length; from += 1000) {
    const some = keys.slice(from, from + 1000);
    const pipeline = client.pipeline();
    for (const key of some) pipeline.callBuffer('HGETALL', key).pttl(key);
    const replies = (await pipeline.exec()) ?? [];
    some.forEach((key, i) => {
      const fields = fieldsOf(replies[2 * i]?.[1]);
      hashes[key.toString('latin1')] = { fields, ttlMs: Number(replies[2 * i + 1]?.[1]) };
    });
  }
  await client.flushall();
  return hashes;
}

/** From flat pairs: a field named __proto__ must stay a field. */
function fieldsOf(reply: unknown): Record<string, string> {
  const flat = (reply instanceof Map ? [...reply.entries()].flat() : reply) as readonly Buffer[];
  const fields: Record<string, string> = Object.create(null);
  for (let i = 0; i + 1 < flat.length; i += 2) {
    fields[flat[i]?.toString('latin1') ?? ''] = flat[i + 1]?.toString('latin1') ?? '';
  }
  return fields;
}

/** UTF-8 text as the latin1 string of its bytes. */
export function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
