/** The rows of sources as `verify` expects them in Redis: read and mapped as ingest does, but kept. */
import { createCollector, type ExpectedRows } from '../core/expectations.ts';
import type { Source } from '../core/types.ts';
import { compileEncoder, type FeatureSchema } from '../schema/index.ts';

export interface RowCounts {
  read: number;
  rejected: number;
  empty: number;
}

/**
 * Some hundred rows at a time, in file order. Each source is opened when its turn comes and closed after. Throws what
 * reading throws, COLUMN and TYPE.
 */
export async function* readRows(
  sources: readonly (() => Promise<Source>)[],
  schema: FeatureSchema,
  counts: RowCounts,
): AsyncGenerator<ExpectedRows> {
  const collector = createCollector(schema.features.length);
  for (const open of sources) {
    const source = await open();
    try {
      const context = { sourceName: source.info.name, startedAt: Date.now(), mode: null };
      const encoder = compileEncoder(schema, source.columns, context);
      const recordColumns = source.recordColumns(encoder.selected);
      for await (const batch of source.batches(encoder.selected)) {
        for (let row = 0; row < batch.rowCount; ) {
          const step = encoder.encode({ source, batch, recordColumns }, row, collector);
          counts.read += step.next - row;
          counts.empty += step.empty;
          if (step.fault) counts.rejected += 1;
          row = step.next;
          if (step.full) yield collector.take();
        }
      }
    } finally {
      await source.close();
    }
  }
  yield collector.take();
}
