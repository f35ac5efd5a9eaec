/** A redis-sentinel for a test: watches one master under the name `main`, alone and quick to act. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../scripts/free-port.js';

export interface TestSentinel {
  readonly port: number;
  /** Of the server that it takes for the master now. */
  masterPort(): Promise<number>;
  stop(): Promise<void>;
}

/** `downAfterMs`: how long a master is silent before it is taken for dead. */
export async function startSentinel(masterPort: number, downAfterMs = 300): Promise<TestSentinel> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'featurectl-sentinel-'));
  const config = join(dir, 'sentinel.conf');
  writeFileSync(
    config,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${dir}`,
      `sentinel monitor main 127.0.0.1 ${masterPort} 1`,
      `sentinel down-after-milliseconds main ${downAfterMs}`,
      'sentinel failover-timeout main 2000',
      '',
    ].join('\n'),
  );
  const child = spawn('redis-server', [config, '--sentinel'], { stdio: 'ignore' });
  const killAtExit = (): boolean => child.kill('SIGKILL');
  process.on('exit', killAtExit);
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => {});
  const until = async (isDone: () => Promise<boolean>): Promise<void> => {
    for (let attempt = 0; attempt < 400; attempt++) {
      if (await isDone()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('Sentinel did not get that far in 20 s');
  };
  const field = async (name: string): Promise<string | undefined> => {
    const flat = (await client.call('SENTINEL', 'MASTER', 'main')) as string[];
    return flat[flat.indexOf(name) + 1];
  };
  await until(async () => (await field('num-slaves')) === '1');
  return {
    port,
    masterPort: async () => Number(await field('port')),
    stop: async () => {
      client.disconnect();
      process.off('exit', killAtExit);
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
