import { isUtf8 } from 'node:buffer';
import { FeaturectlError } from '../core/errors.ts';
import type { CsvHeader } from './csv-reader.ts';

/** The column names. Throws SOURCE_ENCODING for one that is not UTF-8, CSV_HEADER for one that stands twice. */
export function decodeHeader(source: string, header: CsvHeader): readonly string[] {
  const names = header.cells.map((cell) => {
    const bytes = Buffer.from(cell, 'latin1');
    if (isUtf8(bytes)) return bytes.toString('utf8');
    throw new FeaturectlError(
      'SOURCE_ENCODING',
      `${source}, line ${header.line}: expected column names in UTF-8, found bytes ${bytes.subarray(0, 16).toString('hex')}; convert the file or give --encoding`,
    );
  });
  refuseDuplicates(source, header.line, names);
  return names;
}

function refuseDuplicates(source: string, line: number, names: readonly string[]): void {
  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const before = seen.get(name);
    if (before !== undefined && name !== '') {
      throw new FeaturectlError(
        'CSV_HEADER',
        `${source}, line ${line}: duplicate column ${JSON.stringify(name)}: expected each name once, found it as column ${before + 1} and ${index + 1}; rename one, or write a header line if this is a row`,
      );
    }
    seen.set(name, index);
  }
}

export function noHeader(source: string): FeaturectlError {
  return new FeaturectlError(
    'CSV_HEADER',
    `${source}: no header: expected a first line of column names, found no text; write a header line`,
  );
}

export function unnamedWarnings(names: readonly string[]): readonly string[] {
  return names.flatMap((name, index) =>
    name === ''
      ? [
          `column ${index + 1} has no name in the header and is not read; name it to use it (pandas writes its index so, and leaves it out with index=False)`,
        ]
      : [],
  );
}

/** Throws CSV_HEADER where a column without a name is to be read. */
export function refuseUnnamed(source: string, names: readonly string[], selected: readonly number[]): void {
  const index = selected.find((column) => names[column] === '');
  if (index === undefined) return;
  throw new FeaturectlError(
    'CSV_HEADER',
    `${source}: column ${index + 1} is to be read but has no name in the header; name it or map another column`,
  );
}
