/**
 * A real redis-server for a test: its own port, its own temporary directory, nothing persisted, and stopped
 * when the test process ends in whatever way.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../scripts/free-port.js';

export interface StartOptions {
  /** More arguments for redis-server, such as `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[];
  /** A cluster of this one node, holding every slot. */
  readonly cluster?: boolean;
  /** Also listen on a unix socket: `socketPath`. */
  readonly unixsocket?: boolean;
}

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** The directory that the server works in; goes away with `stop`. */
  readonly dir: string;
  readonly socketPath: string;
  stop(): Promise<void>;
  /** SIGKILL, and resolves when the process is gone. The port stays reserved for `restart`. */
  kill(): Promise<void>;
  /** Starts the server again on the same port, empty (nothing is persisted). Kills it first if it runs. */
  restart(extraArgs?: readonly string[]): Promise<void>;
  /** Sends one command on a connection of its own and gives its reply; an error reply is thrown. */
  cli(...args: (string | number | Buffer)[]): Promise<unknown>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export async function startRedis(options: StartOptions = {}): Promise<TestRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'featurectl-redis-'));
  const socketPath = join(dir, 'redis.sock');
  const [port, bus] = [await freePort(), await freePort()];
  const password = argument(options.args, '--requirepass');
  let child: ChildProcess | null = null;
  let client: Redis | null = null;

  const commandLine = (extra: readonly string[]): string[] => [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no'],
    ...(options.unixsocket ? ['--unixsocket', socketPath] : []),
    ...(options.cluster ? clusterArgs(bus) : []),
    ...(options.args ?? []),
    ...extra,
  ];
  const start = async (extra: readonly string[]): Promise<void> => {
    child = await spawnServer(commandLine(extra), dir);
  };
  const kill = async (): Promise<void> => {
    client?.disconnect();
    client = null;
    const dying = child;
    child = null;
    if (dying) await killed(dying);
  };
  const cli = async (...args: (string | number | Buffer)[]): Promise<unknown> => {
    client ??= testClient(port, password);
    const [name, ...rest] = args;
    return client.call(String(name), rest);
  };

  await start([]);
  if (options.cluster) await holdAllSlots(cli);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    socketPath,
    kill,
    cli,
    async restart(extra = []) {
      await kill();
      await start(extra);
    },
    async stop() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** `bus`: the port that the nodes of a cluster talk to each other by; by default 10,000 above, where it may be taken. */
export function clusterArgs(bus: number): string[] {
  return [
    ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
    ...['--cluster-port', String(bus)],
  ];
}

function argument(args: readonly string[] | undefined, name: string): string | null {
  const at = args?.indexOf(name) ?? -1;
  return at < 0 ? null : (args?.[at + 1] ?? null);
}

function testClient(port: number, password: string | null): Redis {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    ...(password === null ? {} : { password }),
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => {});
  return client;
}

/** Resolves when the server says that it takes connections; throws its output when it ends before that. */
async function spawnServer(args: readonly string[], dir: string): Promise<ChildProcess> {
  const child = spawn('redis-server', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const onData = (data: Buffer): void => {
      output += data.toString('latin1');
      if (/Ready to accept connections/.test(output)) resolve();
    };
    child.stdout?.on('data', onData);
    child.stderr?.on('data', onData);
    child.once('error', reject);
    child.once('exit', () => {
      running.delete(child);
      reject(new Error(`redis-server ended at its start: ${output}`));
    });
  });
  // The pipes must go on being read, or the server would block on its own log; the text is of no use now.
  child.stdout?.removeAllListeners('data').resume();
  child.stderr?.removeAllListeners('data').resume();
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function holdAllSlots(cli: TestRedis['cli']): Promise<void> {
  await cli('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
  for (let attempt = 0; attempt < 500; attempt++) {
    if (String(await cli('CLUSTER', 'INFO')).includes('cluster_state:ok')) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the one-node cluster did not come up in 10 s');
}
