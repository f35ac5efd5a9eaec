/** The schema of a run: from a file, or from a few options and the columns of the first source. */
import { readFile } from 'node:fs/promises';
import { FeaturectlError } from '../core/errors.ts';
import type { ColumnInfo } from '../core/types.ts';
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

/** Throws SCHEMA, also where the file cannot be read. */
export async function readSchema(path: string): Promise<FeatureSchema> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new FeaturectlError('SCHEMA', `${path}: cannot read the schema file: ${whyUnread(error)}`, {
      cause: error,
    });
  }
  return parseSchema(text, path);
}

const UNREAD: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', `there is no such file; check the path, or draft one with: featurectl infer SOURCE`],
  ['EISDIR', 'it is a directory; name the file in it'],
  ['ENOTDIR', 'a part of its path is not a directory; check the path'],
  ['EACCES', 'permission denied; give this user read access'],
]);

function whyUnread(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return UNREAD.get(code) ?? (error instanceof Error ? error.message : String(error));
}
