/** What `check` gathers over the keys of a schema, in memory that does not grow with them. */

import { createSketch, type Sketch } from './sketch.ts';
import type { StoredEntity } from './stored-entity.ts';
import type { ByteString } from './types.ts';

export interface FreshnessOptions {
  /** Stored names in the order of the features. */
  readonly fields: readonly ByteString[];
  /** Epoch milliseconds of an entity's event time; NaN where it has none that reads. Null: the schema names none. */
  readonly eventTime: ((entity: StoredEntity) => number) | null;
  /** Epoch milliseconds that ages are counted to. */
  readonly now: number;
}

export interface Freshness {
  add(entity: StoredEntity): void;
  /** Hashes. */
  readonly entities: number;
  readonly withoutTtl: number;
  /** Milliseconds. */
  readonly ttl: Sketch;
  /** Milliseconds; event times that are still to come count as 0. */
  readonly age: Sketch;
  /** Hashes without an event time that reads; 0 where the schema names none. */
  readonly withoutAge: number;
  /** By index of the feature: hashes without that field. */
  readonly nulls: readonly number[];
}

export function createFreshness({ fields, eventTime, now }: FreshnessOptions): Freshness {
  const state = {
    entities: 0,
    withoutTtl: 0,
    withoutAge: 0,
    ttl: createSketch(),
    age: createSketch(),
    nulls: fields.map(() => 0),
  };
  return Object.assign(state, {
    add: (entity: StoredEntity): void => {
      state.entities += 1;
      if (entity.ttlMs === null) state.withoutTtl += 1;
      else state.ttl.add(entity.ttlMs);
      fields.forEach((field, i) => {
        if (!entity.fields.has(field)) state.nulls[i] = (state.nulls[i] ?? 0) + 1;
      });
      if (eventTime === null) return;
      const at = eventTime(entity);
      if (Number.isNaN(at)) state.withoutAge += 1;
      else state.age.add(Math.max(0, now - at));
    },
  });
}
