/** Whether the files that are read later fit the schema: a load is not half done when its 200th file has other columns. */
import type { FeatureSchema } from '../schema/index.ts';
import { openSource } from '../sources/index.ts';
import { encoderOf, fileState } from './encode-part.ts';
import type { Part } from './parts.ts';
import { openOptions, type Surroundings } from './reading.ts';
import type { Run } from './run.ts';

/**
 * Opens each file and looks at its columns. Remote objects are not asked twice, and a pipe can be read once only: those
 * are looked at when their turn comes. Throws what opening throws, COLUMN and TYPE.
 */
export async function assertFit(
  run: Run,
  schema: FeatureSchema,
  parts: readonly Part[],
  surroundings: Surroundings,
): Promise<void> {
  const locations = new Map(parts.map(({ location }) => [location.name, location]));
  for (const location of locations.values()) {
    if (run.io.signal.aborted) return;
    if ((await fileState(location)) === null) continue;
    const source = await openSource(location, openOptions(run.options.reading, surroundings, schema));
    try {
      encoderOf(run, schema, source);
    } finally {
      await source.close();
    }
  }
}
