/** Rows without end from a few bytes: a signal has its turn all the same. */
import * as arrow from 'apache-arrow';
import { expect, test } from 'vitest';
import { fileOf, pageOf, withLength } from './parquet-by-hand.ts';
import { openBytes } from './support.ts';

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

const parquet = fileOf({ rows: ROWS, isOptional: true, pages: [page] });
const stream = Buffer.from(arrow.tableToIPC(table, 'stream'));

test.each([
  ['parquet', parquet, [0]],
  ['parquet without a column', parquet, []],
  ['arrow', stream, [0]],
  ['arrow without a column', stream, []],
])('%s', async (_name, file, selected) => {
  const abort = new AbortController();
  const source = await openBytes(file, { signal: abort.signal });
  let batches = 0;
  const read = async (): Promise<void> => {
    for await (const { rowCount } of source.batches(selected)) {
      expect(rowCount).toBeGreaterThan(0);
      if (batches === 0) setTimeout(() => abort.abort(new Error('interrupted')), 0);
      if (++batches === MAX_BATCHES) return;
    }
  };
  await expect(read()).rejects.toThrow('interrupted');
  await source.close();
});
