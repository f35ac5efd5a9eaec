import { FeaturectlError } from '../core/errors.ts';
import type { QuoteFault } from './csv-quotes.ts';

export interface CsvOptions {
  readonly name: string;
  /** One ASCII character, or several characters without a quote or line end. */
  readonly delimiter: string;
  /** Bytes that a record may have, its line end included. */
  readonly maxRecordSize: number;
}

/** A record that starts on `line` and is too long. */
export function sizeError(options: CsvOptions, line: number): FeaturectlError {
  return new FeaturectlError(
    'CSV_SIZE',
    `${options.name}, line ${line}: expected records of at most ${options.maxRecordSize} bytes, found a longer one that starts here; close its quote or raise --max-record-size`,
  );
}

const ESCAPE_ADVICE =
  '; a backslash escapes nothing: write the file with doubled quotes (Spark: .option("escape", "\\""))';

/** A record that starts on `firstLine` and whose quotes do not fit; null: it could not be told how. */
export function quoteError(
  options: CsvOptions,
  firstLine: number,
  fault: QuoteFault | null,
): FeaturectlError {
  const line = firstLine + (fault?.lines ?? 0);
  const where = `${options.name}, line ${line}, field ${fault?.field ?? 1}`;
  const found = fault?.found ?? 'a quote that does not fit';
  const advice = fault?.isEscaped === true ? ESCAPE_ADVICE : '';
  return new FeaturectlError(
    'CSV_QUOTE',
    `${where}: ${found}; expected a quoted field to be closed, its inner quotes doubled, and followed by ${JSON.stringify(options.delimiter)} or a line end${advice}`,
  );
}
