/** A source read from any place up to any other one gives exactly the rows that stand between them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as arrow from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ColumnBatch, Source, SourcePosition, SourceRange } from '../../src/core/types.ts';
import type { OpenOptions } from '../../src/sources/index.ts';
import { named, openBytes, openFile, rowsText } from './support.ts';

type ParquetWasm = typeof import('parquet-wasm');
const parquet = createRequire(import.meta.url)('parquet-wasm') as ParquetWasm;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'featurectl-ranges-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

async function batchesOf(source: Source, range?: SourceRange): Promise<readonly ColumnBatch[]> {
  const batches: ColumnBatch[] = [];
  try {
    for await (const batch of source.batches(named(source), range)) batches.push(batch);
    return batches;
  } finally {
    await source.close();
  }
}

/** The place before each row and after the last one. */
function places(batches: readonly ColumnBatch[]): SourcePosition[] {
  return batches.flatMap((batch, index) => {
    const isLast = index === batches.length - 1;
    return Array.from({ length: batch.rowCount + (isLast ? 1 : 0) }, (_, row) => batch.position(row));
  });
}

/** Cuts at every pair of these places, or of some of them, must give what a whole reading gives. */
async function expectRanges(
  open: () => Promise<Source>,
  pick: (places: SourcePosition[]) => SourcePosition[],
): Promise<void> {
  const whole = await batchesOf(await open());
  const rows = rowsText(whole);
  const cuts = pick(places(whole));
  expect(cuts.length).toBeGreaterThan(1);
  for (const [index, from] of cuts.entries()) {
    expect(rowsText(await batchesOf(await open(), { from, to: null }))).toEqual(rows.slice(from.row));
    expect(rowsText(await batchesOf(await open(), { from: null, to: from }))).toEqual(
      rows.slice(0, from.row),
    );
    const to = cuts[Math.min(index + 2, cuts.length - 1)]!;
    const between = await batchesOf(await open(), { from, to });
    expect(rowsText(between)).toEqual(rows.slice(from.row, to.row));
    if (between.length > 0) expect(between[0]?.firstRow).toBe(from.row + 1);
  }
}

const all = (cuts: SourcePosition[]): SourcePosition[] => cuts;
const some = (cuts: SourcePosition[]): SourcePosition[] =>
  cuts.filter((_, index) => index % 997 === 0 || index === cuts.length - 1);

const TEXT = 'id,x\r\n\r\n1,a\r\n2,"b\r\n\nb"\n\n3,\r4,"a""b,"\n5\n6,é\n\n\n7,g';
const BOM = '\ufeff';

describe('CSV', () => {
  const files: [string, string, string | Uint8Array, OpenOptions][] = [
    ['plain', 'plain.csv', TEXT, {}],
    ['rows of many reads', 'small-reads.csv', TEXT, { readSize: 3 }],
    ['batches of two', 'batches.csv', TEXT, { batchRows: 2 }],
    ['a byte order mark', 'bom.csv', BOM + TEXT, {}],
    ['gzip', 'in.csv.gz', gzipSync(TEXT), {}],
    ['UTF-16', 'wide.csv', Buffer.from(BOM + TEXT, 'utf16le'), {}],
    ['latin1', 'latin1.csv', Buffer.from(TEXT, 'latin1'), { encoding: 'latin1' }],
    ['csv-parse', 'long.csv', TEXT.replaceAll(',', '||'), { delimiter: '||' }],
    ['csv-parse, small reads', 'long2.csv', TEXT.replaceAll(',', '||'), { delimiter: '||', readSize: 5 }],
  ];
  it.each(files)('%s', async (_name, file, content, options) => {
    const path = write(file, content);
    await expectRanges(() => openFile(path, options), all);
  });

  it('a pipe is read up to the place', async () => {
    await expectRanges(() => openBytes(TEXT, {}, 4), all);
  });

  it('any text, cut anywhere, whatever reads it', async () => {
    const cell = fc.constantFrom('', '1', 'é', '"q"', '"a,""b"', '"l\nl"', '"c\r\nc"', '"\r"');
    const end = fc.constantFrom('\n', '\r\n', '\r', '\n\n');
    const record = fc.tuple(fc.array(cell, { minLength: 1, maxLength: 3 }), end);
    const text = fc.array(record, { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.constantFrom(',', ';;'),
        fc.integer({ min: 1, max: 9 }),
        async (rows, by, size) => {
          const lines = rows.map(([cells, ending]) => cells.join(by) + ending).join('');
          const open = (): Promise<Source> =>
            openBytes(`h1${by}h2\n${lines}`, { delimiter: by, batchRows: 3 }, size);
          const whole = await batchesOf(await open());
          if (whole.length > 0) await expectRanges(open, all);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a place in a large file is gone to, not read up to', async () => {
    const row = `${'x'.repeat(99)}\n`;
    const broken = `a"b${row.slice(3)}`;
    const path = write('large.csv', `id\n${row.repeat(500)}${broken}${row.repeat(1500)}`);
    const from = { row: 1001, line: 1003, byte: 3 + 1001 * 100 };
    const source = await openFile(path, { readSize: 1000 });
    let reads = 0;
    for await (const batch of source.batches([0], { from, to: null })) reads += batch.rowCount;
    await source.close();
    expect(reads).toBe(1000);
  });
});

const LINES = '{"id":1}\r\n\n{"id":"é","x":[1]}\n{"x":\n\n\n{"id":4}\n{"id":5}\n\n{"x":6}';

describe('ndjson', () => {
  const files: [string, string, string | Uint8Array, OpenOptions][] = [
    ['plain', 'plain.ndjson', LINES, {}],
    ['rows of many reads', 'small-reads.ndjson', LINES, { readSize: 3 }],
    ['batches of two', 'batches.ndjson', LINES, { batchRows: 2 }],
    ['a byte order mark and a last line end', 'bom.ndjson', `${BOM}${LINES}\n`, {}],
    ['gzip', 'in.ndjson.gz', gzipSync(LINES), {}],
    ['UTF-16', 'wide.ndjson', Buffer.from(BOM + LINES, 'utf16le'), {}],
  ];
  it.each(files)('%s', async (_name, file, content, options) => {
    const path = write(file, content);
    await expectRanges(() => openFile(path, options), all);
  });

  it('a pipe is read up to the place', async () => {
    await expectRanges(() => openBytes(LINES, {}, 4), all);
  });
});

function table(rows: number): arrow.Table {
  const ids = Int32Array.from({ length: rows }, (_, row) => row);
  const texts = Array.from({ length: rows }, (_, row) => (row % 7 === 0 ? null : `t${row}`));
  return new arrow.Table({
    id: arrow.vectorFromArray(ids),
    text: arrow.vectorFromArray(texts, new arrow.Utf8()),
    word: arrow.vectorFromArray(texts, new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())),
  });
}

/** Three record batches. */
function batched(): arrow.Table {
  const whole = table(900);
  return new arrow.Table([0, 1, 2].flatMap((part) => whole.slice(part * 300, part * 300 + 300).batches));
}

describe('typed', () => {
  it.each([1000, 10_000])('Parquet of row groups of %i', async (rowGroup) => {
    const wasm = parquet.Table.fromIPCStream(arrow.tableToIPC(table(3500), 'stream'));
    const properties = new parquet.WriterPropertiesBuilder().setMaxRowGroupSize(rowGroup).build();
    const path = write(`groups-${rowGroup}.parquet`, parquet.writeParquet(wasm, properties));
    await expectRanges(() => openFile(path), some);
    const source = await openFile(path);
    expect(source.blocks).toEqual(rowGroup === 1000 ? [1000, 1000, 1000, 500] : [3500]);
    const from = { row: 2500, line: 2501, byte: 0 };
    let rows = 0;
    for await (const batch of source.batches([], { from, to: null })) rows += batch.rowCount;
    expect(rows).toBe(1000);
    await source.close();
  });

  it.each(['file', 'stream'] as const)('Arrow %s', async (kind) => {
    const path = write(`${kind}.arrow`, arrow.tableToIPC(batched(), kind));
    await expectRanges(
      () => openFile(path, { batchRows: 128 }),
      (cuts) => cuts.filter((_, index) => index % 100 < 2 || index === cuts.length - 1),
    );
  });
});
