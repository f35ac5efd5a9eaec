/** Columns that stand in names of folders only (`day=2026-11-01`), as Hive and Spark partition tables. They are not read. */
import type { FeatureSchema } from './types.ts';

/** At the end of a message that a column is missing; empty where no folder of the path names it. */
export function folderAdvice(path: string, column: string): string {
  const folder = folders(path).find((each) => nameOf(each) === column);
  return folder === undefined
    ? ''
    : `; the folder ${JSON.stringify(folder)} has it, but names of folders are not read: write it into the file as a column too`;
}

/** Of columns that a schema may do without, and of all where a source's columns make the schema. The same for each file. */
export function folderWarnings(schema: FeatureSchema, path: string, names: ReadonlySet<string>): string[] {
  const isWanted = (name: string): boolean =>
    schema.leftOut !== undefined || schema.features.some(({ from }) => from === name);
  return folderColumns(path, names).filter(isWanted).map(folderWarning);
}

/** Names that folders of the path give to columns which the file does not have. */
export function folderColumns(path: string, names: ReadonlySet<string>): string[] {
  return [...new Set(folders(path).map(nameOf))].filter((name) => !names.has(name));
}

export function folderWarning(name: string): string {
  return (
    `column ${JSON.stringify(name)} stands only in names of folders (${name}=…), which are not read: ` +
    'it is not stored; write it into the files as a column too'
  );
}

/** Those of the form `name=value` in a path or URL, without its user, the file itself and a query. */
function folders(path: string): string[] {
  const [place = ''] = path.split('?');
  return place
    .split('/')
    .slice(0, -1)
    .filter((part) => /^[^=:@]+=/.test(part));
}

function nameOf(folder: string): string {
  return folder.slice(0, folder.indexOf('='));
}
