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
    if (options.reading.delimiter === null) refuseOneColumn(source);
    const name = options.name ?? nameAfter(location.name);
    const prefix = options.prefix ?? `features:${name}:`;
    const inference = startInference({ ...options, name, prefix }, source.columns);
    const isAll = await sample(source, inference, options.sample);
    const more = locations.length > 1 ? [`only the first of ${locations.length} files was looked at`] : [];
    const text = inference.draft({
      by: `featurectl ${packageVersion()}`,
      source: location.name === '-' ? 'standard input' : basename(location.name),
      isAll,
      warnings: [...more, ...source.warnings],
    });
    io.stdout.write(text);
    for (const warning of warningsOf(text)) io.stderr.write(`featurectl: ${warning}\n`);
    return EXIT.ok;
  } finally {
    await source.close();
  }
}

/** Comments of the draft that nobody should miss who sends it into a file without reading it. */
function warningsOf(text: string): string[] {
  const found = text.matchAll(/# (?:WARNING: (.+)|(\d+ rows? of these could not be read.*))$/gm);
  return [...found].map(([, warning, unread]) => (warning ?? unread) as string);
}

/** Most likely a file of another delimiter, which would be loaded as one column of nonsense. */
function refuseOneColumn({ info, columns }: Source): void {
  const name = columns.length === 1 ? (columns[0]?.name ?? '') : '';
  const found = /[;\t|]/.exec(name)?.[0];
  if (found === undefined || info.format === 'parquet' || info.format === 'arrow') return;
  const delimiter = found === '\t' ? "'\\t'" : `'${found}'`;
  throw new FeaturectlError(
    'USAGE',
    `${info.name}: expected several columns, found one named ${JSON.stringify(name)}; give --delimiter ${delimiter}, or --delimiter , if it is one column`,
  );
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
