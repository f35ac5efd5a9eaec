/** What one request shows: the plan of a whole view, made once, or of a selection of its features. */
import type { ByteString } from '../core/types.ts';
import { compileColumns, type FeatureColumn, type Showing } from './columns.ts';
import type { Plan } from './entity-json.ts';
import type { View } from './view.ts';

export interface Query {
  readonly typed?: 'true' | 'false';
  readonly vectors?: 'array' | 'base64';
}

export interface Asked {
  readonly plan: Plan;
  /** What to ask of Redis; null: everything. */
  readonly fields: readonly ByteString[] | null;
}

/** `typed`: what holds where a query does not say. `names`: features of the view, or undefined for all. */
export function createPlanner(
  view: View,
  typed: boolean,
): (query: Query, names: readonly string[] | undefined) => Asked {
  const wholes = new Map<string, Asked>();
  const indexes = new Map(view.features.map(({ name }, i) => [name, i]));
  const whole = (query: Query): Asked => {
    const showing = showingOf(query, typed);
    const id = `${showing.typed} ${showing.vectors}`;
    const made = wholes.get(id) ?? { plan: wholePlan(view, showing), fields: null };
    // Six at most.
    wholes.set(id, made);
    return made;
  };
  return (query, names) => {
    const all = whole(query);
    if (names === undefined) return all;
    return selection(
      all.plan,
      names.map((name) => indexes.get(name) ?? 0),
    );
  };
}

function showingOf(query: Query, typed: boolean): Showing {
  return {
    typed: query.typed === undefined ? typed : query.typed === 'true',
    vectors: query.vectors ?? null,
  };
}

function wholePlan(view: View, showing: Showing): Plan {
  return {
    view,
    columns: compileColumns(view, showing),
    isSelection: false,
    eventTime: view.eventTime,
    index: new Map(view.features.map(({ field }, i) => [field, i])),
  };
}

function selection({ view, columns }: Plan, indexes: readonly number[]): Asked {
  const fields = indexes.map((i) => view.features[i]?.field ?? '');
  let eventTime: number | null = null;
  if (view.eventTime !== null) {
    const asked = indexes.indexOf(view.eventTime);
    eventTime = asked < 0 ? fields.push(view.features[view.eventTime]?.field ?? '') - 1 : asked;
  }
  const chosen = indexes.map((i) => columns[i] as FeatureColumn);
  return { plan: { view, columns: chosen, isSelection: true, eventTime, index: null }, fields };
}
