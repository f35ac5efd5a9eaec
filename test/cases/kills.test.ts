/**
 * kill -9 at random moments, each resumed: Redis, counts and rejects end as after one clean run. A few kills here;
 * `KILLS=100 npx vitest run test/cases/kills` for more.
 */
import { createRequire } from 'node:module';
import * as arrow from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { type Killed, loadKilled } from '../support/killing.ts';

type ParquetWasm = typeof import('parquet-wasm');
const parquet = createRequire(import.meta.url)('parquet-wasm') as ParquetWasm;

const KILLS = Number(process.env.KILLS ?? 12);
const ROWS = 16_000;
/** Keys come again near and far, so that the last row has to win. */
const KEYS = 13_000;

const SCHEMA = `
name: kills
key: "k:{id}"
ttl: 1h
event_time: at
features:
  x: { type: string, from: x }
  n: int32
  at: { type: timestamp, unit: s }
  loaded: { type: timestamp, value: ingest_time }
`;

/** Every 97th row is bad; the lines are not the rows, since some texts have line ends. */
function rows() {
  return Array.from({ length: ROWS }, (_, i) => ({
    id: i % KEYS,
    x: i % 10 === 0 ? `a\n${i}` : `text ${i}`,
    n: i % 97 === 5 ? 'no number' : String(i),
    at: 1_700_000_000 + i,
  }));
}

let desk: Desk;
let files: { readonly csv: string; readonly parquet: string; readonly schema: string };
beforeAll(async () => {
  desk = await openDesk();
  const all = rows();
  const lines = all.map(({ id, x, n, at }) => `${id},${x.includes('\n') ? `"${x}"` : x},${n},${at}\n`);
  const table = new arrow.Table({
    id: arrow.vectorFromArray(
      all.map(({ id }) => id),
      new arrow.Int32(),
    ),
    x: arrow.vectorFromArray(
      all.map(({ x }) => x),
      new arrow.Utf8(),
    ),
    n: arrow.vectorFromArray(
      all.map(({ n }) => n),
      new arrow.Utf8(),
    ),
    at: arrow.vectorFromArray(
      all.map(({ at }) => BigInt(at)),
      new arrow.Int64(),
    ),
  });
  const wasm = parquet.Table.fromIPCStream(arrow.tableToIPC(table, 'stream'));
  const properties = new parquet.WriterPropertiesBuilder().setMaxRowGroupSize(5000).build();
  files = {
    csv: await desk.file('in.csv', `id,x,n,at\n${lines.join('')}`),
    parquet: await desk.file('in.parquet', Buffer.from(parquet.writeParquet(wasm, properties))),
    schema: await desk.file('schema.yaml', SCHEMA),
  };
});
afterAll(() => desk.close());

/** A few keys are of another type: their rows fail in Redis. */
const ODD_KEYS = Array.from({ length: 9 }, (_, i) => `k:${500 + i * 1400}`);

async function prepare(): Promise<void> {
  await desk.client.flushall();
  await desk.client.mset(ODD_KEYS.flatMap((key) => [key, 'another type']));
}

async function tidy(): Promise<void> {
  for (const key of ODD_KEYS) if ((await desk.client.type(key)) === 'string') await desk.client.del(key);
}

/** What must be equal; the time of ingestion is one for all keys, that of the first run. */
function comparable({ code, counts, failures, rejects, stored }: Killed) {
  const times = new Set(Object.values(stored).map((fields) => fields.loaded));
  times.delete(undefined);
  const values = Object.fromEntries(
    Object.entries(stored).map(([key, { loaded, ...fields }]) => [key, fields]),
  );
  return { code, counts, failures, rejects, times: times.size, values };
}

const CASES = [
  { format: 'csv', connections: 1, mode: 'merge' },
  { format: 'csv', connections: 3, mode: 'replace' },
  { format: 'parquet', connections: 3, mode: 'merge' },
  { format: 'parquet', connections: 1, mode: 'newer' },
] as const;

describe.each(CASES)('$format, $connections connection(s), mode $mode', ({ format, connections, mode }) => {
  const kills = Math.ceil(KILLS / CASES.length);

  it(`${kills} kills`, { timeout: 60_000 + kills * 10_000 }, async () => {
    const argv = ['ingest', files[format], '--schema', files.schema, '--max-errors', 'all', '--quiet'];
    argv.push('--mode', mode, '--connections', String(connections), '--chunk-rows', '50');
    const clean = await loadKilled(desk, { argv, prepare, tidy, killAfter: () => null });
    expect(clean.code).toBe(1);
    expect(clean.counts).toMatchObject({ read: ROWS });
    for (let left = kills; left > 0; ) {
      const killAfter = (): number | null => {
        left -= 1;
        return left < 0 ? null : 150 + Math.random() * 2200;
      };
      const killed = await loadKilled(desk, { argv: [...argv, '--rate', '8k/s'], prepare, tidy, killAfter });
      expect(comparable(killed)).toEqual(comparable(clean));
      expect(killed.ttls.min).toBeGreaterThan(3_600_000 - 60_000 - kills * 10_000);
      expect(killed.ttls.max).toBeLessThanOrEqual(3_600_000);
    }
  });
});
