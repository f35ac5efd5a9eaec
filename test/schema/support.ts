/** Runs the encoder over hand-made columns into a sink that keeps what it is given. */
import { expect } from 'vitest';
import { FeaturectlError } from '../../src/core/errors.ts';
import { createRecorder, createReplayer, type RecordedBatch } from '../../src/core/recording.ts';
import type {
  ByteString,
  CellSpans,
  Column,
  ColumnBatch,
  ColumnInfo,
  ColumnType,
  LogicalType,
  RowEncoder,
  RowFault,
  RowOrigin,
  RowSink,
  Source,
  Value,
  WriteMode,
} from '../../src/core/types.ts';
import { compileEncoder, type FeatureSchema, parseSchema } from '../../src/schema/index.ts';
import { slotsOf } from './slots.ts';

export const STARTED_AT = Date.UTC(2024, 0, 15, 8, 0, 0, 250);

/** null: a null; `{ quoted }`: a cell in quotes. */
export type Cell = string | null | { readonly quoted: string };

export interface TextInput {
  readonly name: string;
  readonly cells: readonly Cell[];
}

export interface TypedInput {
  readonly name: string;
  readonly type: LogicalType;
  readonly values: readonly Value[];
}

export interface EncodedRow {
  readonly row: number;
  readonly key: ByteString;
  readonly ttlMs: number;
  readonly eventTime: ByteString;
  readonly fields: Readonly<Record<string, ByteString | null>>;
}

export interface Encoded {
  readonly rows: readonly EncodedRow[];
  readonly faults: readonly (RowFault & { readonly row: number; readonly stage: string })[];
  readonly empty: number;
  readonly selected: readonly number[];
}

export interface EncodeOptions {
  readonly mode?: WriteMode;
  readonly sourceName?: string;
  readonly firstRow?: number;
  readonly faults?: ReadonlyMap<number, RowFault>;
  /** The sink asks for room after each so many rows. */
  readonly roomEvery?: number;
}

export function utf8(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A schema with key `k:{id}` and TTL 1h unless `head` says otherwise. */
export function schemaOf(features: string, head = ''): FeatureSchema {
  const defaults = [
    head.includes('key:') ? '' : 'key: "k:{id}"',
    /^ttl:/m.test(head) ? '' : 'ttl: 1h',
    'name: test',
  ];
  const block = features.startsWith('\n') ? features : `\n  x: ${features}`;
  return parseSchema([...defaults, head, `features:${block}`, ''].join('\n'), 'test.yaml');
}

/** What becomes of the rows; the same whether text is given as strings or where it stands in memory, and in two steps. */
export function encode(
  schema: FeatureSchema,
  inputs: readonly (TextInput | TypedInput)[],
  options: EncodeOptions = {},
): Encoded {
  const encoded = encodeOnce(schema, inputs, options, { inMemory: false, recorded: false });
  expect(encodeOnce(schema, inputs, options, { inMemory: true, recorded: false })).toEqual(encoded);
  expect(encodeOnce(schema, inputs, options, { inMemory: true, recorded: true })).toEqual(encoded);
  return encoded;
}

function encodeOnce(
  schema: FeatureSchema,
  inputs: readonly (TextInput | TypedInput)[],
  options: EncodeOptions,
  { inMemory, recorded }: { readonly inMemory: boolean; readonly recorded: boolean },
): Encoded {
  const columns = inputs.map(infoOf);
  const { sourceName = 'dir/in.csv', mode = 'merge' } = options;
  const compiled = compileEncoder(schema, columns, { sourceName, startedAt: STARTED_AT, mode });
  const given = originOf(
    compiled.selected.map((index) => inputs[index]!),
    columns,
    options,
    inMemory,
  );
  const { encoder, origin } = recorded
    ? inTwoSteps(schema, compiled, given)
    : { encoder: compiled, origin: given };
  const { rows, sink } = recordingSink(schema, options.roomEvery ?? Number.POSITIVE_INFINITY);
  const faults: (RowFault & { row: number; stage: string })[] = [];
  let empty = 0;
  for (let row = 0; row < origin.batch.rowCount; ) {
    const step = encoder.encode(origin, row, sink);
    if (step.next <= row) throw new Error('the encoder took no row');
    empty += step.empty;
    if (step.fault) faults.push({ ...step.fault, row: step.next - 1, stage: step.stage });
    row = step.next;
  }
  return { rows, faults, empty, selected: encoder.selected };
}

/** As an encoding thread and the main thread do it. */
function inTwoSteps(
  schema: FeatureSchema,
  encoder: RowEncoder,
  origin: RowOrigin,
): { encoder: RowEncoder; origin: RowOrigin } {
  const features = schema.features.length;
  const recording = structuredClone(createRecorder(features)(encoder, origin));
  const batch: RecordedBatch = { ...origin.batch, recording };
  return { encoder: createReplayer(encoder, features), origin: { ...origin, batch } };
}

/** What is stored of one value of column x, and whether the column was asked for it: `columnOf` gives a column of one. */
export function storedOf(
  schema: FeatureSchema,
  type: ColumnType,
  columnOf: (name: 'id' | 'x', asked: () => void) => Column,
): { text: string | null | undefined; isAsked: boolean } {
  let isAsked = false;
  const columns = [
    // The first entities are looked at, which is no matter here.
    columnOf('id', () => {}),
    columnOf('x', () => {
      isAsked = true;
    }),
  ];
  const infos: ColumnInfo[] = [
    { name: 'id', type: type === 'text' ? 'text' : { kind: 'utf8' } },
    { name: 'x', type },
  ];
  const encoder = compileEncoder(schema, infos, { sourceName: 'in', startedAt: STARTED_AT, mode: 'merge' });
  const { rows, sink } = recordingSink(schema, Number.POSITIVE_INFINITY);
  const batch = {
    rowCount: 1,
    firstRow: 1,
    columns,
    faults: null,
    line: () => 1,
    record: () => [],
    position: () => ({ row: 0, line: 1, byte: 0 }),
  };
  encoder.encode({ source: null as never, batch, recordColumns: [] }, 0, sink);
  return { text: rows[0]?.fields.x, isAsked };
}

/** What a one-cell CSV column gives: the stored bytes, null for nothing, or the code of the fault. */
export function storeText(schema: FeatureSchema, cell: Cell): string | null {
  return outcome(
    encode(schema, [
      { name: 'id', cells: ['1'] },
      { name: 'x', cells: [cell] },
    ]),
  );
}

export function storeTyped(schema: FeatureSchema, type: LogicalType, value: Value): string | null {
  const id: TypedInput = { name: 'id', type: { kind: 'utf8' }, values: ['1'] };
  return outcome(encode(schema, [id, { name: 'x', type, values: [value] }]));
}

function outcome({ rows, faults }: Encoded): string | null {
  const fault = faults[0];
  if (!fault) return rows[0]?.fields.x ?? null;
  if (fault.column !== 'x') throw new Error(`the fault names column ${fault.column}`);
  return fault.code;
}

/** The error that a call throws; fails where it throws none. */
export function thrown(call: () => unknown): FeaturectlError {
  try {
    call();
  } catch (error) {
    if (error instanceof FeaturectlError) return error;
    throw error;
  }
  throw new Error('expected a FeaturectlError, nothing was thrown');
}

function infoOf(input: TextInput | TypedInput): ColumnInfo {
  return { name: input.name, type: 'type' in input ? input.type : 'text' };
}

function columnOf(input: TextInput | TypedInput, inMemory: boolean): Column {
  if ('type' in input) {
    const slots = inMemory ? slotsOf(input.type, input.values, input.values.length % 2 === 1) : null;
    return { kind: 'typed', type: input.type, at: (row) => input.values[row] ?? null, slots };
  }
  const isQuoted = input.cells.map((cell) => typeof cell === 'object' && cell !== null);
  const cells = input.cells.map((cell) => utf8(typeof cell === 'string' ? cell : (cell?.quoted ?? '')));
  return {
    kind: 'text',
    cell: (row) => cells[row] ?? '',
    quoted: isQuoted.includes(true) ? Uint8Array.from(isQuoted, Number) : null,
    spans: inMemory ? spansOf(cells, isQuoted) : null,
  };
}

/** The cells one behind the other, as a scanner finds them. */
function spansOf(cells: readonly ByteString[], isQuoted: readonly boolean[]): CellSpans {
  const texts = cells.map((cell, row) => (isQuoted[row] ? `"${cell.replaceAll('"', '""')}"` : cell));
  const ends = [-1];
  for (const text of texts) ends.push(ends.at(-1)! + text.length + 1);
  const isEscaped = cells.map((cell, row) => isQuoted[row] === true && cell.includes('"'));
  return {
    bytes: Buffer.from(texts.join(','), 'latin1'),
    ends: Int32Array.from(ends),
    stride: 1,
    offset: 0,
    escaped: isEscaped.includes(true) ? Uint8Array.from(isEscaped, Number) : null,
  };
}

function originOf(
  inputs: readonly (TextInput | TypedInput)[],
  columns: readonly ColumnInfo[],
  { firstRow = 1, faults }: EncodeOptions,
  inMemory: boolean,
): RowOrigin {
  const first = inputs[0];
  const batch: ColumnBatch = {
    rowCount: first ? ('type' in first ? first.values : first.cells).length : 0,
    firstRow,
    columns: inputs.map((input) => columnOf(input, inMemory)),
    faults: faults ?? null,
    line: (row) => firstRow + row + 1,
    record: () => [],
    position: (row) => ({ row, line: row + 1, byte: 0 }),
  };
  const source: Source = {
    info: { name: 'in.csv', format: 'csv', totalBytes: null },
    columns,
    recordColumns: () => [],
    warnings: [],
    bytesRead: () => 0,
    batches: () => {
      throw new Error('not read here');
    },
    close: async () => {},
  };
  return { source, batch, recordColumns: [] };
}

function recordingSink(schema: FeatureSchema, roomEvery: number): { rows: EncodedRow[]; sink: RowSink } {
  const rows: EncodedRow[] = [];
  let open: { key: string; ttlMs: number; eventTime: string; fields: Record<string, string | null> } | null =
    null;
  let last = -1;
  const sink: RowSink = {
    begin: (keyBytes, keyLength, ttlMs, eventTime) => {
      if (open) throw new Error('begin within a row');
      const key = Buffer.from(keyBytes.subarray(0, keyLength)).toString('latin1');
      open = { key, ttlMs, eventTime, fields: Object.create(null) };
      last = -1;
    },
    value: (feature, bytes) => {
      if (!open || feature <= last) throw new Error('value outside a row or out of order');
      last = feature;
      open.fields[schema.fields[feature]!] = bytes;
    },
    cell: (feature, bytes, start, end) => {
      sink.value(feature, Buffer.from(bytes.subarray(start, end)).toString('latin1'));
    },
    commit: (_origin, row) => {
      if (!open) throw new Error('commit outside a row');
      rows.push({ ...open, row });
      open = null;
      return rows.length % roomEvery === 0;
    },
    abort: () => {
      open = null;
    },
  };
  return { rows, sink };
}
