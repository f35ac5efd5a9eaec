import { FeaturectlError } from '../../core/errors.ts';
import { encryptedError } from '../format.ts';

/** Bytes that are missing: those of a page, of the pages of a chunk, or of the file. */
export function tooEarly(): Error {
  return new Error('its pages end too early');
}

/** The decoder's failure in the words of the catalogue; `row`: rows before it. */
export function decodeError(name: string, row: number, error: unknown): FeaturectlError {
  const text = error instanceof Error ? error.message : String(error);
  if (/encrypt/i.test(text)) return encryptedError(name);
  const detail = /unreachable|memory access|out of bounds/.test(text) ? 'its pages do not decode' : text;
  const where = row === 0 ? name : `${name}, after row ${row}`;
  return new FeaturectlError(
    'SOURCE_CORRUPT',
    `${where}: expected readable Parquet, found damage or a feature that is not supported (${detail.replace(/^(Error: |Parquet error: )+/, '')}); write the file again`,
    { cause: error },
  );
}
