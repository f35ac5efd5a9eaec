import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FeaturectlError } from '../../src/core/errors.ts';
import type { SourceFormat } from '../../src/core/types.ts';
import { type CorpusFile, comparableRows, corpusFiles, hasCorpus } from '../support/corpus.ts';
import { openBytes, openFile, readAll } from './support.ts';

const LIMIT_MS = 20_000;

/** Files whose rows differ from what the corpus expects, each with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'pqt.repeated_no_annotation.parquet':
    'its footer says 0 rows while its columns hold 18 values; refused, as parquet-rs would read none of them',
};

async function expectRows(file: CorpusFile, source: ReturnType<typeof openFile>): Promise<void> {
  const expected = file.expected()!;
  const opened = await source;
  const { batches, error } = await readAll(opened, [...opened.columns.keys()]);
  expect(error).toBeNull();
  expect(batches.flatMap((batch) => [...(batch.faults?.values() ?? [])])).toEqual([]);
  const kinds = expected.columns.map((column) => column.kind);
  expect(opened.columns.map((column) => column.name)).toEqual(expected.columns.map((column) => column.name));
  expect(comparableRows(batches, kinds)).toEqual(expected.rows);
}

/** How a file was refused: the error's code, or `rows` with a faulty row or without. */
async function outcome(path: string, format: SourceFormat): Promise<string> {
  try {
    const source = await openFile(path, { format });
    const { batches, error } = await readAll(source);
    if (error !== null) return error.code;
    for (const batch of batches) for (let row = 0; row < batch.rowCount; row++) batch.record(row);
    return batches.some((batch) => batch.faults !== null) ? 'faulty row' : 'rows';
  } catch (error) {
    if (error instanceof FeaturectlError) return error.code;
    throw error;
  }
}

describe.skipIf(!hasCorpus)('corpus', () => {
  for (const folder of ['csv/ok', 'csv/real', 'parquet/ok', 'parquet/nested']) {
    const format = folder.startsWith('csv') ? 'csv' : 'parquet';
    describe(folder, () => {
      test.each(corpusFiles(folder))(
        '$name',
        async (file) => {
          if (file.name in EXCEPTIONS) expect(await outcome(file.path, format)).toBe('SOURCE_CORRUPT');
          else await expectRows(file, openFile(file.path, { format }));
        },
        LIMIT_MS,
      );
    });
  }

  describe('csv/ok one byte at a time', () => {
    test.each(corpusFiles('csv/ok'))('$name', async (file) => {
      await expectRows(file, openBytes(readFileSync(file.path), { format: 'csv' }, 1));
    });
  });

  /** BEHAVIOUR takes these although the corpus calls them bad. */
  const POLICY: Readonly<Record<string, string>> = {
    'trailing_comma_header.csv': 'an unnamed column that nothing maps is a warning',
  };

  for (const folder of ['csv/bad', 'parquet/bad']) {
    const format = folder.startsWith('csv') ? 'csv' : 'parquet';
    describe(folder, () => {
      test.each(corpusFiles(folder))(
        '$name',
        async ({ name, path }) => {
          const found = await outcome(path, format);
          if (name in POLICY) expect(found).toBe('rows');
          else expect(found).not.toBe('rows');
        },
        LIMIT_MS,
      );
    });
  }

  for (const folder of ['csv/either', 'parquet/either']) {
    const format = folder.startsWith('csv') ? 'csv' : 'parquet';
    describe(folder, () => {
      test.each(corpusFiles(folder))(
        '$name',
        async ({ path }) => {
          expect(await outcome(path, format)).toBeTruthy();
        },
        LIMIT_MS,
      );
    });
  }
});
