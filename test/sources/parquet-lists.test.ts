import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as arrow from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { readFooter } from '../../src/sources/parquet/footer.ts';
import { createListColumnReader } from '../../src/sources/parquet/list-column-reader.ts';
import { column, toParquet } from '../support/make-parquet.ts';
import { type ChunkParts, fileOf, longs, pageOf, withLength } from './parquet-by-hand.ts';
import { failureCode, openBytes, readAll, rowsText } from './support.ts';

const [DATA, DICTIONARY, DATA_V2] = [0, 2, 3];
const [BIT_PACKED, RLE_DICTIONARY] = [4, 8];
const [FLOAT, BYTE_ARRAY] = [4, 6];

/** Levels of a row without a list, of an empty list, of a null in one and of a value. */
const [NONE, EMPTY, NULL, VALUE] = [0, 1, 2, 3];

/** Each entry of a page: whether it goes on with the row before, and how much of it there is. */
type Entry = readonly [repetition: 0 | 1, definition: number];

const ENTRIES: readonly Entry[] = [
  [0, VALUE],
  [1, VALUE],
  [0, NONE],
  [0, EMPTY],
  [0, NULL],
  [1, VALUE],
  [0, VALUE],
];
const VALUES = longs(1n, 2n, 3n, 4n);
const ROWS = ['1: [1,2]', '2: ∅', '3: []', '4: [null,3]', '5: [4]'];

/** One packed run of values of `width` bits; `first`: the bits of a byte that come first. */
function packed(values: readonly number[], width: number, first: 'low' | 'high' = 'low'): Buffer {
  const groups = Math.ceil(values.length / 8);
  const bytes = Buffer.alloc(groups * width);
  for (const [i, value] of values.entries()) {
    const bit = (i * width) & 7;
    bytes[(i * width) >> 3]! |= value << (first === 'low' ? bit : 8 - width - bit);
  }
  return first === 'low' ? Buffer.concat([Buffer.of(groups * 2 + 1), bytes]) : bytes;
}

const repetitions = (entries: readonly Entry[]): Buffer =>
  packed(
    entries.map(([repetition]) => repetition),
    1,
  );
const definitions = (entries: readonly Entry[]): Buffer =>
  packed(
    entries.map(([, definition]) => definition),
    2,
  );

function pageV1(entries: readonly Entry[], values: Buffer, encoding = 0): Buffer {
  const levels = withLength(repetitions(entries), withLength(definitions(entries), values));
  return pageOf({ type: DATA, values: entries.length, encoding, body: levels });
}

function pageV2(entries: readonly Entry[], values: Buffer): Buffer {
  const [first, second] = [repetitions(entries), definitions(entries)];
  return pageOf({
    type: DATA_V2,
    values: entries.length,
    repetitionBytes: first.length,
    levelBytes: second.length,
    body: Buffer.concat([first, second, values]),
  });
}

const lists = (rows: number, pages: readonly Buffer[], rest: Partial<ChunkParts> = {}): Buffer =>
  fileOf({ rows, pages, isList: true, isOptional: true, ...rest });

async function rowsOf(file: Buffer, batchRows = 100): Promise<readonly string[]> {
  const { batches, error } = await readAll(await openBytes(file, { batchRows }));
  expect(error).toBeNull();
  return rowsText(batches);
}

function columnsOf(file: Buffer) {
  const length = file.readUInt32LE(file.length - 8);
  return readFooter(file.subarray(file.length - 8 - length, file.length - 8)).columns;
}

describe('lists from the pages of a Parquet file', () => {
  test.each([
    ['version 1', pageV1(ENTRIES, VALUES)],
    ['version 2', pageV2(ENTRIES, VALUES)],
  ])('%s', async (_, page) => {
    expect(await rowsOf(lists(5, [page], { entries: 7 }))).toEqual(ROWS);
  });

  test('rows that begin in one page and go on in the next ones, in batches of any size', async () => {
    const pages = ENTRIES.map((entry, i) => {
      const before = ENTRIES.slice(0, i).filter(([, definition]) => definition === VALUE).length;
      return pageV1([entry], VALUES.subarray(before * 8, (before + (entry[1] === VALUE ? 1 : 0)) * 8));
    });
    for (const batchRows of [1, 2, 3, 100]) {
      expect(await rowsOf(lists(5, pages, { entries: 7 }), batchRows)).toEqual(ROWS);
    }
  });

  test('more entries than are looked at at once', async () => {
    const many = Array.from({ length: 3 * 8192 + 5 }, (_, i) => i);
    const entries = many.map((i): Entry => [i % 10_000 === 0 ? 0 : 1, VALUE]);
    const levels = withLength(
      Buffer.concat([...many.map((i) => Buffer.of(2, i % 10_000 === 0 ? 0 : 1))]),
      withLength(Buffer.of(0x8a, 0x80, 0x03, VALUE), longs(...many.map(BigInt))),
    );
    const page = pageOf({ type: DATA, values: entries.length, body: levels });
    expect(await rowsOf(lists(3, [page], { entries: entries.length }))).toEqual(
      [0, 10_000, 20_000].map((first, row) => `${row + 1}: [${many.slice(first, first + 10_000).join(',')}]`),
    );
  });

  test('a dictionary', async () => {
    const dictionary = pageOf({ type: DICTIONARY, values: 2, body: longs(7n, 8n) });
    const page = pageV1(ENTRIES, Buffer.concat([Buffer.of(1), packed([1, 0, 1, 1], 1)]), RLE_DICTIONARY);
    const file = lists(5, [dictionary, page], { entries: 7, encodings: [0, 3, 8] });
    expect(await rowsOf(file)).toEqual(['1: [8,7]', '2: ∅', '3: []', '4: [null,8]', '5: [8]']);
  });

  test('levels of the encoding BIT_PACKED, which is out of use', async () => {
    const body = Buffer.concat([
      packed(
        ENTRIES.map(([repetition]) => repetition),
        1,
        'high',
      ),
      packed(
        ENTRIES.map(([, definition]) => definition),
        2,
        'high',
      ),
      VALUES,
    ]);
    const page = pageOf({ type: DATA, values: 7, levelEncoding: BIT_PACKED, body });
    expect(await rowsOf(lists(5, [page], { entries: 7, encodings: [0, BIT_PACKED] }))).toEqual(ROWS);
    const flat = pageOf({
      type: DATA,
      values: 3,
      levelEncoding: BIT_PACKED,
      body: Buffer.concat([Buffer.of(0b10100000), longs(5n, 6n)]),
    });
    const optional = fileOf({ rows: 3, isOptional: true, encodings: [0, BIT_PACKED], pages: [flat] });
    expect(await rowsOf(optional)).toEqual(['1: 5', '2: ∅', '3: 6']);
  });

  test('text that is no UTF-8, which is a fault of its row', async () => {
    const texts = ['good', 'caf\xe9', 'fine', 'end'].map((value) =>
      Buffer.concat([Buffer.of(value.length, 0, 0, 0), Buffer.from(value, 'latin1')]),
    );
    const file = lists(5, [pageV1(ENTRIES, Buffer.concat(texts))], {
      entries: 7,
      physical: BYTE_ARRAY,
      converted: 0,
    });
    const { batches } = await readAll(await openBytes(file));
    expect(batches.flatMap(({ faults }) => [...(faults ?? [])])).toEqual([
      [0, expect.objectContaining({ code: 'INVALID_UTF8', column: 'a' })],
    ]);
  });

  test('of several row groups, in each of which other rows may be without a list', async () => {
    const group = { rows: 5, entries: 7, isList: true, isOptional: true };
    const file = fileOf(
      { ...group, pages: [pageV1(ENTRIES, VALUES)] },
      { ...group, pages: [pageV2(ENTRIES, VALUES)] },
    );
    const twice = [...ROWS, ...ROWS].map((line, i) => line.replace(/^\d+/, String(i + 1)));
    expect(await rowsOf(file)).toEqual(twice);
  });
});

describe('columns of lists that are read from their pages', () => {
  const floats = new arrow.Field('item', new arrow.Float32(), true);
  const texts = new arrow.Field('item', new arrow.Utf8(), true);

  test.each<[string, arrow.DataType, readonly unknown[], unknown]>([
    [
      'floats',
      new arrow.List(floats),
      [[1, 2], null],
      { kind: 'list', item: { kind: 'float', bits: 32 }, size: null },
    ],
    [
      'as many floats each',
      new arrow.FixedSizeList(2, floats),
      [[1, 2], null],
      { kind: 'list', item: { kind: 'float', bits: 32 }, size: 2 },
    ],
    ['texts', new arrow.List(texts), [['a'], []], { kind: 'list', item: { kind: 'utf8' }, size: null }],
  ])('%s', (_, type, values, expected) => {
    const [found] = columnsOf(toParquet({ a: column(type, values) }))!;
    expect(found!.type).toEqual(expected);
  });

  test.each<[string, arrow.DataType, readonly unknown[]]>([
    [
      'lists of lists',
      new arrow.List(new arrow.Field('item', new arrow.List(floats), true)),
      [[[1], [2, 3]], null],
    ],
    ['structs', new arrow.Struct([floats]), [{ item: 1 }, null]],
    [
      'lists of structs',
      new arrow.List(new arrow.Field('item', new arrow.Struct([floats]), true)),
      [[{ item: 1 }], []],
    ],
  ])('not %s', (_, type, values) => {
    expect(columnsOf(toParquet({ a: column(type, values) }))).toBeNull();
  });
});

const damaged: readonly (readonly [what: string, file: Buffer])[] = [
  ['fewer rows than the footer says', lists(6, [pageV1(ENTRIES, VALUES)], { entries: 7 })],
  ['more rows than the footer says', lists(4, [pageV1(ENTRIES, VALUES)], { entries: 7 })],
  [
    'more rows than the footer says, in another page',
    lists(5, [pageV1(ENTRIES, VALUES), pageV1([[0, NONE]], Buffer.alloc(0))], { entries: 8 }),
  ],
  ['fewer values than its levels', lists(5, [pageV1(ENTRIES, longs(1n, 2n, 3n))], { entries: 7 })],
  ['more values than its levels', lists(5, [pageV1(ENTRIES, longs(1n, 2n, 3n, 4n, 5n))], { entries: 7 })],
  [
    'a row that goes on from before the first',
    lists(5, [pageV1([[1, VALUE], ...ENTRIES], longs(9n, 1n, 2n, 3n, 4n))], { entries: 8 }),
  ],
  [
    'a value behind an empty list',
    lists(
      1,
      [
        pageV1(
          [
            [0, EMPTY],
            [1, VALUE],
          ],
          longs(1n),
        ),
      ],
      { entries: 2 },
    ),
  ],
  [
    'a row without a list behind a value',
    lists(
      1,
      [
        pageV1(
          [
            [0, VALUE],
            [1, NONE],
          ],
          longs(1n),
        ),
      ],
      { entries: 2 },
    ),
  ],
  [
    'levels that end too early',
    lists(
      9,
      [
        pageOf({
          type: DATA,
          values: 9,
          body: withLength(repetitions(ENTRIES.slice(0, 1)), withLength(Buffer.of(2, 3), VALUES)),
        }),
      ],
      { entries: 9 },
    ),
  ],
  [
    'levels of one more bit',
    lists(
      2,
      [
        pageOf({
          type: DATA,
          values: 2,
          body: withLength(
            repetitions([
              [0, 3],
              [0, 3],
            ]),
            withLength(Buffer.of(4, 7), longs(1n, 2n)),
          ),
        }),
      ],
      { entries: 2 },
    ),
  ],
  ['fewer entries than rows', lists(7, [pageV1(ENTRIES, VALUES)], { entries: 6 })],
  [
    'levels of values that are beyond a page',
    lists(1, [pageOf({ type: DATA, values: 1, body: Buffer.of(255, 255, 255, 127) })]),
  ],
  [
    'a row of 2^31 - 1 values in some bytes',
    lists(
      1,
      [
        pageOf({ type: DICTIONARY, values: 1, body: longs(7n) }),
        pageOf({
          type: DATA,
          values: 2 ** 31 - 1,
          encoding: RLE_DICTIONARY,
          body: withLength(
            Buffer.of(2, 0, 0xfc, 0xff, 0xff, 0xff, 0x0f, 1),
            withLength(Buffer.of(0xfe, 0xff, 0xff, 0xff, 0x0f, 3), Buffer.of(0)),
          ),
        }),
      ],
      { entries: 2 ** 31 - 1, encodings: [0, 3, 8] },
    ),
  ],
];

describe('lists that are damaged', () => {
  test.each(damaged)('%s: refused', async (_, file) => {
    expect(await failureCode(openBytes(file))).toBe('SOURCE_CORRUPT');
  });

  test('of another number of values than all lists of their column have', async () => {
    const root = await mkdtemp(join(tmpdir(), 'featurectl-lists-'));
    const file = await open(join(root, 'pages'), 'w+');
    try {
      const body = Buffer.from(Float32Array.of(1, 2, 3).buffer);
      const page = pageV1(
        [
          [0, VALUE],
          [1, VALUE],
          [0, NONE],
          [0, VALUE],
        ],
        body,
      );
      await file.write(page);
      const leaf = {
        type: { kind: 'float', bits: 32 },
        physical: FLOAT,
        width: 4,
        isOptional: true,
      } as const;
      const list = { isOptional: true, size: 2 };
      const type = { kind: 'list', item: leaf.type, size: 2 } as const;
      const reader = createListColumnReader(file, { name: 'a', type, leaf, list }, list, { bytes: 0 });
      const chunk = { name: 'a', start: 0, compressedBytes: page.length, uncompressedBytes: page.length };
      const rest = { values: 4, codec: 0, encodings: [0], physical: FLOAT, isElsewhere: false };
      reader.open({ ...chunk, ...rest }, 100);
      const { read } = await reader.read(2);
      expect([read(0), read(1)]).toEqual([[1, 2], null]);
      await expect(reader.read(1)).rejects.toThrow('a list of 1 values in a column of 2');
    } finally {
      await file.close();
      await rm(root, { recursive: true });
    }
  });
});
