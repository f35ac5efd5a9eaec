/** What is kept of a run for its page with charts, if one is asked for. */
import { createWatch } from '../core/watch.ts';
import { type FeatureSchema, ttlRange } from '../schema/index.ts';
import type { Run } from './run.ts';

export function watchRun(schema: FeatureSchema): Run['watch'] {
  const features = schema.features.map((feature) => feature.name);
  return { features, watch: createWatch(features.length, ttlRange(schema)) };
}

export function sampleRows({ watch, startedAt, ledger }: Run): void {
  watch?.watch.sample({ ms: Date.now() - startedAt.getTime(), rows: ledger.counts().read });
}
