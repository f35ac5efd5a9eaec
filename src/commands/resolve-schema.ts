/** The schema of a run: from a file, or from a few options and the columns of the first source. */
import { readFile } from 'node:fs/promises';
import { FeaturectlError } from '../core/errors.ts';
import type { ColumnInfo } from '../core/types.ts';
import { whyUnread } from '../core/unread.ts';
import { type FeatureSchema, parseSchema, schemaFromColumns } from '../schema/index.ts';
import type { SchemaOptions } from './options.ts';

/** The schema file's; null where options stand in for one, which need the columns of a source. */
export async function declaredSchema({ file }: SchemaOptions): Promise<FeatureSchema | null> {
  return file === null ? null : readSchema(file);
}

export function schemaOf(options: SchemaOptions, columns: readonly ColumnInfo[]): FeatureSchema {
  return schemaFromColumns(
    {
      key: options.key,
      prefix: options.prefix,
      ttl: options.ttl ?? '',
      allowNonfinite: options.allowNonfinite,
      ...(options.ttlJitter === null ? {} : { ttlJitter: options.ttlJitter }),
      ...(options.timezone === null ? {} : { timezone: options.timezone }),
      ...(options.nullTokens === null ? {} : { nullTokens: options.nullTokens }),
    },
    columns,
  );
}

/** The text of the schema file; null where there is none. */
export async function declaredText({ file }: SchemaOptions): Promise<string | null> {
  return file === null ? null : readSchemaText(file);
}

/** What a schema is made of: it holds functions, so another thread has to make its own. */
export interface SchemaRecipe {
  readonly options: SchemaOptions;
  /** Of the schema file; null: there is none. */
  readonly text: string | null;
  /** Of the source that makes the schema where there is no file. */
  readonly columns: readonly ColumnInfo[];
}

export function schemaFrom({ options, text, columns }: SchemaRecipe): FeatureSchema {
  return text === null ? schemaOf(options, columns) : parseSchema(text, options.file ?? '');
}

/** Throws SCHEMA, also where the file cannot be read. */
export async function readSchema(path: string): Promise<FeatureSchema> {
  return parseSchema(await readSchemaText(path), path);
}

/** Throws SCHEMA. */
export async function readSchemaText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new FeaturectlError('SCHEMA', `${path}: cannot read the schema file: ${whyNoSchema(error)}`, {
      cause: error,
    });
  }
}

/** A schema file that is not there yet can be drafted. */
function whyNoSchema(error: unknown): string {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  return `${whyUnread(error)}${isMissing ? ', or draft one with: featurectl infer SOURCE' : ''}`;
}
