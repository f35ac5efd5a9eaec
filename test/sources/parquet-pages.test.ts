import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as arrow from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ColumnBatch, Source, SourceRange, Value } from '../../src/core/types.ts';
import { fileOf, longs, pageOf, parquetOf } from './parquet-by-hand.ts';
import { checkSlots } from './slots.ts';
import { openBytes, openFile, readAll, rowsText } from './support.ts';

type ParquetWasm = typeof import('parquet-wasm');
const parquet = createRequire(import.meta.url)('parquet-wasm') as ParquetWasm;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'featurectl-pages-'));
});
afterAll(() => rm(root, { recursive: true }));

/** How a column of one type is made, and what of each of its values is to be read. */
interface Kind {
  readonly type: arrow.DataType;
  readonly value: fc.Arbitrary<unknown>;
  read(value: never): Value;
}

const same = (value: Value): Value => value;
const latin1 = (value: string): Value => Buffer.from(value, 'utf8').toString('latin1');
const bytes = (value: Uint8Array): Value => Buffer.from(value).toString('latin1');
const text = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'ä', '€'),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.nat(300).map((length) => 'x'.repeat(length)),
);
const KINDS: readonly Kind[] = [
  { type: new arrow.Bool(), value: fc.boolean(), read: same },
  { type: new arrow.Int8(), value: fc.integer({ min: -128, max: 127 }), read: same },
  { type: new arrow.Uint16(), value: fc.integer({ min: 0, max: 0xffff }), read: same },
  { type: new arrow.Int32(), value: fc.integer(), read: same },
  { type: new arrow.Uint32(), value: fc.integer({ min: 0, max: 2 ** 32 - 1 }), read: same },
  { type: new arrow.Int64(), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), read: same },
  { type: new arrow.Uint64(), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), read: same },
  { type: new arrow.Float32(), value: fc.float(), read: same },
  { type: new arrow.Float64(), value: fc.double(), read: same },
  { type: new arrow.Utf8(), value: text, read: latin1 },
  { type: new arrow.Binary(), value: fc.uint8Array({ maxLength: 9 }), read: bytes },
  {
    type: new arrow.FixedSizeBinary(5),
    value: fc.uint8Array({ minLength: 5, maxLength: 5 }),
    read: bytes,
  },
];

/** `size` null: of up to seven values each. */
function listsOf({ type, value, read }: Kind, size: number | null): Kind {
  const item = new arrow.Field('item', type, true);
  const lengths = size === null ? { maxLength: 7 } : { minLength: size, maxLength: size };
  return {
    type: size === null ? new arrow.List(item) : new arrow.FixedSizeList(size, item),
    value: fc.array(fc.option(value, { freq: 9 }), lengths),
    read: (values: readonly unknown[]) =>
      values.map((one) => (one === null ? null : read(one as never))) as Value,
  };
}

const kinds = fc.oneof(
  fc.constantFrom(...KINDS),
  fc
    .constantFrom(...KINDS, ...KINDS.filter(({ type }) => arrow.DataType.isFloat(type)))
    .chain((kind) => fc.constantFrom(null, 3).map((size) => listsOf(kind, size))),
);

interface Column {
  readonly kind: Kind;
  /** Row i has value i, from the start again where they end. */
  readonly values: readonly unknown[];
  /** Rows of values and of nulls, in turn. */
  readonly runs: readonly [values: number, nulls: number];
}

const column: fc.Arbitrary<Column> = kinds.chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    values: fc.array(kind.value, { minLength: 1, maxLength: 40 }),
    runs: fc.tuple(fc.constantFrom(0, 1, 3, 700), fc.constantFrom(0, 0, 1, 5, 900)),
  }),
);

const { Compression, WriterVersion } = parquet;
const tables = fc.record({
  rows: fc.oneof(fc.nat(40), fc.constantFrom(511, 512, 513, 1000, 4609)),
  columns: fc.array(column, { minLength: 1, maxLength: 4 }),
  compression: fc.constantFrom(
    Compression.UNCOMPRESSED,
    Compression.SNAPPY,
    Compression.GZIP,
    Compression.BROTLI,
  ),
  version: fc.constantFrom(WriterVersion.V1, WriterVersion.V2),
  hasDictionary: fc.boolean(),
  dictionaryBytes: fc.constantFrom(1, 100, 100_000),
  pageBytes: fc.constantFrom(1, 100, 100_000),
  writeRows: fc.constantFrom(1, 7, 100, 1024),
  groupRows: fc.constantFrom(100, 600, 5000),
  batchRows: fc.constantFrom(1, 100, 1024, 10_000),
  seed: fc.nat(),
});
type Table = typeof tables extends fc.Arbitrary<infer T> ? T : never;

function isNull({ runs: [values, nulls] }: Column, row: number): boolean {
  return nulls > 0 && row % (values + nulls) >= values;
}

function cells(one: Column, rows: number): unknown[] {
  const { values } = one;
  return Array.from({ length: rows }, (_, row) => (isNull(one, row) ? null : values[row % values.length]));
}

function write(table: Table): Uint8Array {
  const vectors = table.columns.map((one, index) => [
    `c${index}`,
    arrow.vectorFromArray(cells(one, table.rows) as never[], one.kind.type),
  ]);
  const wasm = parquet.Table.fromIPCStream(
    arrow.tableToIPC(new arrow.Table(Object.fromEntries(vectors)), 'stream'),
  );
  const properties = new parquet.WriterPropertiesBuilder()
    .setCompression(table.compression)
    .setWriterVersion(table.version)
    .setDictionaryEnabled(table.hasDictionary)
    .setDictionaryPageSizeLimit(table.dictionaryBytes)
    .setDataPageSizeLimit(table.pageBytes)
    .setWriteBatchSize(table.writeRows)
    .setMaxRowGroupSize(table.groupRows);
  return parquet.writeParquet(wasm, properties.build());
}

async function read(source: Source, selected: readonly number[], range?: SourceRange): Promise<Value[][]> {
  const found: Value[][] = selected.map(() => []);
  let row = (range?.from?.row ?? 0) + 1;
  for await (const batch of source.batches(selected, range)) {
    expect(batch.firstRow).toBe(row);
    checkSlots(batch);
    for (const [index, one] of batch.columns.entries()) found[index]!.push(...valuesOf(batch, one));
    row += batch.rowCount;
  }
  return found;
}

function valuesOf({ rowCount }: ColumnBatch, one: ColumnBatch['columns'][number]): Value[] {
  if (one.kind !== 'typed') throw new Error('a column of text');
  return Array.from({ length: rowCount }, (_, row) => one.at(row));
}

function headerBytes(numbers: readonly bigint[]): number {
  return pageOf({ type: 2, values: numbers.length, body: longs(...numbers) }).length - numbers.length * 8;
}

const at = (row: number) => ({ row, line: row + 1, byte: 0 });

describe('the pages of a Parquet file', () => {
  test('of any writer settings give the values that were written, in any range and order of columns', async () => {
    const path = join(root, 'table.parquet');
    await fc.assert(
      fc.asyncProperty(tables, async (table) => {
        await writeFile(path, write(table));
        const wanted = table.columns.map((one) =>
          cells(one, table.rows).map((value) => (value === null ? null : one.kind.read(value as never))),
        );
        const source = await openFile(path, { batchRows: table.batchRows });
        try {
          const all = wanted.map((_, index) => index);
          expect(await read(source, all)).toEqual(wanted);
          const some = all.filter((index) => index === 0 || (table.seed >> index) % 2 === 0).reverse();
          const from = table.seed % (table.rows + 1);
          const to = from + ((table.seed >> 8) % (table.rows + 1 - from));
          const part = await read(source, some, { from: at(from), to: at(to) });
          expect(part).toEqual(some.map((index) => wanted[index]!.slice(from, to)));
        } finally {
          await source.close();
        }
      }),
      { numRuns: 120 },
    );
  });

  test.each([Compression.UNCOMPRESSED, Compression.SNAPPY, Compression.GZIP])(
    'that are more than is read at once, compression %d',
    async (compression) => {
      const rows = 60_000;
      // Nothing makes it smaller, so that pages of version 2 may be left as they are.
      const random = Buffer.alloc(rows * 20);
      for (let i = 0, state = 1; i < random.length; i += 1) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        random[i] = state >>> 16;
      }
      const wanted = Array.from({ length: rows }, (_, row) => random.subarray(row * 20, row * 20 + 20));
      const vector = arrow.vectorFromArray(wanted as never[], new arrow.Binary());
      const table = arrow.tableToIPC(new arrow.Table({ a: vector }), 'stream');
      for (const version of [WriterVersion.V1, WriterVersion.V2]) {
        const properties = new parquet.WriterPropertiesBuilder()
          .setCompression(compression)
          .setWriterVersion(version)
          .setDictionaryPageSizeLimit(200_000)
          .setDataPageSizeLimit(30_000)
          .setMaxRowGroupSize(25_000);
        const file = parquet.writeParquet(parquet.Table.fromIPCStream(table), properties.build());
        const source = await openBytes(file);
        const [values] = await read(source, [0]);
        await source.close();
        expect(values).toEqual(wanted.map((value) => value.toString('latin1')));
      }
    },
  );

  test('whose dictionary stands uncompressed where more is read later', async () => {
    const numbers = Array.from({ length: 1000 }, (_, i) => BigInt(i) - 500n);
    // As many as make a header that the numbers stand behind at a multiple of eight, so that they are not moved.
    const size = numbers.findIndex((_, i) => i > 2 && headerBytes(numbers.slice(0, i)) % 8 === 0);
    expect(size).toBeGreaterThan(2);
    const dictionary = pageOf({ type: 2, values: size, body: longs(...numbers.slice(0, size)) });
    // A run of three times the second, and what a writer may leave behind it: together more than is read at once.
    const body = Buffer.concat([Buffer.of(8, 6, 1), Buffer.alloc(100_000)]);
    const codes = pageOf({ type: 0, values: 3, encoding: 8, body });
    const pages = [dictionary, ...Array<Buffer>(9).fill(codes)];
    const source = await openBytes(fileOf({ rows: 27, encodings: [0, 3, 8], pages }));
    const [values] = await read(source, [0]);
    await source.close();
    expect(values).toEqual(Array.from({ length: 27 }, () => -499n));
  });

  test('whose dictionary has text that is no UTF-8, which is a fault of the rows that refer to it', async () => {
    const texts = ['good', 'caf\xe9', 'fine'].map((value) =>
      Buffer.concat([Buffer.of(value.length, 0, 0, 0), Buffer.from(value, 'latin1')]),
    );
    const pages = [
      pageOf({ type: 2, values: 3, body: Buffer.concat(texts) }),
      // Packed codes of two bits: 0, 1, 2, 1, and four that no row needs.
      pageOf({ type: 0, values: 4, encoding: 8, body: Buffer.of(2, 3, 0b01_10_01_00, 0) }),
    ];
    const file = fileOf({ rows: 4, physical: 6, converted: 0, encodings: [0, 3, 8], pages });
    const { batches } = await readAll(await openBytes(file));
    expect(rowsText(batches)).toEqual([
      '1: good',
      '2: caf\xe9 !INVALID_UTF8 a',
      '3: fine',
      '4: caf\xe9 !INVALID_UTF8 a',
    ]);
  });

  test('whose dictionary repeats long texts are not put together in memory', async () => {
    const long = Buffer.concat([Buffer.of(0x40, 0x0d, 3, 0), Buffer.alloc(200_000, 'z')]);
    const short = Buffer.of(1, 0, 0, 0, 65);
    const rows = 6000;
    const file = fileOf({
      rows,
      physical: 6,
      converted: 0,
      encodings: [0, 3, 8],
      pages: [
        pageOf({ type: 2, values: 2, body: Buffer.concat([short, long]) }),
        // One run of 3000 times 0, and one of 1.
        pageOf({ type: 0, values: rows, encoding: 8, body: Buffer.of(1, 0xf0, 0x2e, 0, 0xf0, 0x2e, 1) }),
      ],
    });
    const source = await openBytes(file);
    const before = process.memoryUsage().arrayBuffers;
    const lengths: number[] = [];
    let most = 0;
    for await (const batch of source.batches([0])) {
      lengths.push(...valuesOf(batch, batch.columns[0]!).map((value) => (value as string).length));
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    await source.close();
    expect(lengths).toEqual(Array.from({ length: rows }, (_, row) => (row < 3000 ? 1 : 200_000)));
    expect(most).toBeLessThan(256 * 1024 * 1024);
  });

  test('of no rows, and of row groups that end where batches do', async () => {
    const page = pageOf({
      type: 0,
      values: 512,
      body: longs(...Array.from({ length: 512 }, (_, i) => BigInt(i))),
    });
    const source = await openBytes(fileOf({ rows: 1024, pages: [page, page] }), { batchRows: 512 });
    const [values] = await read(source, [0]);
    await source.close();
    expect(values).toEqual(Array.from({ length: 1024 }, (_, i) => BigInt(i % 512)));
  });

  test.each<[string, boolean, (path: string, file: Buffer) => Promise<void>]>([
    ['written to', true, (path, file) => writeFile(path, Buffer.concat([file, file]))],
    [
      'replaced',
      false,
      (path, file) => writeFile(`${path}.new`, file).then(() => rename(`${path}.new`, path)),
    ],
  ])('of a file that is %s while it is read', async (how, isError, change) => {
    const path = join(root, `${how.split(' ')[0]}.parquet`);
    const file = parquetOf([[1n, 2n], [3n]], false);
    await writeFile(path, file);
    const source = await openFile(path);
    const batches = source.batches([0])[Symbol.asyncIterator]();
    expect((await batches.next()).done).toBe(false);
    await change(path, file);
    const rest = async (): Promise<void> => {
      while (!(await batches.next()).done);
    };
    // A file of the same name is another one: what was opened is read to its end.
    if (isError) await expect(rest()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    else await rest();
    await source.close();
  });
});
