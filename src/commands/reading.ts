/** Reading options as users give them → what src/sources takes. */
import type { Feature, FeatureSchema } from '../schema/index.ts';
import type { ExpandOptions, MappedColumns, OpenOptions } from '../sources/index.ts';
import type { Io, ReadingOptions } from './options.ts';

/** What reading needs of the process around it and of the other options; remote sources use it. */
export interface Surroundings extends Pick<Io, 'signal' | 'env'> {
  /** Milliseconds. */
  readonly retryForMs?: number;
  readonly retrying?: (message: string) => void;
}

function remoteOptions({ signal, env, retryForMs, retrying }: Surroundings) {
  return {
    signal,
    env,
    ...(retryForMs === undefined ? {} : { retryForMs }),
    ...(retrying === undefined ? {} : { retrying }),
  };
}

/** `schema`: null while there is none yet; a source that does not list its columns is asked for the schema's. */
export function openOptions(
  { format, encoding, delimiter, maxRecordSize }: ReadingOptions,
  surroundings: Surroundings,
  schema: FeatureSchema | null = null,
): OpenOptions {
  return {
    maxRecordSize,
    ...remoteOptions(surroundings),
    ...(encoding === null ? {} : { encoding }),
    ...(format === null ? {} : { format }),
    ...(delimiter === null ? {} : { delimiter }),
    ...(schema === null ? {} : { mapped: mappedColumns(schema) }),
  };
}

export function expandOptions({ format }: ReadingOptions, surroundings: Surroundings): ExpandOptions {
  return { ...remoteOptions(surroundings), ...(format === null ? {} : { format }) };
}

function mappedColumns({ key, features }: FeatureSchema): MappedColumns {
  const columns = features.filter(({ from }) => from !== null);
  const namesOf = (some: readonly Feature[]): string[] => some.map(({ from }) => from ?? '');
  return {
    names: [...key.columns, ...namesOf(columns)],
    required: [...key.columns, ...namesOf(columns.filter(({ required }) => required))],
  };
}
