/** What a user should know that is no error. */
import type { Run } from './run.ts';

/** Each is shown once a run, however many files share it. */
export function warn(run: Run, warnings: readonly string[]): void {
  for (const warning of warnings) if (run.track.isNewWarning(warning)) run.progress.note(warning);
}

/** What encoders have found in the rows so far. */
export function warnOfRows(run: Run): void {
  for (const encoder of run.encoders) warn(run, encoder.warnings);
}
