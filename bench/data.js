/**
 * Data for the bench, the same for every run: user_id and seven features. Files are made once and kept in
 * .bench/ (not in git).
 */
import { createWriteStream, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import {
  Field,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';

export const DATA_DIR = new URL('../.bench/', import.meta.url).pathname;

/** Rows a Parquet row group and an Arrow record batch. */
const GROUP_ROWS = 120_000;

const CATEGORIES = ['electronics', 'books', 'home & garden', 'toys', 'sports', 'grocery', 'beauty', ''];

export const SCHEMA = `name: bench
key: "features:user:{user_id}"
ttl: 24h
event_time: last_seen
features:
  avg_session_duration: float64
  total_purchases: int64
  days_since_last_login: int32
  lifetime_value: float64
  churn_score: float64
  preferred_category: string
  last_seen: timestamp
`;

/** xorshift32: the same sequence on every machine. */
export function createRandom(seed) {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Rows in order; each is [id, session, purchases, days, value, churn, category, last seen in ms]. */
export function* rows(count, seed = 42) {
  const random = createRandom(seed);
  for (let i = 0; i < count; i += 1) {
    yield [
      `u${String(i).padStart(8, '0')}`,
      Math.round(random() * 360_000) / 100,
      Math.floor(random() * 1000),
      Math.floor(random() * 365),
      Math.round(random() * 1_000_000) / 100,
      Math.round(random() * 10_000) / 10_000,
      CATEGORIES[Math.floor(random() * CATEGORIES.length)],
      1_700_000_000_000 + Math.floor(random() * 1e10),
    ];
  }
}

const NAMES = [
  'user_id',
  'avg_session_duration',
  'total_purchases',
  'days_since_last_login',
  'lifetime_value',
  'churn_score',
  'preferred_category',
  'last_seen',
];

const WRITERS = { csv: writeCsv, resp: writeResp, arrow: writeArrow, parquet: writeParquetFile };

/** The path of one kind of data of `count` rows, made if it is not there. */
export async function makeFile(kind, count) {
  mkdirSync(DATA_DIR, { recursive: true });
  const path = `${DATA_DIR}rows-${count}.${kind}`;
  if (!existsSync(path)) await WRITERS[kind](path, count);
  return path;
}

export function makeSchema() {
  mkdirSync(DATA_DIR, { recursive: true });
  writeFileSync(`${DATA_DIR}schema.yaml`, SCHEMA);
  return `${DATA_DIR}schema.yaml`;
}

async function writeText(path, encoding, pieces) {
  const out = createWriteStream(`${path}.tmp`, { encoding, highWaterMark: 1 << 20 });
  let held = '';
  for (const piece of pieces) {
    held += piece;
    if (held.length < 1 << 20) continue;
    if (!out.write(held)) await new Promise((resolve) => out.once('drain', resolve));
    held = '';
  }
  out.end(held);
  await finished(out);
  renameSync(`${path}.tmp`, path);
}

function* csvLines(count) {
  yield `${NAMES.join(',')}\n`;
  for (const row of rows(count)) {
    yield `${row.slice(0, 7).join(',')},${new Date(row[7]).toISOString()}\n`;
  }
}

function writeCsv(path, count) {
  return writeText(path, 'utf8', csvLines(count));
}

/** What redis-cli --pipe is fed: HSET and EXPIRE of each row, as featurectl would store it. */
function* respCommands(count) {
  const bulk = (text) => `$${text.length}\r\n${text}\r\n`;
  for (const row of rows(count)) {
    const key = `features:user:${row[0]}`;
    const fields = [];
    for (let i = 1; i < 8; i += 1) {
      const value = i === 7 ? new Date(row[7]).toISOString() : String(row[i]);
      if (value !== '') fields.push(NAMES[i], value);
    }
    const words = ['HSET', key, ...fields];
    yield `*${words.length}\r\n${words.map(bulk).join('')}*3\r\n${bulk('EXPIRE')}${bulk(key)}${bulk('86400')}`;
  }
}

function writeResp(path, count) {
  return writeText(path, 'latin1', respCommands(count));
}

const TYPES = [
  new Utf8(),
  new Float64(),
  new Int64(),
  new Int64(),
  new Float64(),
  new Float64(),
  new Utf8(),
  new TimestampMicrosecond('UTC'),
];

/** Arrow record batches of GROUP_ROWS rows. */
function* recordBatches(count) {
  const schema = arrowSchema();
  let group = NAMES.map(() => []);
  for (const row of rows(count)) {
    row.forEach((value, i) => {
      if (i === 2 || i === 3) group[i].push(BigInt(value));
      else if (i === 6) group[i].push(value === '' ? null : value);
      else group[i].push(value);
    });
    if (group[0].length < GROUP_ROWS) continue;
    yield recordBatch(schema, group);
    group = NAMES.map(() => []);
  }
  if (group[0].length > 0) yield recordBatch(schema, group);
}

const arrowSchema = () => new Schema(NAMES.map((name, i) => new Field(name, TYPES[i], true)));

function recordBatch(schema, group) {
  const children = group.map((values, i) => vectorFromArray(values, TYPES[i]).data[0]);
  const data = makeData({ type: new Struct(schema.fields), length: group[0].length, nullCount: 0, children });
  return new RecordBatch(schema, data);
}

async function writeArrow(path, count) {
  const writer = new RecordBatchFileWriter();
  const out = createWriteStream(`${path}.tmp`);
  const done = finished(writer.toNodeStream().pipe(out));
  for (const batch of recordBatches(count)) writer.write(batch);
  writer.finish();
  await done;
  renameSync(`${path}.tmp`, path);
}

/** Snappy, row groups of GROUP_ROWS; the parts pass through Arrow IPC, which parquet-wasm takes. */
async function writeParquetFile(path, count) {
  const wasm = await import('parquet-wasm/node');
  const table = new Table([...recordBatches(count)]);
  const properties = new wasm.WriterPropertiesBuilder()
    .setCompression(wasm.Compression.SNAPPY)
    .setMaxRowGroupSize(GROUP_ROWS)
    .build();
  const bytes = wasm.writeParquet(wasm.Table.fromIPCStream(tableToIPC(table, 'stream')), properties);
  writeFileSync(`${path}.tmp`, bytes);
  renameSync(`${path}.tmp`, path);
}
