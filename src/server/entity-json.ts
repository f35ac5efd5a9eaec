/** One entity as JSON: `{"entity_key":…,"features":{…},"found":true}`, straight from the spans of a reply. */
import type { FeatureColumn } from './columns.ts';
import { type JsonBytes, putBytes, putText } from './json-bytes.ts';
import type { View } from './view.ts';

/** What of a view is shown, and how. */
export interface Plan {
  readonly view: View;
  readonly columns: readonly FeatureColumn[];
  /** Whether the values alone come, in the order of `columns`, then the event time where `columns` lack it. */
  readonly isSelection: boolean;
  /** Index of the event time in `columns`, or their number where it comes behind them; null: no age is shown. */
  readonly eventTime: number | null;
  /** Stored name as latin1 → index in `columns`; null in a selection. */
  readonly index: ReadonlyMap<string, number> | null;
}

const COMMA = Buffer.from(',');

/** `keyJson`: the entity key as the caller gave it, as JSON. `count` 0: no such key. */
export function putEntity(
  out: JsonBytes,
  plan: Plan,
  keyJson: string,
  bytes: Buffer,
  spans: Int32Array,
  count: number,
): void {
  putText(out, `{"entity_key":${keyJson},"features":{`);
  const at =
    count === 0
      ? Number.NaN
      : plan.isSelection
        ? putValues(out, plan, bytes, spans)
        : putPairs(out, plan, bytes, spans, count);
  putText(out, count === 0 ? '},"found":false' : '},"found":true');
  if (plan.eventTime !== null) putAge(out, plan.view, at);
  putText(out, '}');
}

/** An entity that cannot be read, among others that can. */
export function putRefused(out: JsonBytes, keyJson: string, error: string): void {
  putText(out, `{"entity_key":${keyJson},"features":{},"found":false,"error":${JSON.stringify(error)}}`);
}

/** Names and values; fields that the view does not have are not its own. Gives the event time in epoch ms, or NaN. */
function putPairs(out: JsonBytes, plan: Plan, bytes: Buffer, spans: Int32Array, count: number): number {
  const { columns, index } = plan;
  let expected = 0;
  let shown = 0;
  let eventTime = Number.NaN;
  for (let i = 0; i + 1 < count; i += 2) {
    const nameStart = spans[i * 2] as number;
    const nameEnd = spans[i * 2 + 1] as number;
    const start = spans[i * 2 + 2] as number;
    const end = spans[i * 2 + 3] as number;
    // Fields mostly come in the order in which they were written, which is the schema's.
    let found = expected;
    let column = columns[found];
    if (column === undefined || !isName(column.field, bytes, nameStart, nameEnd)) {
      found = index?.get(bytes.latin1Slice(nameStart, nameEnd)) ?? -1;
      column = columns[found];
      if (column === undefined) continue;
    }
    expected = found + 1;
    if (shown++ > 0) putBytes(out, COMMA, 0, 1);
    putBytes(out, column.head, 0, column.head.length);
    column.put(out, bytes, start, end);
    if (found === plan.eventTime) eventTime = plan.view.epochMs(bytes.latin1Slice(start, end));
  }
  return eventTime;
}

function isName(field: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const { length } = field;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i += 1) if (field[i] !== bytes[start + i]) return false;
  return true;
}

/** Every feature that was asked for, null where nothing is stored. */
function putValues(out: JsonBytes, plan: Plan, bytes: Buffer, spans: Int32Array): number {
  for (const [i, column] of plan.columns.entries()) {
    const start = spans[i * 2] as number;
    if (i > 0) putBytes(out, COMMA, 0, 1);
    putBytes(out, column.head, 0, column.head.length);
    if (start < 0) putText(out, 'null');
    else column.put(out, bytes, start, spans[i * 2 + 1] as number);
  }
  const start = plan.eventTime === null ? -1 : (spans[plan.eventTime * 2] as number);
  if (start < 0 || plan.eventTime === null) return Number.NaN;
  return plan.view.epochMs(bytes.latin1Slice(start, spans[plan.eventTime * 2 + 1] as number));
}

/** Seconds since the event time, to the millisecond, and whether that is too long; null where it is not known. */
function putAge(out: JsonBytes, { staleAfterMs }: View, eventTime: number): void {
  if (Number.isNaN(eventTime)) return putText(out, ',"age_seconds":null,"stale":null');
  const ageMs = Math.round(Date.now() - eventTime);
  const stale = staleAfterMs === null ? null : ageMs > staleAfterMs;
  putText(out, `,"age_seconds":${ageMs / 1000},"stale":${stale}`);
}
