/**
 * A Parquet file of one required INT64 column, written by hand: writers leave row groups without rows out,
 * but the format has them. Thrift compact protocol:
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md, fields:
 * https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
const INT64 = 2;
const PLAIN = 0;
const RLE = 3;

const WIRE = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

/** An encoded value and its type on the wire. */
interface Thrift {
  readonly wire: number;
  readonly bytes: Buffer;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

const i32 = (value: number): Thrift => ({ wire: WIRE.i32, bytes: varint(value * 2) });
const i64 = (value: number): Thrift => ({ wire: WIRE.i64, bytes: varint(value * 2) });
const text = (value: string): Thrift => ({
  wire: WIRE.binary,
  bytes: Buffer.concat([varint(value.length), Buffer.from(value)]),
});

/** Fewer than 15 items of one type. */
function list(items: readonly Thrift[]): Thrift {
  const head = Buffer.of((items.length << 4) | (items[0]?.wire ?? WIRE.struct));
  return { wire: WIRE.list, bytes: Buffer.concat([head, ...items.map((item) => item.bytes)]) };
}

/** Fields by id, ascending. */
function struct(fields: Readonly<Record<number, Thrift>>): Thrift {
  let before = 0;
  const parts = Object.entries(fields).flatMap(([key, { wire, bytes }]) => {
    const head = Buffer.of(((Number(key) - before) << 4) | wire);
    before = Number(key);
    return [head, bytes];
  });
  return { wire: WIRE.struct, bytes: Buffer.concat([...parts, Buffer.of(0)]) };
}

function page(values: readonly bigint[]): Buffer {
  const data = Buffer.from(BigInt64Array.from(values).buffer);
  const header = struct({
    1: i32(0),
    2: i32(data.length),
    3: i32(data.length),
    5: struct({ 1: i32(values.length), 2: i32(PLAIN), 3: i32(RLE), 4: i32(RLE) }),
  });
  return Buffer.concat([header.bytes, data]);
}

function rowGroup(rows: number, offset: number, bytes: number): Thrift {
  const column = struct({
    1: i32(INT64),
    2: list([i32(PLAIN)]),
    3: list([text('a')]),
    4: i32(0),
    5: i64(rows),
    6: i64(bytes),
    7: i64(bytes),
    9: i64(offset),
  });
  return struct({ 1: list([struct({ 2: i64(offset), 3: column })]), 2: i64(bytes), 3: i64(rows) });
}

/** `emptyPages`: a row group without rows has a page of no values, as pyarrow writes it; else no page. */
export function parquetOf(groups: readonly (readonly bigint[])[], emptyPages: boolean): Buffer {
  const parts: Buffer[] = [Buffer.from('PAR1')];
  let offset = 4;
  const metas = groups.map((values) => {
    const bytes = values.length > 0 || emptyPages ? page(values) : Buffer.alloc(0);
    parts.push(bytes);
    offset += bytes.length;
    return rowGroup(values.length, offset - bytes.length, bytes.length);
  });
  const footer = struct({
    1: i32(1),
    2: list([struct({ 4: text('schema'), 5: i32(1) }), struct({ 1: i32(INT64), 3: i32(0), 4: text('a') })]),
    3: i64(groups.flat().length),
    4: list(metas),
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.bytes.length);
  return Buffer.concat([...parts, footer.bytes, length, Buffer.from('PAR1')]);
}
