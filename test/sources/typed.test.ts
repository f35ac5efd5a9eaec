import { readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as arrow from 'apache-arrow';
import lz4 from 'lz4js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LogicalType, Value } from '../../src/core/types.ts';
import { failureCode, openBytes, openFile, readAll, rowsText } from './support.ts';

type ParquetWasm = typeof import('parquet-wasm');
const parquet = createRequire(import.meta.url)('parquet-wasm') as ParquetWasm;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'featurectl-typed-'));
});
afterAll(() => rm(root, { recursive: true }));

function toParquet(table: arrow.Table, rowGroup = 1000): Uint8Array {
  const wasm = parquet.Table.fromIPCStream(arrow.tableToIPC(table, 'stream'));
  return parquet.writeParquet(
    wasm,
    new parquet.WriterPropertiesBuilder().setMaxRowGroupSize(rowGroup).build(),
  );
}

function column(type: arrow.DataType, values: readonly unknown[]): arrow.Vector {
  return arrow.vectorFromArray(values as never[], type);
}

/** A column whose 8-byte values are given as they are stored; apache-arrow's builders round to milliseconds. */
function raw64(type: arrow.DataType, values: readonly bigint[]): arrow.Vector {
  const data = BigInt64Array.from(values);
  return arrow.makeVector(
    arrow.makeData({ type: type as arrow.TimestampNanosecond, length: values.length, data }),
  );
}

function rawBytes(width: number, values: readonly string[]): arrow.Vector {
  const data = Uint8Array.from(Buffer.from(values.join(''), 'hex'));
  return arrow.makeVector(
    arrow.makeData({ type: new arrow.FixedSizeBinary(width), length: values.length, data }),
  );
}

/** Unscaled values in the little-endian words of an Arrow decimal. */
function decimals(precision: number, scale: number, bits: number, values: readonly bigint[]): arrow.Vector {
  const words = values.flatMap((value) =>
    Array.from({ length: bits / 32 }, (_, word) => Number((value >> BigInt(32 * word)) & 0xffffffffn)),
  );
  const type = new arrow.Decimal(scale, precision, bits);
  return arrow.makeVector(arrow.makeData({ type, length: values.length, data: Uint32Array.from(words) }));
}

const utf8 = new arrow.Utf8();
const float32List = new arrow.List(arrow.Field.new('item', new arrow.Float32(), true));
const pair = new arrow.Struct([
  arrow.Field.new('a', new arrow.Int64(), true),
  arrow.Field.new('b', utf8, true),
]);

type Case = readonly [what: string, vector: () => arrow.Vector, type: LogicalType, values: readonly Value[]];

const CASES: readonly Case[] = [
  [
    'int64',
    () => column(new arrow.Int64(), [2n ** 53n + 1n, null, -(2n ** 63n)]),
    { kind: 'int', bits: 64, signed: true },
    [2n ** 53n + 1n, null, -(2n ** 63n)],
  ],
  [
    'uint64',
    () => column(new arrow.Uint64(), [2n ** 64n - 1n]),
    { kind: 'int', bits: 64, signed: false },
    [2n ** 64n - 1n],
  ],
  ['int8', () => column(new arrow.Int8(), [-128, 127]), { kind: 'int', bits: 8, signed: true }, [-128, 127]],
  [
    'uint32',
    () => column(new arrow.Uint32(), [4294967295]),
    { kind: 'int', bits: 32, signed: false },
    [4294967295],
  ],
  ['null', () => column(new arrow.Null(), [null, null]), { kind: 'null' }, [null, null]],
  ['bool', () => column(new arrow.Bool(), [true, null, false]), { kind: 'bool' }, [true, null, false]],
  [
    'float32',
    () => column(new arrow.Float32(), [0.1, null]),
    { kind: 'float', bits: 32 },
    [Math.fround(0.1), null],
  ],
  [
    'float64',
    () => column(new arrow.Float64(), [-0, Number.NaN, 1e300]),
    { kind: 'float', bits: 64 },
    [-0, Number.NaN, 1e300],
  ],
  [
    'float16',
    () =>
      arrow.makeVector(
        arrow.makeData({
          type: new arrow.Float16(),
          length: 4,
          data: Uint16Array.of(0x3c00, 0x0001, 0xfc00, 0xd040),
        }),
      ),
    { kind: 'float', bits: 16 },
    [1, 2 ** -24, Number.NEGATIVE_INFINITY, -34],
  ],
  [
    'utf8',
    () => column(utf8, ['a', '', null, '\ufeffé']),
    { kind: 'utf8' },
    ['a', '', null, '\xef\xbb\xbf\xc3\xa9'],
  ],
  [
    'binary',
    () => column(new arrow.Binary(), [Uint8Array.of(0xff, 0xfe), null]),
    { kind: 'binary', size: null },
    ['\xff\xfe', null],
  ],
  [
    'decimal(9,2)',
    () => decimals(9, 2, 128, [57n, 115n, -57n]),
    { kind: 'decimal', precision: 9, scale: 2 },
    [57n, 115n, -57n],
  ],
  [
    'decimal(38,4)',
    () => decimals(38, 4, 128, [10n ** 38n - 1n, -(10n ** 38n) + 1n]),
    { kind: 'decimal', precision: 38, scale: 4 },
    [10n ** 38n - 1n, -(10n ** 38n) + 1n],
  ],
  [
    'decimal(76,0)',
    () => decimals(76, 0, 256, [10n ** 76n - 1n, -1n]),
    { kind: 'decimal', precision: 76, scale: 0 },
    [10n ** 76n - 1n, -1n],
  ],
  [
    'timestamp ns',
    () => raw64(new arrow.TimestampNanosecond(), [-1n, 1700000000123456789n]),
    { kind: 'timestamp', unit: 'ns', zoned: false },
    [-1n, 1700000000123456789n],
  ],
  [
    'timestamp us UTC',
    () => raw64(new arrow.TimestampMicrosecond('UTC'), [-1n]),
    { kind: 'timestamp', unit: 'us', zoned: true },
    [-1n],
  ],
  [
    'date',
    () => column(new arrow.DateDay(), [new Date('2024-02-29'), new Date('1969-12-31')]),
    { kind: 'date' },
    [19782, -1],
  ],
  [
    'list<float32>',
    () => column(float32List, [[0.1, 2, 3], [], null, [1, null, 2]]),
    { kind: 'list', item: { kind: 'float', bits: 32 }, size: null },
    [[Math.fround(0.1), 2, 3], [], null, [1, null, 2]],
  ],
  [
    'struct',
    () => column(pair, [{ a: 1n, b: 'x' }, null, { a: null, b: null }]),
    {
      kind: 'struct',
      fields: [
        { name: 'a', type: { kind: 'int', bits: 64, signed: true } },
        { name: 'b', type: { kind: 'utf8' } },
      ],
    },
    [[1n, 'x'], null, [null, null]],
  ],
];

async function readColumn(path: string): Promise<{ type: unknown; values: Value[] }> {
  const source = await openFile(path);
  const { batches, error } = await readAll(source);
  expect(error).toBeNull();
  const values = batches.flatMap((batch) => {
    const [only] = batch.columns;
    return Array.from({ length: batch.rowCount }, (_, row) => (only?.kind === 'typed' ? only.at(row) : null));
  });
  return { type: source.columns[0]?.type, values };
}

function save(name: string, bytes: Uint8Array): string {
  const path = join(root, name);
  writeFileSync(path, bytes);
  return path;
}

describe('types', () => {
  test.each(CASES)('%s through Parquet and Arrow', async (what, vector, type, values) => {
    const table = new arrow.Table({ x: vector() });
    const name = what.replace(/\W/g, '_');
    const asFile = save(`${name}.arrow`, arrow.tableToIPC(table, 'file'));
    const asStream = save(`${name}.arrows`, arrow.tableToIPC(table, 'stream'));
    const asParquet = save(`${name}.parquet`, toParquet(table));
    for (const path of [asFile, asStream, asParquet])
      expect(await readColumn(path), path).toEqual({ type, values });
  });

  test('dictionaries and fixed-size lists', async () => {
    const dictionary = column(new arrow.Dictionary(utf8, new arrow.Int32()), ['a', 'b', null, 'a']);
    const fixed = new arrow.FixedSizeList(2, arrow.Field.new('item', new arrow.Float32(), true));
    const table = new arrow.Table({ d: dictionary, f: column(fixed, [[1, 2], null, [3, null], [4, 5]]) });
    const expected = ['1: a|[1,2]', '2: b|∅', '3: ∅|[3,null]', '4: a|[4,5]'];
    for (const [name, bytes] of [
      ['d.arrow', arrow.tableToIPC(table, 'file')],
      ['d.parquet', toParquet(table)],
    ] as const) {
      expect(rowsText((await readAll(await openFile(save(name, bytes)))).batches)).toEqual(expected);
    }
  });

  test('INT96 is exact also before 1677 and after 2262', async () => {
    const values = [int96(86_399_999_999_999n, 2_440_587), int96(0n, 1_721_426), int96(1n, 5_373_484)];
    const bytes = Buffer.from(toParquet(new arrow.Table({ x: rawBytes(12, values) })));
    // Fixed bytes of 12 and INT96 are stored alike: only the type's number in the footer differs.
    const start = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    for (let at = bytes.indexOf('150e', start, 'hex'); at !== -1; at = bytes.indexOf('150e', at + 2, 'hex'))
      bytes[at + 1] = 6;
    const source = await openFile(save('int96.parquet', bytes));
    expect(source.columns[0]?.type).toEqual({ kind: 'timestamp', unit: 'ns', zoned: false });
    expect(rowsText((await readAll(source)).batches)).toEqual([
      '1: 1969-12-31T23:59:59.999999999',
      '2: 0001-01-01T00:00:00',
      '3: 9999-12-31T00:00:00.000000001',
    ]);
  });
});

/** 8 bytes nanoseconds of the day and 4 bytes Julian day, little-endian, in hex. */
function int96(nanoseconds: bigint, julianDay: number): string {
  const bytes = Buffer.alloc(12);
  bytes.writeBigInt64LE(nanoseconds);
  bytes.writeInt32LE(julianDay, 8);
  return bytes.toString('hex');
}

const ids = (from: number, to: number): arrow.Vector =>
  arrow.vectorFromArray(
    Array.from({ length: to - from }, (_, index) => BigInt(from + index)),
    new arrow.Int64(),
  );

describe('parquet', () => {
  test('rows, selection in the order asked, rows without columns', async () => {
    const table = new arrow.Table({ a: ids(0, 2500), b: ids(10_000, 12_500) });
    const path = save('sel.parquet', toParquet(table, 1000));
    const source = await openFile(path, { batchRows: 400 });
    const { batches } = await readAll(source, [1, 0]);
    const first = batches.map((batch) => batch.firstRow);
    expect(first).toEqual([...first].sort((a, b) => a - b));
    expect(rowsText(batches).at(-1)).toBe('2500: 12499|2499');
    expect([source.recordColumns([1, 0]), source.bytesRead()]).toEqual([['b', 'a'], source.info.totalBytes]);
    const none = await readAll(await openFile(path), []);
    expect(none.batches.reduce((sum, batch) => sum + batch.rowCount, 0)).toBe(2500);
  });

  test('zero rows', async () => {
    const table = new arrow.Table({ a: ids(0, 1) }).slice(0, 0);
    expect(await readAll(await openFile(save('zero.parquet', toParquet(table))))).toEqual({
      batches: [],
      error: null,
    });
  });

  test('from a pipe, through a private file that is removed', async () => {
    // Of its own: other programs make such files too.
    vi.stubEnv('TMPDIR', root);
    const spools = (): string[] => readdirSync(tmpdir()).filter((name) => /^featurectl-\w{6}$/.test(name));
    const before = spools();
    const source = await openBytes(toParquet(new arrow.Table({ a: ids(0, 5) })), {}, 7);
    expect(spools().length).toBe(before.length + 1);
    expect(rowsText((await readAll(source)).batches)).toHaveLength(5);
    expect(spools()).toEqual(before);
    vi.unstubAllEnvs();
  });

  test('cut anywhere: refused, never fewer rows', async () => {
    const bytes = toParquet(new arrow.Table({ a: ids(0, 50), b: column(utf8, Array(50).fill('text')) }));
    for (let length = 0; length < bytes.length; length += 7) {
      expect(
        await failureCode(openFile(save('cut.parquet', bytes.subarray(0, length)))),
        `${length}`,
      ).toMatch(/SOURCE_/);
    }
  });

  test('two columns of one name are refused when one is to be read', async () => {
    const schema = new arrow.Schema([
      arrow.Field.new('a', new arrow.Int64()),
      arrow.Field.new('a', new arrow.Int64()),
    ]);
    const data = arrow.makeData({
      type: new arrow.Struct(schema.fields),
      children: [ids(0, 3).data[0]!, ids(0, 3).data[0]!],
    });
    const table = new arrow.Table([new arrow.RecordBatch(schema, data)]);
    expect(await failureCode(openFile(save('dup.parquet', toParquet(table))))).toBe('COLUMN');
    expect(await failureCode(openFile(save('dup.arrow', arrow.tableToIPC(table))))).toBe('COLUMN');
  });

  test('an aborted signal ends it', async () => {
    const stop = new AbortController();
    const source = await openFile(save('abort.parquet', toParquet(new arrow.Table({ a: ids(0, 5) }))), {
      signal: stop.signal,
    });
    stop.abort(new Error('stopped'));
    await expect(readAll(source)).rejects.toThrow('stopped');
  });
});

describe('arrow', () => {
  const table = new arrow.Table([
    ...new arrow.Table({ a: ids(0, 40), b: column(utf8, Array(40).fill('té')) }).batches,
    ...new arrow.Table({ a: ids(40, 90), b: column(utf8, Array(50).fill(null)) }).batches,
  ]);
  const file = arrow.tableToIPC(table, 'file');
  const stream = arrow.tableToIPC(table, 'stream');

  test('file and stream, from disk and from a pipe at any chunk size', async () => {
    const expected = rowsText((await readAll(await openFile(save('t.arrow', file)))).batches);
    expect([expected.length, expected[0], expected[89]]).toEqual([90, '1: 0|t\xc3\xa9', '90: 89|∅']);
    for (const bytes of [file, stream]) {
      for (const size of [1, 100, 1 << 20]) {
        expect(rowsText((await readAll(await openBytes(bytes, {}, size))).batches)).toEqual(expected);
      }
    }
  });

  test('a cut stream or file is refused, never read as whole', async () => {
    for (let length = 1; length < stream.length - 8; length += 5) {
      const { batches, code } = await partial(stream.subarray(0, length));
      expect(code === null ? 'boundary' : code, `${length}`).toMatch(/SOURCE_|boundary/);
      if (code === null) expect([40, 90]).toContain(batches);
    }
    for (let length = 1; length < file.length; length += 5) {
      expect(
        await failureCode(openBytes(file.subarray(0, length), { format: 'arrow' })),
        `${length}`,
      ).toMatch(/SOURCE_/);
    }
  });

  test('a column whose name is not in the file is damage', async () => {
    const bytes = Buffer.from(
      arrow.tableToIPC(new arrow.Table({ first: ids(0, 3), other: ids(0, 3) }), 'file'),
    );
    // The last place of the name is in the footer. What points to it is the number of bytes up to its length.
    const name = bytes.lastIndexOf('other') - 4;
    const pointers = Array.from({ length: 400 }, (_, i) => name - i - 1).filter(
      (at) => at >= 0 && at + bytes.readUInt32LE(at) === name,
    );
    expect(pointers.length).toBeGreaterThan(0);
    for (const at of pointers) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt32LE(0x200000, at);
      // At once: features are made of the columns before any row is read.
      await expect(openBytes(damaged, { format: 'arrow' })).rejects.toMatchObject({ code: 'SOURCE_CORRUPT' });
    }
  });

  test('flipped bytes never crash', async () => {
    for (const bytes of [file, stream]) {
      for (let at = 8; at < bytes.length; at += 3) {
        const damaged = Uint8Array.from(bytes);
        damaged[at]! ^= 0x11;
        await failureCode(openBytes(damaged, { format: 'arrow' }).then(readRecords));
      }
    }
  });

  test.each(['LZ4_FRAME', 'ZSTD'] as const)('reads %s buffers', async (name) => {
    const type = arrow.CompressionType[name];
    const before = arrow.compressionRegistry.get(type);
    arrow.compressionRegistry.set(type, { encode: name === 'ZSTD' ? storeZstd : lz4.compress });
    const writer = new arrow.RecordBatchStreamWriter({ compressionType: type });
    for (const batch of table.batches) writer.write(batch);
    const bytes = writer.finish().toUint8Array(true);
    if (before !== null) arrow.compressionRegistry.set(type, before);
    const { batches, error } = await readAll(await openBytes(bytes));
    expect(error).toBeNull();
    expect(rowsText(batches)).toEqual(rowsText((await readAll(await openBytes(stream))).batches));
  });

  test('a file that is cut while it is read has changed', async () => {
    const path = join(root, 'cut.arrow');
    const batches = [0, 1, 2].flatMap((i) => new arrow.Table({ a: ids(i * 2000, i * 2000 + 2000) }).batches);
    await writeFile(path, arrow.tableToIPC(new arrow.Table(batches), 'file'));
    const source = await openFile(path, { batchRows: 100 });
    const rows = source.batches([0])[Symbol.asyncIterator]();
    await rows.next();
    await truncate(path, 20_000);
    const rest = async (): Promise<void> => {
      while (!(await rows.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    await source.close();
  });

  test('text that is not UTF-8 is a fault of its row', async () => {
    const bytes = arrow.tableToIPC(new arrow.Table({ b: column(utf8, ['good', 'évil', 'fine']) }), 'stream');
    const at = Buffer.from(bytes).indexOf('évil');
    bytes[at + 1] = 0x28;
    const { batches } = await readAll(await openBytes(bytes));
    expect(rowsText(batches)).toEqual(['1: good', '2: \xc3(vil !INVALID_UTF8 b', '3: fine']);
  });
});

/** A zstd frame of one stored block. https://datatracker.ietf.org/doc/html/rfc8878#section-3.1.1 */
function storeZstd(bytes: Uint8Array): Uint8Array {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(0xfd2fb528, 0);
  header.writeUInt8(0xa0, 4);
  header.writeUInt32LE(bytes.length, 5);
  header.writeUIntLE((bytes.length << 3) | 1, 9, 3);
  return Buffer.concat([header, bytes]);
}

async function partial(bytes: Uint8Array): Promise<{ batches: number; code: string | null }> {
  try {
    const { batches, error } = await readAll(await openBytes(bytes, { format: 'arrow' }));
    return { batches: batches.reduce((sum, batch) => sum + batch.rowCount, 0), code: error?.code ?? null };
  } catch (error) {
    return { batches: 0, code: (error as { code: string }).code };
  }
}

/** Reads every record too, so that a bad offset would show. */
async function readRecords(source: Awaited<ReturnType<typeof openBytes>>): Promise<typeof source> {
  return {
    ...source,
    batches: async function* (selected) {
      for await (const batch of source.batches(selected)) {
        for (let row = 0; row < batch.rowCount; row++) batch.record(row);
        yield batch;
      }
    },
  };
}
