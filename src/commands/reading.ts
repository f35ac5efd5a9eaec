/** Reading options as users give them → what src/sources takes. */
import type { SourceFormat } from '../core/types.ts';
import type { OpenOptions } from '../sources/index.ts';
import type { ReadingOptions } from './options.ts';

export function openOptions(
  { format, encoding, delimiter, maxRecordSize }: ReadingOptions,
  signal: AbortSignal,
): OpenOptions {
  return {
    maxRecordSize,
    signal,
    ...(encoding === null ? {} : { encoding }),
    ...(format === null ? {} : { format }),
    ...(delimiter === null ? {} : { delimiter }),
  };
}

export function expandOptions({ format }: ReadingOptions): { format?: SourceFormat } {
  return format === null ? {} : { format };
}
