/** Who takes the rows of a run: a Redis, or with --dry-run nobody. */
import { createCountingWriter } from '../core/counting-writer.ts';
import type { WriteListener, Writer } from '../core/types.ts';
import { type FeatureSchema, hasFractionalTtl, keyOf, keyParts } from '../schema/index.ts';
import { connectOptions } from './connection.ts';
import type { Run } from './run.ts';

/** Throws what connecting and setting up throw: REDIS_CONNECT, REDIS_AUTH, REDIS_SERVER, REDIS_DATA_LOSS, REDIS_LOST. */
export async function openWriter(run: Run, schema: FeatureSchema, listener: WriteListener): Promise<Writer> {
  const { writing, connection: target, dryRun } = run.options;
  if (dryRun) return createCountingWriter(writing.mode, listener);
  // Loaded when needed: --dry-run talks to no Redis.
  const { connect, createWriter } = await import('../redis/index.ts');
  const connection = await connect({
    ...(await connectOptions(target, run.io.signal)),
    retrying: (message) => run.progress.note(message, 'retry'),
    warn: (message) => run.progress.note(message),
  });
  try {
    return await createWriter(connection, { ...writing, ...writerOptions(schema, run) }, listener);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

function writerOptions(schema: FeatureSchema, { options, checkpoints }: Run) {
  const { writing, connection } = options;
  return {
    path: writing.write,
    fields: schema.fields,
    eventTimeField: schema.eventTimeField,
    retryForMs: connection.retryForMs,
    earlier: checkpoints?.saved?.taken ?? [],
    millis: hasFractionalTtl(schema),
    probeKey: keyOf(
      schema,
      keyParts(schema).map(() => 'featurectl-probe'),
    ),
  };
}
