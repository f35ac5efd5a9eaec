/** `featurectl infer`: a schema file from what a source's columns and first rows are like, on stdout. */
import { EXIT, FeaturectlError } from '../core/errors.ts';
import type { Source, SourceInfo } from '../core/types.ts';
import {
  folderColumns,
  folderWarning,
  headerWarning,
  type Inference,
  otherDelimiter,
  startInference,
} from '../schema/index.ts';
import { expandSources, openSource, type SourceLocation } from '../sources/index.ts';
import { draftName, fileName } from './draft-name.ts';
import type { InferOptions, Io } from './options.ts';
import { expandOptions, openOptions } from './reading.ts';
import { packageVersion } from './version.ts';

/** Exit code 0; throws what reading throws. */
export async function inferCommand(options: InferOptions, io: Io): Promise<number> {
  const locations = await expandSources([options.source], expandOptions(options.reading, io));
  let text: string | null = null;
  for (let i = 0; i < locations.length && text === null; i += 1)
    text = await draftOf(locations, i, options, io);
  if (text === null)
    throw new FeaturectlError('SOURCE_MISSING', `${options.source}: expected a file, found none`);
  io.stdout.write(text);
  for (const warning of warningsOf(text)) io.stderr.write(`featurectl: ${warning}\n`);
  return EXIT.ok;
}

/** Null: the file has no row, and the next one may have some, as where Spark wrote an empty part first. */
async function draftOf(
  locations: readonly SourceLocation[],
  at: number,
  options: InferOptions,
  io: Io,
): Promise<string | null> {
  const location = locations[at] as SourceLocation;
  const source = await openSource(location, openOptions(options.reading, io));
  try {
    if (options.reading.delimiter === null) refuseOneColumn(source);
    const name = options.name ?? draftName(options.source, location.name);
    const prefix = options.prefix ?? `features:${name}:`;
    const inference = startInference({ ...options, name, prefix }, source.columns);
    const { rows, isAll } = await sample(source, inference, options.sample);
    if (rows === 0 && at < locations.length - 1) return null;
    const which = at === 0 ? 'the first' : 'the first with rows';
    const more = locations.length > 1 ? [`only ${which} of ${locations.length} files was looked at`] : [];
    return inference.draft({
      by: `featurectl ${packageVersion()}`,
      source: location.name === '-' ? 'standard input' : fileName(location.name),
      isAll,
      warnings: [...more, ...headerWarnings(source), ...folderNotes(source), ...source.warnings],
    });
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
  const delimiter = otherDelimiter(name);
  if (delimiter === null || delimiter === "','" || !isTable(info)) return;
  throw new FeaturectlError(
    'USAGE',
    `${info.name}: expected several columns, found one named ${JSON.stringify(name)}; give --delimiter ${delimiter}, or --delimiter , if it is one column`,
  );
}

/** A file without a header, as Spark writes it, would lose its first row and be read by that row's values. */
function headerWarnings({ info, columns }: Source): string[] {
  const warning = isTable(info) ? headerWarning(columns.map(({ name }) => name)) : null;
  return warning === null ? [] : [`WARNING: ${warning}`];
}

function folderNotes({ info, columns }: Source): string[] {
  const names = new Set(columns.map(({ name }) => name));
  return folderColumns(info.name, names).map((name) => `WARNING: ${folderWarning(name)}`);
}

function isTable({ format }: SourceInfo): boolean {
  return format === 'csv' || format === 'tsv';
}

/** How many rows were looked at, and whether they are the whole source. */
async function sample(source: Source, inference: Inference, limit: number) {
  let seen = 0;
  for await (const batch of source.batches(inference.selected)) {
    const rows = Math.min(limit - seen, batch.rowCount);
    inference.add(batch, rows);
    seen += rows;
    if (rows < batch.rowCount) return { rows: seen, isAll: false };
  }
  return { rows: seen, isAll: true };
}
