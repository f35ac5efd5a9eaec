/** Rows without end from a few bytes: timers and signals have their turn all the same. */
import * as arrow from 'apache-arrow';
import { expect, test } from 'vitest';
import { fileOf, pageOf, withLength } from './parquet-by-hand.ts';
import { named, openBytes } from './support.ts';

const ROWS = 2 ** 31 - 1;
const [DATA, NULLS] = [0, 0];

/** A run of as many nulls: twice the rows as a varint, then the level. */
const levels = Buffer.of(0xfe, 0xff, 0xff, 0xff, 0x0f, NULLS);
const page = pageOf({ type: DATA, values: ROWS, body: withLength(levels, Buffer.alloc(0)) });

const nulls = arrow.makeData({ type: new arrow.Null(), length: ROWS });
const schema = new arrow.Schema([new arrow.Field('a', nulls.type, true)]);
const struct = arrow.makeData({
  type: new arrow.Struct(schema.fields),
  length: ROWS,
  nullCount: 0,
  children: [nulls],
});
const table = new arrow.Table([new arrow.RecordBatch(schema, struct)]);

/** Enough for a second or so. */
const MAX_BATCHES = 50_000;

test.each([
  ['parquet', fileOf({ rows: ROWS, isOptional: true, pages: [page] })],
  ['arrow', Buffer.from(arrow.tableToIPC(table, 'stream'))],
])('%s', async (_format, file) => {
  const source = await openBytes(file);
  let isTurned = false;
  let batches = 0;
  for await (const { rowCount } of source.batches(named(source))) {
    expect(rowCount).toBeGreaterThan(0);
    if (batches === 0) {
      setTimeout(() => {
        isTurned = true;
      }, 0);
    }
    if (isTurned || ++batches === MAX_BATCHES) break;
  }
  expect(isTurned).toBe(true);
  await source.close();
});
