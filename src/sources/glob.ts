import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';

/** True where a path holds a character that has a meaning in a pattern. */
export function isPattern(text: string): boolean {
  return /[*?[{]/.test(text);
}

/**
 * Paths that a pattern matches, sorted by code unit, without duplicates. `*` and `?` stay inside a path
 * segment, `[a-z]` and `[!a-z]` match one character, `{a,b}` either, and `**` as a whole segment any number of
 * directories (symbolic links are not followed there). Names that start with `.` or `_` are matched only
 * by a segment that starts so itself.
 */
export async function glob(pattern: string, cwd: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const alternative of expandBraces(pattern)) {
    const absolute = isAbsolute(alternative);
    const segments = alternative.split('/').filter((segment) => segment !== '' && segment !== '.');
    const start = absolute ? sep : '';
    for (const path of await matchSegments(start, segments, cwd)) found.add(path);
  }
  return [...found].sort();
}

async function matchSegments(prefix: string, segments: readonly string[], cwd: string): Promise<string[]> {
  const [segment, ...rest] = segments;
  if (segment === undefined) return (await exists(resolveIn(cwd, prefix))) ? [prefix] : [];
  if (segment === '**') return matchDeep(prefix, segments, cwd);
  if (!/[*?[]/.test(segment)) return matchSegments(join(prefix, segment), rest, cwd);
  const test = segmentTest(segment);
  const matches: string[] = [];
  for (const entry of await list(resolveIn(cwd, prefix))) {
    if (test(entry.name)) matches.push(...(await matchSegments(join(prefix, entry.name), rest, cwd)));
  }
  return matches;
}

/** `**` matches no directory, or one and then again `**`. At the end of a pattern it means all files. */
async function matchDeep(prefix: string, segments: readonly string[], cwd: string): Promise<string[]> {
  const rest = segments.length === 1 ? ['*'] : segments.slice(1);
  const matches = await matchSegments(prefix, rest, cwd);
  for (const entry of await list(resolveIn(cwd, prefix))) {
    if (!entry.isDirectory() || isHidden(entry.name)) continue;
    matches.push(...(await matchDeep(join(prefix, entry.name), segments, cwd)));
  }
  return matches;
}

/** Files that writers leave beside the data: `.crc`, `_SUCCESS`, `_delta_log`. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || name.startsWith('_');
}

/** Reads `{a,b{c,d}}` as `a`, `bc`, `bd`. A brace without a comma or a partner stands for itself. */
export function expandBraces(pattern: string): readonly string[] {
  const open = findGroup(pattern);
  if (open === null) return [pattern];
  const before = pattern.slice(0, open.start);
  const tails = expandBraces(pattern.slice(open.end + 1));
  return open.parts.flatMap((part) =>
    expandBraces(part).flatMap((middle) => tails.map((tail) => before + middle + tail)),
  );
}

interface Group {
  readonly start: number;
  readonly end: number;
  readonly parts: readonly string[];
}

function findGroup(pattern: string): Group | null {
  for (let start = pattern.indexOf('{'); start !== -1; start = pattern.indexOf('{', start + 1)) {
    const group = readGroup(pattern, start);
    if (group !== null && group.parts.length > 1) return group;
  }
  return null;
}

function readGroup(pattern: string, start: number): Group | null {
  const parts: string[] = [];
  let depth = 0;
  let from = start + 1;
  for (let at = start; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === '{') depth++;
    if (char === '}') depth--;
    if ((char === ',' && depth === 1) || depth === 0) {
      parts.push(pattern.slice(from, at));
      from = at + 1;
    }
    if (depth === 0) return { start, end: at, parts };
  }
  return null;
}

/** Whether a whole path, with `/` between its segments, fits a pattern; `**` fits any number of segments. */
export function globTest(pattern: string): (path: string) => boolean {
  const tests = expandBraces(pattern).map((one) => pathTest(segmentsOf(one).map(segmentOrAny)));
  return (path) => tests.some((test) => test(path.split('/')));
}

type SegmentTest = (name: string) => boolean;

/** `**` at the end means all files below. */
function segmentsOf(pattern: string): string[] {
  const segments = pattern.split('/');
  return segments.at(-1) === '**' ? [...segments, '*'] : segments;
}

/** Null: `**`. */
function segmentOrAny(segment: string): SegmentTest | null {
  if (segment === '**') return null;
  return /[*?[]/.test(segment) ? segmentTest(segment) : (name) => name === segment;
}

function pathTest(tests: readonly (SegmentTest | null)[]): (path: readonly string[]) => boolean {
  const [test, ...rest] = tests;
  if (test === undefined) return (path) => path.length === 0;
  const onward = pathTest(rest);
  if (test === null) {
    return (path) => {
      for (let at = 0; at <= path.length; at++) {
        if (onward(path.slice(at))) return true;
        if (isHidden(path[at] ?? '')) return false;
      }
      return false;
    };
  }
  return ([first, ...more]) => first !== undefined && test(first) && onward(more);
}

function segmentTest(segment: string): (name: string) => boolean {
  const regex = new RegExp(`^${segmentSource(segment)}$`, 'su');
  const first = segment[0];
  return (name) => (!isHidden(name) || name[0] === first) && regex.test(name);
}

function segmentSource(segment: string): string {
  let source = '';
  for (let at = 0; at < segment.length; at++) {
    const char = segment[at]!;
    const close = char === '[' ? segment.indexOf(']', at + 2) : -1;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (close !== -1) {
      source += classSource(segment.slice(at + 1, close));
      at = close;
    } else source += escapeRegex(char);
  }
  return source;
}

function classSource(body: string): string {
  const negated = body.startsWith('!') || body.startsWith('^');
  const inner = (negated ? body.slice(1) : body).replace(/[\\\]^[&~|]/gu, '\\$&');
  return `[${negated ? '^' : ''}${inner}]`;
}

function escapeRegex(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&');
}

function resolveIn(cwd: string, path: string): string {
  return isAbsolute(path) ? path : join(cwd, path);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Entries of a directory; none where it is not one or cannot be read, as a shell's glob does. */
async function list(path: string): Promise<readonly Dirent[]> {
  return readdir(path, { withFileTypes: true }).catch(() => []);
}
