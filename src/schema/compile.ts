/** The row encoder: compiled once from a schema and a source's columns, run over its batches. */
import { basename } from 'node:path';
import { FeaturectlError } from '../core/errors.ts';
import type {
  ByteString,
  Column,
  ColumnBatch,
  ColumnInfo,
  EncodeStep,
  RowEncoder,
  RowFault,
  RowOrigin,
  RowSink,
  WriteMode,
} from '../core/types.ts';
import {
  type Coded,
  fromBytes,
  isFault,
  show,
  type TypedCodec,
  toBytes,
  type ValueFault,
} from './codecs/codec.ts';
import { type ColumnPlan, keyCodec, planColumns } from './columns.ts';
import type { KeyTemplate } from './key-template.ts';
import { ttlFor } from './ttl.ts';
import type { Feature, FeatureSchema } from './types.ts';

export interface EncodeContext {
  /** Path or '-', for messages; its last part is `{_source}`. */
  readonly sourceName: string;
  /** Epoch milliseconds of the start of the run. */
  readonly startedAt: number;
  readonly mode: WriteMode;
}

/** The stored value of a row, null for a null. */
type Read = (row: number) => Coded | null;

/** Throws COLUMN and TYPE where the source does not fit the schema, SCHEMA where the mode does not. */
export function compileEncoder(
  schema: FeatureSchema,
  columns: readonly ColumnInfo[],
  context: EncodeContext,
): RowEncoder {
  checkMode(schema, context.mode);
  const plan = planColumns(schema, columns, context.sourceName);
  const selected = [
    ...new Set([...plan.keys.values(), ...plan.features.filter((column) => column !== null)]),
  ].sort((a, b) => a - b);
  const warnings: string[] = [];
  const watched = { ...schema, key: watchBraces(schema.key, warnings) };
  return { selected, warnings, encode: encoderOf(watched, plan, selected, context) };
}

/** A brace in an entity moves the end of a hash tag, so its key may leave the slot that the template means. */
function watchBraces(key: KeyTemplate, warnings: string[]): KeyTemplate {
  const isTagged = key.parts.some((part) => part.kind === 'literal' && /[{}]/.test(part.bytes));
  if (!isTagged) return key;
  const note = (value: ByteString): void => {
    if (warnings.length > 0 || !/[{}]/.test(value)) return;
    warnings.push(
      `key ${key.text}: expected entities without braces, as the key has a hash tag, found ${show(value)}: ` +
        'on a Redis Cluster such a key may lie in another slot than the rest of its entity',
    );
  };
  return {
    ...key,
    escape: (value) => {
      note(value);
      return key.escape(value);
    },
  };
}

function checkMode(schema: FeatureSchema, mode: WriteMode): void {
  if (mode === 'newer' && schema.eventTimeField === null) {
    throw new FeaturectlError(
      'SCHEMA',
      '--mode newer: expected event_time in the schema, found none; name the column there',
    );
  }
  const removing = schema.features.filter((feature) => feature.nullPolicy === 'remove');
  if (mode !== 'merge' || removing.length === 0) return;
  const names = removing.map((feature) => feature.name).join(', ');
  throw new FeaturectlError(
    'SCHEMA',
    `null policy remove (${names}): expected --mode replace or newer, found merge`,
  );
}

function encoderOf(
  schema: FeatureSchema,
  plan: ColumnPlan,
  selected: readonly number[],
  context: EncodeContext,
): RowEncoder['encode'] {
  const { features, ttlMs, ttlJitter, eventTimeField } = schema;
  const width = features.length;
  const needsEventTime = context.mode === 'newer' ? eventTimeField : null;
  const stamps = features.map((feature) => feature.stamp?.(context.startedAt) ?? null);
  const values: (ByteString | null)[] = new Array(width).fill(null);
  let bound: ColumnBatch | null = null;
  let readKey: Read = () => null;
  let reads: readonly (Read | null)[] = [];

  const bind = (batch: ColumnBatch): void => {
    const columnOf = (index: number): Column => batch.columns[selected.indexOf(index)] as Column;
    readKey = bindKey(schema, plan, context, batch, columnOf);
    reads = features.map((feature, i) => bindFeature(feature, plan.features[i] ?? null, columnOf));
    bound = batch;
  };

  /** Fills `values`; the fault of the first bad one, or how many are no null. */
  const readRow = (row: number): number | RowFault => {
    let present = 0;
    for (let i = 0; i < width; i += 1) {
      const read = reads[i];
      if (!read) {
        values[i] = stamps[i] ?? null;
        continue;
      }
      const coded = read(row) ?? nullValue(features[i] as Feature);
      if (coded !== null && typeof coded !== 'string') return located(coded, features[i]?.from ?? null);
      values[i] = coded;
      if (coded !== null) present += 1;
    }
    return present;
  };

  const giveRow = (sink: RowSink, origin: RowOrigin, row: number, rowKey: ByteString): boolean => {
    const eventTime = needsEventTime === null ? '' : (values[needsEventTime] ?? '');
    sink.begin(rowKey, ttlFor(rowKey, ttlMs, ttlJitter), eventTime);
    for (let i = 0; i < width; i += 1) {
      const value = values[i] ?? null;
      if (value !== null || features[i]?.nullPolicy === 'remove') sink.value(i, value);
    }
    return sink.commit(origin, row);
  };

  return (origin, start, sink): EncodeStep => {
    const { batch } = origin;
    if (batch !== bound) bind(batch);
    let empty = 0;
    for (let row = start; row < batch.rowCount; row += 1) {
      const unread = batch.faults?.get(row);
      if (unread) return { next: row + 1, empty, fault: unread, stage: 'read', full: false };
      const rowKey = readKey(row) ?? '';
      const present = isFault(rowKey) ? (rowKey as RowFault) : readRow(row);
      if (typeof present !== 'number') {
        return { next: row + 1, empty, fault: present, stage: 'map', full: false };
      }
      if (present === 0) empty += 1;
      else if (needsEventTime !== null && !values[needsEventTime]) {
        const fault = noEventTime(features[needsEventTime]);
        return { next: row + 1, empty, fault, stage: 'map', full: false };
      } else if (giveRow(sink, origin, row, rowKey as ByteString)) {
        return { next: row + 1, empty, fault: null, stage: 'map', full: true };
      }
    }
    return { next: batch.rowCount, empty, fault: null, stage: 'map', full: false };
  };
}

function noEventTime(feature: Feature | undefined): RowFault {
  return {
    code: 'EVENT_TIME',
    column: feature?.from ?? null,
    reason: 'expected an event time (mode newer), found null',
  };
}

function located(fault: ValueFault, column: string | null): RowFault {
  return { code: fault.code, column, reason: fault.reason };
}

/** What a null becomes: its default, nothing, empty bytes or a fault. */
function nullValue(feature: Feature): Coded | null {
  if (feature.fallback !== null) return feature.fallback;
  if (feature.nullPolicy === 'empty') return '';
  if (feature.nullPolicy !== 'error') return null;
  return { code: 'NULL', reason: 'expected a value (null policy is error), found null' };
}

/** Null where the feature reads no column of its own (a stamp). An absent column gives nulls. */
function bindFeature(
  feature: Feature,
  column: number | null,
  columnOf: (index: number) => Column,
): Read | null {
  if (feature.stamp) return null;
  if (column === null) return () => null;
  const source = columnOf(column);
  if (source.kind === 'text') return bindText(source, feature.nullTokens, feature.codec.text);
  const typed = feature.codec.typed(source.type);
  // planColumns has refused columns without a codec.
  return bindTyped(source, typed as TypedCodec);
}

function bindText(
  { cells, quoted }: Column & { kind: 'text' },
  tokens: ReadonlySet<ByteString>,
  codec: (cell: ByteString) => Coded,
): Read {
  const onlyEmpty = tokens.size === 1 && tokens.has('');
  if (onlyEmpty && quoted === null) {
    return (row) => {
      const cell = cells[row] as ByteString;
      return cell === '' ? null : codec(cell);
    };
  }
  return (row) => {
    const cell = cells[row] as ByteString;
    return tokens.has(cell) && (quoted === null || quoted[row] === 0) ? null : codec(cell);
  };
}

function bindTyped(column: Column & { kind: 'typed' }, codec: TypedCodec): Read {
  return (row) => {
    const value = column.at(row);
    return value === null ? null : codec(value);
  };
}

function bindKey(
  schema: FeatureSchema,
  plan: ColumnPlan,
  context: EncodeContext,
  batch: ColumnBatch,
  columnOf: (index: number) => Column,
): Read {
  const { key } = schema;
  const sourceName = key.escape(toBytes(basename(context.sourceName)));
  const parts = key.parts.map((part): Read => {
    if (part.kind === 'literal') return () => part.bytes;
    if (part.kind === 'row') return (row) => String(batch.firstRow + row);
    if (part.kind === 'source') return () => sourceName;
    return bindEntity(part.column, columnOf(plan.keys.get(part.column) ?? 0), schema);
  });
  return (row) => {
    let joined = '';
    for (const part of parts) {
      const piece = part(row) as Coded;
      if (isFault(piece)) return piece;
      joined += piece;
    }
    return joined;
  };
}

const BLANK = /^\s+$/;
/** No white space beyond ASCII begins with another byte in UTF-8. */
const BLANK_START = /^[\t-\r \xc2\xe1-\xe3\xef]/;

/** An entity; null, empty and blank ones are faults that carry their column. */
function bindEntity(column: string, source: Column, { nullTokens, key, zone }: FeatureSchema): Read {
  const read =
    source.kind === 'text'
      ? bindText(source, nullTokens, (cell) => cell)
      : bindTyped(source, keyCodec(source.type, zone) as TypedCodec);
  const bad = (code: 'KEY_NULL' | 'KEY_EMPTY' | 'KEY_BLANK', found: string): RowFault => {
    return { code, column, reason: `expected an entity, found ${found}` };
  };
  return (row) => {
    const value = read(row);
    if (value === null) return bad('KEY_NULL', 'null');
    if (isFault(value)) return { ...value, column } as RowFault;
    if (value === '') return bad('KEY_EMPTY', 'an empty string');
    if (BLANK_START.test(value) && BLANK.test(fromBytes(value))) return bad('KEY_BLANK', 'only white space');
    return key.escape(value);
  };
}
