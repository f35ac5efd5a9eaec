/**
 * Real files (../shared/corpus) from the command line to Redis and back: every row of a good one comes out
 * with its values, every bad one is refused with one message. Without a schema, under the row's number.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CorpusFile, corpusFiles, type Expected, hasCorpus } from '../support/corpus.ts';
import { type Desk, openDesk, type StoredHash } from '../support/desk.ts';
import { storedMatches } from '../support/stored.ts';

const LIMIT_MS = 20_000;

/** Good files that are refused, each with the reason; the same table stands in docs/formats.md. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  // Its footer says 0 rows over columns that hold values.
  'pqt.repeated_no_annotation.parquet': /SOURCE_CORRUPT/,
};

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

async function ingest(file: CorpusFile, format: string): Promise<{ code: number; stderr: string }> {
  return desk.run([
    ...['ingest', file.path, '--format', format, '--key', '_row', '--prefix', 'c:', '--ttl', '1h'],
    ...['--timezone', 'UTC', '--allow-nonfinite'],
  ]);
}

function expectStored(expected: Expected, stored: Record<string, StoredHash>): void {
  const keys = new Set(Object.keys(stored));
  expected.rows.forEach((row, i) => {
    const key = `c:${i + 1}`;
    const hash = stored[key];
    keys.delete(key);
    expected.columns.forEach(({ name, kind }, j) => {
      const field = hash?.fields[Buffer.from(name).toString('latin1')];
      const isRight = storedMatches(field, row[j], kind);
      if (!isRight)
        expect.fail(`row ${i + 1} ${name} (${kind}): expected ${JSON.stringify(row[j])}, found ${field}`);
    });
    if (hash) expect(hash.ttlMs).toBeGreaterThan(0);
  });
  expect([...keys]).toEqual([]);
}

describe.skipIf(!hasCorpus)('corpus', () => {
  describe.each(['csv/ok', 'csv/real', 'parquet/ok', 'parquet/nested'])('%s', (folder) => {
    it.each(corpusFiles(folder))(
      '$name',
      async (file) => {
        const { code, stderr } = await ingest(file, folder.split('/')[0] ?? '');
        const stored = await desk.take();
        const refused = REFUSED[file.name];
        if (refused) {
          expect(stderr).toMatch(refused);
          return;
        }
        expect(code, stderr).toBe(0);
        expectStored(file.expected() as Expected, stored);
      },
      LIMIT_MS,
    );
  });

  describe.each(['csv/bad', 'parquet/bad'])('%s', (folder) => {
    it.each(corpusFiles(folder))(
      '$name',
      async (file) => {
        const { code, stderr } = await ingest(file, folder.split('/')[0] ?? '');
        await desk.take();
        expect(code, stderr).toBeGreaterThanOrEqual(1);
        expect(code, stderr).toBeLessThanOrEqual(4);
        expect(stderr.match(/^featurectl: .*\[[A-Z_0-9]+\]$/gm), stderr).toHaveLength(1);
      },
      LIMIT_MS,
    );
  });

  describe.each(['csv/either', 'parquet/either'])('%s', (folder) => {
    it.each(corpusFiles(folder))(
      '$name',
      async (file) => {
        const { code, stderr } = await ingest(file, folder.split('/')[0] ?? '');
        await desk.take();
        expect([0, 2, 3, 4], stderr).toContain(code);
      },
      LIMIT_MS,
    );
  });
});
