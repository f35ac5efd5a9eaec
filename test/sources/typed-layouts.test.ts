import * as arrow from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import type { LogicalType, Value } from '../../src/core/types.ts';
import { parquetOf } from './parquet-by-hand.ts';
import { failureCode, openBytes, readAll, rowsText } from './support.ts';

const LONG = 'longer than twelve bytes: é';

function largeList(): arrow.Data {
  return arrow.makeData({
    type: new arrow.LargeList(arrow.Field.new('item', new arrow.Int32(), true)),
    length: 4,
    nullCount: 1,
    nullBitmap: Uint8Array.of(0b1101),
    valueOffsets: BigInt64Array.of(0n, 3n, 3n, 3n, 4n),
    child: arrow.vectorFromArray([1, null, 3, 4], new arrow.Int32()).data[0]!,
  });
}

interface View {
  readonly length: number;
  readonly inline?: string;
  readonly buffer?: number;
  readonly offset?: number;
}

/** The 16 bytes of each view. https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout */
function viewBytes(views: readonly View[]): Uint8Array {
  const bytes = Buffer.alloc(views.length * 16);
  for (const [index, { length, inline, buffer, offset }] of views.entries()) {
    bytes.writeInt32LE(length, index * 16);
    if (inline !== undefined) bytes.write(inline, index * 16 + 4, 'latin1');
    if (buffer !== undefined) bytes.writeInt32LE(buffer, index * 16 + 8);
    if (offset !== undefined) bytes.writeInt32LE(offset, index * 16 + 12);
  }
  return new Uint8Array(bytes);
}

function viewData(type: arrow.Utf8View | arrow.BinaryView, views: readonly View[]): arrow.Data {
  return arrow.makeData({
    type: type as arrow.Utf8View,
    length: views.length,
    nullCount: 1,
    nullBitmap: Uint8Array.of(0b11111101),
    views: viewBytes(views),
    variadicBuffers: ['first', `--${LONG}`].map((text) => new Uint8Array(Buffer.from(text))),
  });
}

const LONG_VIEW: View = { length: Buffer.byteLength(LONG), inline: 'long', buffer: 1, offset: 2 };
const VIEWS: readonly View[] = [{ length: 5, inline: 'short' }, { length: 0 }, LONG_VIEW, { length: 0 }];
const VIEW_VALUES = ['short', null, Buffer.from(LONG).toString('latin1'), ''];

const int32: LogicalType = { kind: 'int', bits: 32, signed: true };

function listOf(child: arrow.Data): arrow.Data {
  const type = new arrow.List(arrow.Field.new('item', child.type as arrow.DataType, true));
  return arrow.makeData({ type, length: 2, nullCount: 0, valueOffsets: Int32Array.of(0, 1, 4), child });
}

const LAYOUTS: readonly [
  what: string,
  data: () => arrow.Data,
  type: LogicalType,
  values: readonly Value[],
][] = [
  ['a large list', largeList, { kind: 'list', item: int32, size: null }, [[1, null, 3], null, [], [4]]],
  [
    'large text',
    () => arrow.vectorFromArray(['é', null, ''], new arrow.LargeUtf8()).data[0]!,
    { kind: 'utf8' },
    ['\xc3\xa9', null, ''],
  ],
  [
    'large binary',
    () => arrow.vectorFromArray([Uint8Array.of(255, 0), null], new arrow.LargeBinary()).data[0]!,
    { kind: 'binary', size: null },
    ['\xff\0', null],
  ],
  ['text views', () => viewData(new arrow.Utf8View(), VIEWS), { kind: 'utf8' }, VIEW_VALUES],
  [
    'binary views',
    () => viewData(new arrow.BinaryView(), VIEWS),
    { kind: 'binary', size: null },
    VIEW_VALUES,
  ],
  [
    'nulls, as pandas and pyarrow write a column without a value',
    () => arrow.makeData({ type: new arrow.Null(), length: 3 }),
    { kind: 'null' },
    [null, null, null],
  ],
  [
    'a list of nulls',
    () => listOf(arrow.makeData({ type: new arrow.Null(), length: 4 })),
    { kind: 'list', item: { kind: 'null' }, size: null },
    [[null], [null, null, null]],
  ],
  [
    'a list of text views',
    () => listOf(viewData(new arrow.Utf8View(), VIEWS)),
    { kind: 'list', item: { kind: 'utf8' }, size: null },
    [['short'], VIEW_VALUES.slice(1)],
  ],
];

const FLOATS: readonly (number | null)[] = [1.5, -0, 0.25, Number.NaN, 5, 6];

/** Lists of two, the second of them null. */
function floatLists(type: arrow.DataType, valueOffsets: Int32Array | BigInt64Array | null): arrow.Data {
  const item = arrow.vectorFromArray(FLOATS, new arrow.Float32()).data[0]!;
  const nulls = { nullCount: 1, nullBitmap: Uint8Array.of(0b101) };
  const offsets = valueOffsets === null ? {} : { valueOffsets };
  return arrow.makeData({ type: type as never, length: 3, ...nulls, ...offsets, child: item } as never);
}

const FLOAT_ITEM = arrow.Field.new('item', new arrow.Float32(), true);

const tableOf = (data: arrow.Data): arrow.Table => new arrow.Table({ x: new arrow.Vector([data]) });

async function valuesOf(bytes: Uint8Array, batchRows: number): Promise<{ type: unknown; values: Value[] }> {
  const source = await openBytes(bytes, { format: 'arrow', batchRows });
  const { batches, error } = await readAll(source);
  expect(error).toBeNull();
  const values = batches.flatMap(({ columns: [only], rowCount }) =>
    Array.from({ length: rowCount }, (_, row) => (only?.kind === 'typed' ? only.at(row) : null)),
  );
  return { type: source.columns[0]?.type, values };
}

describe('arrow layouts', () => {
  test.each(LAYOUTS)('%s', async (_, data, type, values) => {
    for (const kind of ['file', 'stream'] as const) {
      for (const batchRows of [1024, 2, 1]) {
        const bytes = arrow.tableToIPC(tableOf(data()), kind);
        expect(await valuesOf(bytes, batchRows), kind).toEqual({ type, values });
      }
    }
  });

  test.each<[string, arrow.DataType, Int32Array | BigInt64Array | null]>([
    ['of any length', new arrow.List(FLOAT_ITEM), Int32Array.of(0, 2, 4, 6)],
    ['of any length, with 64 bits', new arrow.LargeList(FLOAT_ITEM), BigInt64Array.of(0n, 2n, 4n, 6n)],
    ['of one length', new arrow.FixedSizeList(2, FLOAT_ITEM), null],
  ])('lists of floats %s are found in memory, from any row on', async (_, type, offsets) => {
    const wanted = [[1.5, -0], null, [5, 6]];
    const data = floatLists(type, offsets);
    for (const from of [0, 1, 2]) {
      const table = new arrow.Table({ x: new arrow.Vector([data.slice(from, 3 - from)]) });
      for (const kind of ['file', 'stream'] as const) {
        const source = await openBytes(arrow.tableToIPC(table, kind), { format: 'arrow', batchRows: 2 });
        // readAll compares what stands in memory with what is read one by one.
        const { batches } = await readAll(source);
        const columns = batches.map(({ columns: [only] }) => only);
        expect(columns.map((one) => one?.kind === 'typed' && one.slots?.values.kind)).toContain('lists');
        const values = batches.flatMap(({ columns: [one], rowCount }) =>
          Array.from({ length: rowCount }, (_, row) => (one?.kind === 'typed' ? one.at(row) : null)),
        );
        expect(values, `${kind} from ${from}`).toEqual(wanted.slice(from));
      }
    }
  });

  test.each<[string, View]>([
    ['a buffer that is not there', { ...LONG_VIEW, buffer: 2 }],
    ['a negative buffer', { ...LONG_VIEW, buffer: -1 }],
    ['bytes behind the buffer', { ...LONG_VIEW, offset: 100 }],
    ['a negative offset', { ...LONG_VIEW, offset: -1 }],
    ['a negative length', { length: -1 }],
    ['other bytes than it begins with', { ...LONG_VIEW, inline: 'lonG' }],
  ])('a view of %s is refused', async (_, view) => {
    const data = viewData(new arrow.Utf8View(), [view, { length: 0 }]);
    for (const one of [data, listOf(viewData(new arrow.Utf8View(), [VIEWS[0]!, { length: 0 }, view, view]))])
      expect(await failureCode(openBytes(arrow.tableToIPC(tableOf(one), 'stream')))).toBe('SOURCE_CORRUPT');
  });

  test('a view that is null may point anywhere', async () => {
    const data = viewData(new arrow.Utf8View(), [VIEWS[0]!, { length: 99, buffer: 7, offset: 7 }]);
    const { values } = await valuesOf(arrow.tableToIPC(tableOf(data), 'stream'), 10);
    expect(values).toEqual(['short', null]);
  });

  test('views that are not UTF-8: a fault of the row, or damage where they are nested', async () => {
    const bad: View = { length: 4, inline: 'caf\xe9' };
    const data = viewData(new arrow.Utf8View(), [bad, { length: 0 }, LONG_VIEW, bad]);
    const { batches } = await readAll(await openBytes(arrow.tableToIPC(tableOf(data), 'stream')));
    expect(rowsText(batches).map((row) => row.split(' !')[1])).toEqual([
      'INVALID_UTF8 x',
      undefined,
      undefined,
      'INVALID_UTF8 x',
    ]);
    const nested = openBytes(arrow.tableToIPC(tableOf(listOf(data)), 'stream'));
    expect(await failureCode(nested)).toBe('SOURCE_CORRUPT');
  });
});

describe('parquet', () => {
  test.each([true, false])('row groups without rows among others, with a page: %s', async (pages) => {
    for (const [groups, rows] of [
      [[[1n, 2n], [], [3n]], 3],
      [[[], [1n], []], 1],
      [[[], []], 0],
    ] as const) {
      for (const batchRows of [1024, 1]) {
        const source = await openBytes(parquetOf(groups, pages), { batchRows });
        const { batches, error } = await readAll(source);
        expect(error).toBeNull();
        expect(rowsText(batches)).toEqual(Array.from({ length: rows }, (_, row) => `${row + 1}: ${row + 1}`));
      }
    }
  });
});
