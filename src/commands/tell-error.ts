/** What ended a command, as a line of JSON; main.ts says it as text otherwise. */
import { EXIT, FeaturectlError } from '../core/errors.ts';
import { openJsonLog } from '../output/log.ts';
import type { Io } from './options.ts';

/** Returns the exit code. */
export async function tellError(error: unknown, io: Io): Promise<number> {
  const log = await openJsonLog(io.stderr);
  const isOurs = error instanceof FeaturectlError && error.code !== 'INTERNAL';
  const exitCode = error instanceof FeaturectlError ? error.exitCode : EXIT.bug;
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  log.error(
    isOurs
      ? { code: error.code, message }
      : { code: 'INTERNAL', message, ...(stack === undefined ? {} : { stack }) },
    exitCode,
  );
  return exitCode;
}
