/** Runs the built program as a process of its own, for what only a process shows: signals, pipes, stdin. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { RunResult } from './run.ts';

const ENTRY = new URL('../../bin/featurectl.js', import.meta.url).pathname;

export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<RunResult & { readonly signal: string | null }>;
  /** What it has said so far. */
  stderr(): string;
  /** Resolves when stderr has shown this. */
  shows(text: RegExp): Promise<void>;
}

/** `entry`: a script that stands in for the program. */
export function start(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  stdin?: string | Buffer,
  entry = ENTRY,
): Running {
  const child = spawn(process.execPath, [entry, ...argv], {
    env: { PATH: process.env.PATH, ...env },
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data) => {
    stdout += data;
  });
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  child.stdin?.end(stdin);
  const done = new Promise<RunResult & { signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code: code ?? -1, stdout, stderr, signal }));
  });
  const shows = async (text: RegExp): Promise<void> => {
    while (!text.test(stderr) && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { child, done, shows, stderr: () => stderr };
}
