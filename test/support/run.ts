/** Runs a featurectl command line in this process, as src/main.ts would, and gives what a user sees of it. */
import { PassThrough } from 'node:stream';
import { run } from '../../src/main.ts';

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

export async function featurectl(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const stdout = collect();
  const stderr = collect();
  const code = await run(argv, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collect(): { stream: NodeJS.WriteStream; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A PassThrough is what a non-terminal stdout is to the program: write() and no columns.
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}
