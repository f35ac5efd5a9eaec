/** The only file that knows the process: argv, signals, stderr and the exit status. */
import { availableParallelism } from 'node:os';
import { wantsJsonLog } from './cli/log-form.ts';
import type { Io } from './cli/program.ts';
import { maskedTitle } from './cli/title.ts';
import { packageVersion } from './cli/version.ts';
import { EXIT, FeaturectlError } from './core/errors.ts';

/** Runs the program and sets `process.exitCode`; resolves when all output has been handed over. */
export async function main(process: NodeJS.Process): Promise<void> {
  // Everybody on the machine may read a command line.
  const title = maskedTitle(process.argv.slice(2));
  if (title !== null) process.title = title;
  const interrupt = new AbortController();
  onSignal(process, interrupt, 'SIGINT', EXIT.sigint);
  onSignal(process, interrupt, 'SIGTERM', EXIT.sigterm);
  const lost = watchOutputs(process);
  const exitCode = await run(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interrupt.signal,
    cores: availableParallelism(),
  });
  // A failed write is told a turn of the event loop later.
  await new Promise((resolve) => setImmediate(resolve));
  process.exitCode = lost() && exitCode === EXIT.ok ? EXIT.fatal : exitCode;
}

/** One command line (without node and script) → exit code; what went wrong is said on stderr. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    io.stdout.write(`${packageVersion()}\n`);
    return EXIT.ok;
  }
  try {
    // Loaded here, so that --version, which scripts call often, starts no grammar.
    const { runCli } = await import('./cli/program.ts');
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

/**
 * A run goes on without its stderr: what it writes to Redis matters more than what it says. `… | head` closes our
 * stdout early, which is the reader's choice; results that a full disk did not take are a failure. Tells of that.
 */
function watchOutputs(process: NodeJS.Process): () => boolean {
  let isLost = false;
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || isLost) return;
    isLost = true;
    const message = `standard output cannot be written: ${error.message}`;
    const isJson = wantsJsonLog(process.argv.slice(2), process.env);
    process.stderr.write(`${isJson ? jsonError(message) : `featurectl: ${message} [OUTPUT]`}\n`);
  });
  return () => isLost;
}

/** The process may be about to end, so without the log's package; the form is the same. */
function jsonError(message: string): string {
  const time = new Date().toISOString();
  return JSON.stringify({
    level: 'error',
    time,
    event: 'error',
    code: 'OUTPUT',
    exit_code: EXIT.fatal,
    message,
  });
}

function describeError(error: unknown): string {
  if (error instanceof FeaturectlError && error.code !== 'INTERNAL') {
    return `featurectl: ${error.message} [${error.code}]`;
  }
  if ((error as NodeJS.ErrnoException | null)?.code === 'ERR_MODULE_NOT_FOUND') {
    return `featurectl: expected all packages of featurectl, found one missing: run npm ci where it was cloned, or install it again (${(error as Error).message})`;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `featurectl: a bug in featurectl, please report it with the command you ran [INTERNAL]\n${detail}`;
}
