import { FeaturectlError } from '../core/errors.ts';

export function cutError(name: string, expected: string): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_TRUNCATED',
    `${name}: expected ${expected}, found the end before: the file is cut or was not finished; copy or write it again`,
  );
}

/** An error of apache-arrow in the words of the catalogue; one of ours stays as it is. */
export function arrowError(name: string, row: number, error: unknown): FeaturectlError {
  if (error instanceof FeaturectlError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  const where = row === 0 ? name : `${name}, after row ${row}`;
  return new FeaturectlError(
    'SOURCE_CORRUPT',
    `${where}: expected readable Arrow IPC, found damage or a feature that is not supported (${detail}); write the file again`,
    { cause: error },
  );
}
