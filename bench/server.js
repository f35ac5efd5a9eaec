/** A redis-server of a bench's own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../scripts/free-port.js';
import { redisArgs } from './redis-args.js';

/** Its port, a client, its version, and what ends it. */
export async function startServer() {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'featurectl-bench-'));
  const child = spawn(process.env.REDIS_SERVER ?? 'redis-server', redisArgs(port, dir), { stdio: 'ignore' });
  const client = new Redis(port);
  const info = await client.info('server');
  return {
    port,
    client,
    version: /redis_version:(\S+)/.exec(info)?.[1],
    stop: () => {
      client.disconnect();
      child.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
