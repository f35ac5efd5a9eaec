import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { FeaturectlError } from '../core/errors.ts';
import type { SourceFormat } from '../core/types.ts';
import { readError } from './bytes.ts';
import { formatFromName, KNOWN_EXTENSIONS } from './format.ts';
import { glob, isHidden, isPattern } from './glob.ts';

/** One source to open: a file, or standard input. */
export interface SourceLocation {
  readonly kind: 'file' | 'stdin';
  /** As a user would write it; `-` for standard input. */
  readonly name: string;
  /** Path to open; empty for standard input. */
  readonly path: string;
}

export interface ExpandOptions {
  /** Given: a directory's files are taken whatever their extension. */
  readonly format?: SourceFormat;
  /** Directory that relative paths start from; default: the process's. */
  readonly cwd?: string;
}

/**
 * The sources that command-line arguments name, in argument order; inside a glob or directory sorted by
 * path. Throws SOURCE_MISSING for a path, glob or directory without a file, USAGE for a URL and for
 * standard input named twice.
 */
export async function expandSources(
  args: readonly string[],
  options: ExpandOptions = {},
): Promise<readonly SourceLocation[]> {
  if (args.filter((arg) => arg === '-').length > 1) {
    throw new FeaturectlError('USAGE', 'expected - (standard input) once, found it twice; name it once');
  }
  const locations: SourceLocation[] = [];
  for (const arg of args) locations.push(...(await expandOne(arg, options)));
  return locations;
}

async function expandOne(arg: string, options: ExpandOptions): Promise<readonly SourceLocation[]> {
  if (arg === '-') return [{ kind: 'stdin', name: '-', path: '' }];
  if (arg === '')
    throw new FeaturectlError('USAGE', 'expected a source, found an empty argument; name a file');
  refuseUrl(arg);
  const cwd = options.cwd ?? process.cwd();
  const stats = await statOf(arg, cwd);
  if (stats === null) return expandGlob(arg, cwd, options);
  return stats.isDirectory() ? expandDirectory(arg, cwd, options) : [fileLocation(arg, cwd)];
}

function refuseUrl(arg: string): void {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(arg)?.[1];
  if (scheme === undefined) return;
  throw new FeaturectlError(
    'USAGE',
    `${arg}: expected a file, glob, directory or -, found a ${scheme}:// URL, which this version does not read; download it, or pipe it into - with --format`,
  );
}

async function expandGlob(
  arg: string,
  cwd: string,
  options: ExpandOptions,
): Promise<readonly SourceLocation[]> {
  const matches = isPattern(arg) ? await glob(arg, cwd) : [];
  if (matches.length === 0) {
    const what = isPattern(arg) ? 'no file matches the pattern' : 'no such file';
    throw new FeaturectlError('SOURCE_MISSING', `${arg}: ${what}; check the path (relative to ${cwd})`);
  }
  const locations: SourceLocation[] = [];
  for (const match of matches) {
    const isDirectory = (await statOf(match, cwd))?.isDirectory() ?? false;
    // `**` already goes down; a directory that a last segment matches is read as if it had been named.
    if (!isDirectory) locations.push(fileLocation(match, cwd));
    else if (!arg.includes('**')) locations.push(...(await expandDirectory(match, cwd, options)));
  }
  if (locations.length > 0) return locations;
  throw new FeaturectlError(
    'SOURCE_MISSING',
    `${arg}: the pattern matches directories only; name their files`,
  );
}

async function expandDirectory(
  directory: string,
  cwd: string,
  options: ExpandOptions,
): Promise<readonly SourceLocation[]> {
  const found: string[] = [];
  await walk(directory, cwd, options.format !== undefined, found);
  if (found.length > 0) return found.sort().map((path) => fileLocation(path, cwd));
  throw new FeaturectlError(
    'SOURCE_MISSING',
    `${directory}: expected files ending in ${KNOWN_EXTENSIONS.join(', ')} (also with .gz, .zst or .br), found none; name the files or give --format`,
  );
}

async function walk(directory: string, cwd: string, any: boolean, found: string[]): Promise<void> {
  const entries = await readdir(resolveIn(cwd, directory), { withFileTypes: true }).catch(
    (error: unknown) => {
      throw readError(directory, error);
    },
  );
  for (const entry of entries) {
    if (isHidden(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await walk(path, cwd, any, found);
    else if ((any || formatFromName(entry.name).format !== null) && (await isFile(entry, path, cwd)))
      found.push(path);
  }
}

/** A link in a directory is followed to a file, never to a directory, which could lead back. */
async function isFile(entry: { isFile(): boolean }, path: string, cwd: string): Promise<boolean> {
  if (entry.isFile()) return true;
  // A link that leads nowhere or in a circle is no file of the directory.
  const stats = await stat(resolveIn(cwd, path)).catch(() => null);
  return stats?.isFile() ?? false;
}

async function statOf(path: string, cwd: string): Promise<Stats | null> {
  try {
    return await stat(resolveIn(cwd, path));
  } catch (error) {
    const missing = readError(path, error);
    if (missing.code === 'SOURCE_MISSING') return null;
    throw missing;
  }
}

function fileLocation(name: string, cwd: string): SourceLocation {
  return { kind: 'file', name, path: resolveIn(cwd, name) };
}

function resolveIn(cwd: string, path: string): string {
  return isAbsolute(path) ? path : join(cwd, path);
}
