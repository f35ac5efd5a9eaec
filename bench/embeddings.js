/**
 * node bench/embeddings.js [--rows 200000 --repeat 5]
 * Vectors of 128 float32, stored packed, from the formats that have lists; ratios of rows/s are to redis-cli --pipe of
 * the same rows as HSET + EXPIRE in the same round.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as arrow from 'apache-arrow';
import { createRandom, DATA_DIR } from './data.js';
import { measure, median } from './measure.js';
import { startServer } from './server.js';

const { values: flags } = parseArgs({
  options: { rows: { type: 'string', default: '200000' }, repeat: { type: 'string', default: '5' } },
});
const ROWS = Number(flags.rows);
const LENGTH = 128;
const SCHEMA = `name: embeddings
key: "item:{id}"
ttl: 24h
features:
  embedding: vector<float32>[${LENGTH}]
`;
const ENTRY = new URL('../bin/featurectl.js', import.meta.url).pathname;

mkdirSync(DATA_DIR, { recursive: true });
const schema = `${DATA_DIR}embeddings.yaml`;
writeFileSync(schema, SCHEMA);

const random = createRandom(7);
const numbers = Float32Array.from({ length: ROWS * LENGTH }, () => random() * 2 - 1);
const files = {
  resp: await fileOf('resp', respCommands),
  arrow: await fileOf('arrow', () => arrow.tableToIPC(tableOf(), 'file')),
  parquet: await fileOf('parquet', parquetFile),
};

const server = await startServer();
try {
  const runs = new Map();
  for (let round = 0; round < Number(flags.repeat); round += 1) {
    for (const [name, command, stdin] of casesOf(server.port)) {
      await server.client.flushall('SYNC');
      runs.set(name, [...(runs.get(name) ?? []), await measure(command, { stdin })]);
      const stored = await server.client.dbsize();
      if (stored !== ROWS) throw new Error(`${name}: expected ${ROWS} keys, found ${stored}`);
    }
  }
  print(runs);
} finally {
  server.stop();
}

function casesOf(port) {
  const ingest = (file) => [
    process.execPath,
    ...[ENTRY, 'ingest', file, '--schema', schema, '--redis', `redis://127.0.0.1:${port}`, '--quiet'],
  ];
  return [
    ['redis-cli --pipe, HSET+EXPIRE', ['redis-cli', '-p', String(port), '--pipe'], files.resp],
    ['merge from Arrow', ingest(files.arrow)],
    ['merge from Parquet', ingest(files.parquet)],
  ];
}

function print(runs) {
  const [base] = runs.values();
  console.log(`${ROWS} vectors of ${LENGTH} float32, ${flags.repeat} rounds\n`);
  console.log('| what | rows/s | ratio | CPU µs a row | peak RSS MB |\n|---|---|---|---|---|');
  for (const [name, all] of runs) {
    const rate = Math.round(ROWS / median(all.map((run) => run.seconds))).toLocaleString('en-US');
    const ratio = median(all.map((run, round) => base[round].seconds / run.seconds)).toFixed(2);
    const cpu = all[0].cpu === null ? '' : ((median(all.map((run) => run.cpu)) / ROWS) * 1e6).toFixed(2);
    const rss = all[0].rss === null ? '' : Math.round(Math.max(...all.map((run) => run.rss)));
    console.log(`| ${name} | ${rate} | ${ratio} | ${cpu} | ${rss} |`);
  }
}

async function fileOf(kind, make) {
  const path = `${DATA_DIR}embeddings-${ROWS}.${kind}`;
  if (existsSync(path)) return path;
  writeFileSync(`${path}.tmp`, await make());
  renameSync(`${path}.tmp`, path);
  return path;
}

function idOf(row) {
  return `i${String(row).padStart(8, '0')}`;
}

/** Record batches of 20,000 rows. */
function tableOf() {
  const list = new arrow.List(new arrow.Field('item', new arrow.Float32(), true));
  const batches = [];
  for (let first = 0; first < ROWS; first += 20_000) {
    const length = Math.min(20_000, ROWS - first);
    const floats = arrow.makeData({
      type: new arrow.Float32(),
      length: length * LENGTH,
      data: numbers.subarray(first * LENGTH, (first + length) * LENGTH),
    });
    const valueOffsets = Int32Array.from({ length: length + 1 }, (_, row) => row * LENGTH);
    const ids = arrow.vectorFromArray(
      Array.from({ length }, (_, row) => idOf(first + row)),
      new arrow.Utf8(),
    );
    batches.push(
      new arrow.Table({
        id: ids,
        embedding: arrow.makeVector(arrow.makeData({ type: list, length, valueOffsets, child: floats })),
      }),
    );
  }
  return batches[0].concat(...batches.slice(1));
}

async function parquetFile() {
  const wasm = await import('parquet-wasm/node');
  const properties = new wasm.WriterPropertiesBuilder().setCompression(wasm.Compression.SNAPPY).build();
  return wasm.writeParquet(wasm.Table.fromIPCStream(arrow.tableToIPC(tableOf(), 'stream')), properties);
}

/** Packed as they stand: memory is little-endian wherever this runs. */
function respCommands() {
  const bulk = (bytes) => [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
  const packed = Buffer.from(numbers.buffer);
  const parts = [];
  for (let row = 0; row < ROWS; row += 1) {
    const key = Buffer.from(`item:${idOf(row)}`);
    const vector = packed.subarray(row * LENGTH * 4, (row + 1) * LENGTH * 4);
    const words = [Buffer.from('HSET'), key, Buffer.from('embedding'), vector];
    const expire = [Buffer.from('EXPIRE'), key, Buffer.from('86400')];
    parts.push(Buffer.from('*4\r\n'), ...words.flatMap(bulk));
    parts.push(Buffer.from('*3\r\n'), ...expire.flatMap(bulk));
  }
  return Buffer.concat(parts);
}
