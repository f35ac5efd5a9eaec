/** The only file that knows the process: argv, signals, stderr and the exit status. */
import { type Io, runCli } from './cli/program.ts';
import { EXIT, FeaturectlError } from './core/errors.ts';

/** Runs the program and sets `process.exitCode`; resolves when all output has been handed over. */
export async function main(process: NodeJS.Process): Promise<void> {
  const interrupt = new AbortController();
  onSignal(process, interrupt, 'SIGINT', EXIT.sigint);
  onSignal(process, interrupt, 'SIGTERM', EXIT.sigterm);
  outliveClosedPipes(process);
  process.exitCode = await run(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interrupt.signal,
  });
}

/** One command line (without node and script) → exit code; what went wrong is said on stderr. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await runCli(argv, io);
  } catch (error) {
    io.stderr.write(`${describeError(error)}\n`);
    return error instanceof FeaturectlError ? error.exitCode : EXIT.bug;
  }
}

/** The first signal asks the run to settle and end; the second ends it at once. */
function onSignal(
  process: NodeJS.Process,
  interrupt: AbortController,
  name: 'SIGINT' | 'SIGTERM',
  exitCode: number,
): void {
  process.on(name, () => {
    if (interrupt.signal.aborted) process.exit(exitCode);
    interrupt.abort(exitCode);
  });
}

/** `featurectl get … | head` closes our stdout early: that is the reader's choice and no failure of ours. */
function outliveClosedPipes(process: NodeJS.Process): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

function describeError(error: unknown): string {
  if (error instanceof FeaturectlError && error.code !== 'INTERNAL') {
    return `featurectl: ${error.message} [${error.code}]`;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `featurectl: a bug in featurectl, please report it with the command you ran [INTERNAL]\n${detail}`;
}
