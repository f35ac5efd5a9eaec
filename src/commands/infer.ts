/** `featurectl infer`: a schema file from what a source's columns and first rows are like, on stdout. */
import { basename } from 'node:path';
import { EXIT, FeaturectlError } from '../core/errors.ts';
import type { Source } from '../core/types.ts';
import { type Inference, startInference } from '../schema/index.ts';
import { expandSources, openSource } from '../sources/index.ts';
import type { InferOptions, Io } from './options.ts';
import { expandOptions, openOptions } from './reading.ts';
import { packageVersion } from './version.ts';

/** Exit code 0; throws what reading throws. */
export async function inferCommand(options: InferOptions, io: Io): Promise<number> {
  const locations = await expandSources([options.source], expandOptions(options.reading, io));
  const [location] = locations;
  if (!location)
    throw new FeaturectlError('SOURCE_MISSING', `${options.source}: expected a file, found none`);
  const source = await openSource(location, openOptions(options.reading, io));
  try {
    const name = options.name ?? nameAfter(location.name);
    const prefix = options.prefix ?? `features:${name}:`;
    const inference = startInference({ ...options, name, prefix }, source.columns);
    const isAll = await sample(source, inference, options.sample);
    const more = locations.length > 1 ? [`only the first of ${locations.length} files was looked at`] : [];
    io.stdout.write(
      inference.draft({
        by: `featurectl ${packageVersion()}`,
        source: location.name === '-' ? 'standard input' : basename(location.name),
        isAll,
        warnings: [...more, ...source.warnings],
      }),
    );
    return EXIT.ok;
  } finally {
    await source.close();
  }
}

/** Whether the sample is the whole source. */
async function sample(source: Source, inference: Inference, limit: number): Promise<boolean> {
  let left = limit;
  for await (const batch of source.batches(inference.selected)) {
    const rows = Math.min(left, batch.rowCount);
    inference.add(batch, rows);
    left -= rows;
    if (rows < batch.rowCount) return false;
  }
  return true;
}

/** `data/User features-2024.csv.gz` → `user_features_2024`. */
function nameAfter(path: string): string {
  const stem = basename(path)
    .replace(/\.(?:gz|zst|br)$/i, '')
    .replace(/(?<=.)\.[a-z]+$/i, '');
  const name = stem
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return name === '' ? 'features' : name;
}
