/**
 * Parquet files, mostly of one column, written by hand: with what no writer writes, but the format has, or what damage
 * makes of it. Thrift compact protocol:
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

const i32 = (value: number): Thrift => ({
  wire: WIRE.i32,
  bytes: varint(value < 0 ? -value * 2 - 1 : value * 2),
});
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

/** Of a page header; those left out are as they should be. */
export interface PageParts {
  /** 0 data, 1 index, 2 dictionary, 3 data of version 2. */
  readonly type: number;
  readonly values: number;
  readonly body: Buffer;
  readonly encoding?: number;
  readonly uncompressed?: number;
  readonly compressed?: number;
  readonly crc?: number;
  /** Of version 1. */
  readonly levelEncoding?: number;
  /** Of version 2: of definition levels, which stand behind those of repetition. */
  readonly levelBytes?: number;
  readonly repetitionBytes?: number;
}

/** Which field of a header says what a page of each type has. */
const DETAILS = [5, 6, 7, 8] as const;

export function pageOf(page: PageParts): Buffer {
  const { type, values, body, encoding = PLAIN, crc } = page;
  const { uncompressed = body.length, compressed = body.length, levelEncoding = RLE } = page;
  const { levelBytes = 0, repetitionBytes = 0 } = page;
  const v2 = { 1: i32(values), 2: i32(0), 3: i32(values), 4: i32(encoding) };
  const ofType = [
    { 1: i32(values), 2: i32(encoding), 3: i32(levelEncoding), 4: i32(levelEncoding) },
    {},
    { 1: i32(values), 2: i32(encoding) },
    { ...v2, 5: i32(levelBytes), 6: i32(repetitionBytes) },
  ][type]!;
  const header = struct({
    1: i32(type),
    2: i32(uncompressed),
    3: i32(compressed),
    ...(crc === undefined ? {} : { 4: i32(crc) }),
    [DETAILS[type]!]: struct(ofType),
  });
  return Buffer.concat([header.bytes, body]);
}

export function longs(...values: readonly bigint[]): Buffer {
  return Buffer.from(BigInt64Array.from(values).buffer);
}

/** Levels of version 1 begin with their length. */
export function withLength(levels: Buffer, rest: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(levels.length);
  return Buffer.concat([length, levels, rest]);
}

/** Of a row group; what is left out is as it should be, with INT64 and no compression. */
export interface ChunkParts {
  readonly rows: number;
  readonly pages: readonly Buffer[];
  /** Of the columns, all in the same place; one of the name a. */
  readonly names?: readonly string[];
  readonly physical?: number;
  readonly isOptional?: boolean;
  /** Parquet's older form of the logical type: 0 is UTF-8. */
  readonly converted?: number;
  /** The columns are of lists, of values that may be null. */
  readonly isList?: boolean;
  /** Entries of levels; as many as rows. */
  readonly entries?: number;
  readonly codec?: number;
  readonly encodings?: readonly number[];
}

/** Of several: of as many row groups. */
export function fileOf(...chunks: readonly [ChunkParts, ...ChunkParts[]]): Buffer {
  let offset = 4;
  const groups = chunks.map((chunk) => {
    const bytes = Buffer.concat(chunk.pages).length;
    offset += bytes;
    return rowGroup(chunk, offset - bytes, bytes);
  });
  const rows = chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
  const pages = chunks.flatMap((chunk) => chunk.pages);
  return wholeFile(chunks[0], pages, groups, rows);
}

function rowGroup(chunk: ChunkParts, offset: number, bytes: number): Thrift {
  const { rows, names = ['a'], physical = INT64, encodings = [PLAIN], codec = 0, entries = rows } = chunk;
  const column = (name: string): Thrift =>
    struct({
      1: i32(physical),
      2: list(encodings.map(i32)),
      3: list([text(name)]),
      4: i32(codec),
      5: i64(entries),
      6: i64(bytes),
      7: i64(bytes),
      9: i64(offset),
    });
  return struct({
    1: list(names.map((name) => struct({ 2: i64(offset), 3: column(name) }))),
    2: i64(bytes),
    3: i64(rows),
  });
}

type Columns = Omit<ChunkParts, 'rows' | 'pages'>;

function wholeFile(
  columns: Columns,
  pages: readonly Buffer[],
  groups: readonly Thrift[],
  rows: number,
): Buffer {
  const { names = ['a'] } = columns;
  const footer = struct({
    1: i32(1),
    2: list([
      struct({ 4: text('schema'), 5: i32(names.length) }),
      ...names.flatMap((name) => elementsOf(name, columns)),
    ]),
    3: i64(rows),
    4: list(groups),
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.bytes.length);
  return Buffer.concat([Buffer.from('PAR1'), ...pages, footer.bytes, length, Buffer.from('PAR1')]);
}

/** Of one column. */
function elementsOf(
  name: string,
  { physical = INT64, isOptional = false, converted, isList = false }: Columns,
): readonly Thrift[] {
  const leaf = (own: string, repetition: number): Thrift =>
    struct({
      1: i32(physical),
      3: i32(repetition),
      4: text(own),
      ...(converted === undefined ? {} : { 6: i32(converted) }),
    });
  const outer = isOptional ? 1 : 0;
  if (!isList) return [leaf(name, outer)];
  const LIST = 3;
  return [
    struct({ 3: i32(outer), 4: text(name), 5: i32(1), 6: i32(LIST) }),
    struct({ 3: i32(2), 4: text('list'), 5: i32(1) }),
    leaf('element', 1),
  ];
}

/** Of a required INT64 column. `emptyPages`: a row group without rows has a page of no values, as pyarrow writes it; else no page. */
export function parquetOf(groups: readonly (readonly bigint[])[], emptyPages: boolean): Buffer {
  const parts: Buffer[] = [];
  let offset = 4;
  const metas = groups.map((values) => {
    const page = pageOf({ type: 0, values: values.length, body: longs(...values) });
    const bytes = values.length > 0 || emptyPages ? page : Buffer.alloc(0);
    parts.push(bytes);
    offset += bytes.length;
    return rowGroup({ rows: values.length, pages: [] }, offset - bytes.length, bytes.length);
  });
  return wholeFile({}, parts, metas, groups.flat().length);
}
