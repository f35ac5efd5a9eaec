import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { FeaturectlError } from '../core/errors.ts';
import { redactUrls } from '../core/redact-urls.ts';
import { readError } from './bytes.ts';
import { formatFromName, KNOWN_EXTENSIONS } from './format.ts';
import { glob, isHidden, isPattern } from './glob.ts';
import { type ExpandOptions, passedOverText, type SourceLocation } from './source-location.ts';

/**
 * The sources that command-line arguments name, in argument order; inside a glob or directory sorted by
 * path. Throws SOURCE_MISSING for a path, glob or directory without a file, USAGE for a URL of another
 * scheme and for standard input named twice.
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
  const remote = await expandUrl(arg, options);
  if (remote !== null) return remote;
  const cwd = options.cwd ?? process.cwd();
  const stats = await statOf(arg, cwd);
  if (stats === null) return expandGlob(arg, cwd, options);
  return stats.isDirectory() ? expandDirectory(arg, cwd, options) : [fileLocation(arg, cwd)];
}

/** What a URL names; null: it is none. */
async function expandUrl(arg: string, options: ExpandOptions): Promise<readonly SourceLocation[] | null> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(arg)?.[1]?.toLowerCase();
  if (scheme === undefined) return null;
  if (scheme === 's3' || scheme === 'gs') return (await import('./s3-list.ts')).expandObjects(arg, options);
  const name = redactUrls(arg);
  if (scheme !== 'http' && scheme !== 'https') {
    throw new FeaturectlError(
      'USAGE',
      `${name}: expected a file, glob, directory, - or a URL of http, https, s3 or gs, found a ${scheme}:// URL; download it, or pipe it into - with --format`,
    );
  }
  if (!URL.canParse(arg)) throw new FeaturectlError('USAGE', `${name}: expected a URL with a host; check it`);
  return [{ kind: 'http', name, path: arg }];
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
  const others: string[] = [];
  await walk(directory, cwd, found, others);
  const taken = options.format === undefined ? found : [...found, ...others];
  if (taken.length > 0) {
    if (taken === found && others.length > 0) options.passedOver?.(passedOverText(directory, others));
    return taken.sort().map((path) => fileLocation(path, cwd));
  }
  throw new FeaturectlError(
    'SOURCE_MISSING',
    `${directory}: expected files ending in ${KNOWN_EXTENSIONS.join(', ')} (also with .gz, .zst or .br), found none; name the files or give --format`,
  );
}

/** `found`: files of known kinds; `others`: all others that are not hidden. */
async function walk(directory: string, cwd: string, found: string[], others: string[]): Promise<void> {
  const entries = await readdir(resolveIn(cwd, directory), { withFileTypes: true }).catch(
    (error: unknown) => {
      throw readError(directory, error);
    },
  );
  for (const entry of entries) {
    if (isHidden(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await walk(path, cwd, found, others);
    else if (await isFile(entry, path, cwd))
      (formatFromName(entry.name).format === null ? others : found).push(path);
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
