/** What a drafted schema is called, and its keys with it: a name that the next run of the job gives too. */
import { resolve } from 'node:path';

/**
 * `data/User features-2024.csv.gz` → `user_features_2024`. A folder, or part files in one, are named after the
 * folder: names of part files are other ones in each run.
 */
export function draftName(source: string, file: string): string {
  const isFolder = file !== source && !/[*?[{]/.test(source);
  const whole = isFolder ? source : file;
  const path = (/^\w+:\/\/|^-$/.test(whole) ? whole : resolve(whole)).replace(/[?#].*$/, '').split('/');
  const steady = path.filter((part) => part !== '' && !/^[^=]+=/.test(part) && !/^part-\d/.test(part));
  const name = (steady.at(-1) ?? '')
    .replace(/\.(?:gz|zst|br)$/i, '')
    .replace(isFolder ? '' : /(?<=.)\.[a-z]+$/i, '')
    .replace(/\.(?:snappy|zstd|lz4|gz)$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return name === '' ? 'features' : name;
}

/** The last part of a path or URL. */
export function fileName(path: string): string {
  return path.replace(/\/+$/, '').replace(/^.*\//, '');
}
