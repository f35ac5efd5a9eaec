/** The row encoder: compiled once from a schema and a source's columns, run over its batches. */
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
import { type Coded, show, type TypedCodec, type ValueFault } from './codecs/codec.ts';
import { type ColumnPlan, planColumns } from './columns.ts';
import { floatKeys } from './float-keys.ts';
import { folderWarnings } from './folder-columns.ts';
import { type KeyTemplate, withoutAny } from './key-template.ts';
import { createPlaces, type Place } from './places.ts';
import { bindText, bindTyped, type Read } from './read-column.ts';
import { bindKey, type RowKey, type WriteKey } from './row-key.ts';
import { createSlotReader } from './slot-reader.ts';
import { createSpanReader, type SpanReader, settler } from './span-reader.ts';
import { ttlFor } from './ttl.ts';
import type { Feature, FeatureSchema } from './types.ts';

export interface EncodeContext {
  /** Path or '-', for messages; its last part is `{_source}`. */
  readonly sourceName: string;
  /** Epoch milliseconds of the start of the run. */
  readonly startedAt: number;
  /** Null: rows are not written, but compared with what is there. */
  readonly mode: WriteMode | null;
}

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
  const names = new Set(columns.map(({ name }) => name));
  const warnings: string[] = [
    ...(schema.warnings ?? []),
    ...(schema.leftOut?.(columns) ?? []),
    ...folderWarnings(schema, context.sourceName, names),
  ];
  const watched = { ...schema, key: watchBraces(schema.key, warnings) };
  return { selected, warnings, encode: encoderOf(watched, plan, selected, context, warnings) };
}

/** A brace in an entity moves the end of a hash tag, so its key may leave the slot that the template means. */
function watchBraces(key: KeyTemplate, warnings: string[]): KeyTemplate {
  const isTagged = key.parts.some((part) => part.kind === 'literal' && /[{}]/.test(part.bytes));
  if (!isTagged) return key;
  let isNoted = false;
  const note = (value: ByteString): void => {
    if (isNoted || !/[{}]/.test(value)) return;
    isNoted = true;
    warnings.push(
      `key ${key.text}: expected entities without braces, as the key has a hash tag, found ${show(value)}: ` +
        'on a Redis Cluster such a key may lie in another slot than the rest of its entity',
    );
  };
  const withoutBraces = withoutAny(['{', '}']);
  return {
    ...key,
    escape: (value) => {
      note(value);
      return key.escape(value);
    },
    isPlain: (bytes, start, end) => withoutBraces(bytes, start, end) && key.isPlain(bytes, start, end),
  };
}

function checkMode(schema: FeatureSchema, mode: WriteMode | null): void {
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

/** Bytes of a key that are there before a longer one makes them more. */
const KEY_BYTES = 256;

/** Long, since all of it is one row's state. */
function encoderOf(
  schema: FeatureSchema,
  plan: ColumnPlan,
  selected: readonly number[],
  context: EncodeContext,
  warnings: string[],
): RowEncoder['encode'] {
  const { features, ttlMs, ttlJitter, eventTimeField } = schema;
  const width = features.length;
  const needsEventTime = context.mode === 'newer' ? eventTimeField : null;
  const stamps = features.map((feature) => feature.stamp?.(context.startedAt) ?? null);
  const key: RowKey = { bytes: Buffer.allocUnsafeSlow(KEY_BYTES), length: 0 };
  // A value stands in `values`, or at [starts, ends) of its column's bytes where `ends` is not -1.
  const values: (ByteString | null)[] = new Array(width).fill(null);
  const starts = new Int32Array(width);
  const ends = new Int32Array(width);
  const places = createPlaces(width);
  let bound: ColumnBatch | null = null;
  let writeKey: WriteKey = () => null;
  let reads: readonly (Read | null)[] = [];
  let spans: readonly (SpanReader | null)[] = [];

  const bind = (batch: ColumnBatch): void => {
    const columnOf = (index: number): Column => batch.columns[selected.indexOf(index)] as Column;
    const keyColumn = (name: string): Column => columnOf(plan.keys.get(name) ?? 0);
    if (bound === null) warnings.push(...floatKeys(schema.key, batch, keyColumn));
    writeKey = bindKey(schema, batch, context.sourceName, keyColumn, key);
    reads = features.map((feature, i) => bindFeature(feature, plan.features[i] ?? null, columnOf));
    // The event time of mode newer is asked for as a string.
    spans = features.map((feature, i) =>
      i === needsEventTime
        ? null
        : bindSpans(feature, plan.features[i] ?? null, columnOf, places[i] as Place),
    );
    bound = batch;
  };

  /** Finds all values of a row; the fault of the first bad one, or how many are no null. */
  const readRow = (row: number): number | RowFault => {
    let present = 0;
    for (let i = 0; i < width; i += 1) {
      const span = spans[i];
      if (span?.find(row)) {
        starts[i] = span.start;
        ends[i] = span.end;
        present += 1;
        continue;
      }
      ends[i] = -1;
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

  const giveRow = (sink: RowSink, origin: RowOrigin, row: number): boolean => {
    const eventTime = needsEventTime === null ? '' : (values[needsEventTime] ?? '');
    sink.begin(key.bytes, key.length, ttlFor(key.bytes, key.length, ttlMs, ttlJitter), eventTime);
    for (let i = 0; i < width; i += 1) {
      if (ends[i] !== -1) {
        sink.cell(i, spans[i]!.bytes, starts[i]!, ends[i]!);
        continue;
      }
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
      const present = writeKey(row) ?? readRow(row);
      if (typeof present !== 'number') {
        return { next: row + 1, empty, fault: present, stage: 'map', full: false };
      }
      if (present === 0) empty += 1;
      else if (needsEventTime !== null && !values[needsEventTime]) {
        const fault = noEventTime(features[needsEventTime]);
        return { next: row + 1, empty, fault, stage: 'map', full: false };
      } else if (giveRow(sink, origin, row)) {
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

/** Null where the feature's values have to be made. */
function bindSpans(
  feature: Feature,
  column: number | null,
  columnOf: (index: number) => Column,
  place: Place,
): SpanReader | null {
  if (feature.stamp || column === null) return null;
  const source = columnOf(column);
  const { codec, nullTokens } = feature;
  const settle = settler(codec.stored, codec.rewrite ?? null, place);
  if (source.kind === 'text') return createSpanReader(source, nullTokens, settle);
  const forms = { settle, put: codec.put?.(source.type) ?? null, packed: codec.packed ?? null };
  return createSlotReader(source, forms, place);
}
