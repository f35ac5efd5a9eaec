/** Reading options as users give them → what src/sources takes. */
import type { SourceFormat } from '../core/types.ts';
import type { Feature, FeatureSchema } from '../schema/index.ts';
import type { MappedColumns, OpenOptions } from '../sources/index.ts';
import type { ReadingOptions } from './options.ts';

/** `schema`: null while there is none yet; a source that does not list its columns is asked for the schema's. */
export function openOptions(
  { format, encoding, delimiter, maxRecordSize }: ReadingOptions,
  signal: AbortSignal,
  schema: FeatureSchema | null = null,
): OpenOptions {
  return {
    maxRecordSize,
    signal,
    ...(encoding === null ? {} : { encoding }),
    ...(format === null ? {} : { format }),
    ...(delimiter === null ? {} : { delimiter }),
    ...(schema === null ? {} : { mapped: mappedColumns(schema) }),
  };
}

export function expandOptions({ format }: ReadingOptions): { format?: SourceFormat } {
  return format === null ? {} : { format };
}

function mappedColumns({ key, features }: FeatureSchema): MappedColumns {
  const columns = features.filter(({ from }) => from !== null);
  const namesOf = (some: readonly Feature[]): string[] => some.map(({ from }) => from ?? '');
  return {
    names: [...key.columns, ...namesOf(columns)],
    required: [...key.columns, ...namesOf(columns.filter(({ required }) => required))],
  };
}
