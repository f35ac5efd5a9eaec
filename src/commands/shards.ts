/** Plans of shards: made by reading the sources through, and loaded one by one. */
import { readFile } from 'node:fs/promises';
import { FeaturectlError } from '../core/errors.ts';
import {
  type Cut,
  type CutList,
  chooseCuts,
  createCutList,
  type Shard,
  type ShardPart,
} from '../core/shards.ts';
import type { Source, SourcePosition } from '../core/types.ts';
import { whyUnread } from '../core/unread.ts';
import { openSource, type SourceLocation } from '../sources/index.ts';
import type { ReadingOptions } from './options.ts';
import { isTold, type Print, printOf } from './prints.ts';
import { openOptions, type Surroundings } from './reading.ts';

/** A source that was read through. */
interface Measured {
  readonly name: string;
  readonly print: Print;
  /** Rows of the sources before it, and its own. */
  readonly before: number;
  readonly rows: number;
  /** Before its first row; null where it has none. */
  readonly start: SourcePosition | null;
}

/** Reads every source from start to end, so that each cut is at the border of a record whatever its quotes hold. */
export async function planShards(
  locations: readonly SourceLocation[],
  reading: ReadingOptions,
  shards: number,
  surroundings: Surroundings,
): Promise<readonly Shard[]> {
  if (locations.some(({ kind }) => kind === 'stdin')) throw untold('- (standard input)');
  for (const location of locations) refuseSecret(location);
  const list = createCutList();
  const sources: Measured[] = [];
  let rows = 0;
  for (const location of locations) {
    const source = await openSource(location, openOptions(reading, surroundings));
    try {
      const measured = await measure(source, sources.length, rows, list);
      const print = await printOf(location, source.info);
      if (!isTold(print)) throw untold(location.name);
      sources.push({ name: location.name, print, ...measured });
      rows += measured.rows;
    } finally {
      await source.close();
    }
  }
  const end: Cut = { at: rows, source: sources.length, position: null, isCheap: true };
  const cuts = chooseCuts(list.cuts(), end, shards);
  return Array.from({ length: shards }, (_, i) => shardOf(sources, reading, cuts, i));
}

function untold(found: string): FeaturectlError {
  return new FeaturectlError(
    'USAGE',
    `expected sources that every process can read for itself and tell the states of apart, found ${found}; save it to a file first`,
  );
}

/** A plan names its sources, and is no place for a password; without it they could not be read. */
function refuseSecret({ kind, name, path }: SourceLocation): void {
  if (kind !== 'http' || name === path) return;
  throw new FeaturectlError(
    'USAGE',
    `expected URLs without a password or signature, as a plan names them, found ${name}; save it to a file first`,
  );
}

/** Adds the cuts of one source. */
async function measure(
  source: Source,
  index: number,
  before: number,
  list: CutList,
): Promise<Pick<Measured, 'before' | 'rows' | 'start'>> {
  list.add({ at: before, source: index, position: null, isCheap: true });
  const borders = blockBorders(source);
  let start: SourcePosition | null = null;
  let rows = 0;
  for await (const batch of source.batches([])) {
    start ??= batch.position(0);
    const first = before + rows;
    rows += batch.rowCount;
    for (let at = list.next(Math.max(first, before + 1)); at < before + rows; at = list.next(at + 1)) {
      const position = batch.position(at - first);
      list.add({ at, source: index, position, isCheap: borders.has(position.row) });
    }
    for (const row of borders) {
      const at = before + row;
      if (at >= first && at < before + rows && list.next(at) !== at) {
        list.add({ at, source: index, position: batch.position(at - first), isCheap: true });
      }
    }
  }
  return { before, rows, start };
}

/** Rows where row groups begin, but the first. */
function blockBorders(source: Source): ReadonlySet<number> {
  const borders = new Set<number>();
  let row = 0;
  for (const rows of source.blocks ?? []) {
    row += rows;
    borders.add(row);
  }
  return borders;
}

function shardOf(
  sources: readonly Measured[],
  reading: ReadingOptions,
  cuts: readonly Cut[],
  index: number,
): Shard {
  const [from, to] = [cuts[index] as Cut, cuts[index + 1] as Cut];
  const parts = sources.flatMap((source, i) => partOf(source, i, from, to));
  const filled = parts.length > 0 ? parts : [emptyPart(sources, from)];
  return {
    shard: index + 1,
    of: cuts.length - 1,
    rows: to.at - from.at,
    first_source: sources[0]?.name ?? '',
    reading: readingPrint(reading),
    parts: filled,
  };
}

function partOf({ name, print, before, rows }: Measured, index: number, from: Cut, to: Cut): ShardPart[] {
  const isInside =
    index >= from.source && (index < to.source || (index === to.source && to.position !== null));
  if (!isInside || from.at === to.at) return [];
  const first = index === from.source ? from : null;
  const last = index === to.source ? to : null;
  const part = {
    source: name,
    rows: Math.min(to.at, before + rows) - Math.max(from.at, before),
    from: first?.position ?? null,
    to: last?.position ?? null,
    ...shown(print),
  };
  return [part];
}

/** A shard without rows still opens a source, so that it fails where the others would. */
function emptyPart(sources: readonly Measured[], from: Cut): ShardPart {
  const { name, print, start } = sources[Math.min(from.source, sources.length - 1)] as Measured;
  const place = from.position ?? start;
  return { source: name, rows: 0, from: place, to: place, ...shown(print) };
}

function shown({ bytes, headSha256, version }: Print): Pick<ShardPart, 'bytes' | 'head_sha256' | 'version'> {
  return { bytes, head_sha256: headSha256, version };
}

function readingPrint({ format, encoding, delimiter }: ReadingOptions): Shard['reading'] {
  return { format, encoding, delimiter };
}

/** `--shard` as it was given. */
export type ShardChoice =
  | { readonly kind: 'none' }
  /** The plan is made here. */
  | { readonly kind: 'nth'; readonly shard: number; readonly of: number }
  | { readonly kind: 'planned'; readonly shard: Shard };

/** `2/4`, `FILE:n` (line n of a plan) or the line itself. Throws USAGE. */
export async function chooseShard(text: string | null): Promise<ShardChoice> {
  if (text === null) return { kind: 'none' };
  const nth = /^(\d{1,4})\/(\d{1,4})$/.exec(text);
  if (nth) {
    const [shard, of] = [Number(nth[1]), Number(nth[2])];
    if (shard >= 1 && shard <= of) return { kind: 'nth', shard, of };
    throw notShard(text, `shards are counted from 1 to ${of}`);
  }
  const line = /^(.+):(\d{1,4})$/.exec(text);
  if (text.startsWith('{') || !line) return { kind: 'planned', shard: parseShard(text, text) };
  return { kind: 'planned', shard: parseShard(await readLine(text, line[1] ?? '', Number(line[2])), text) };
}

async function readLine(given: string, path: string, number: number): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw notShard(given, `found no plan in ${path}: ${whyUnread(error)}`);
  });
  const line = text.split('\n')[number - 1]?.trim();
  if (line) return line;
  throw notShard(given, `${path} has no line ${number}; count its lines, or plan again`);
}

function parseShard(text: string, given: string): Shard {
  try {
    const shard: unknown = JSON.parse(text);
    if (isShard(shard)) return shard;
  } catch {
    // Said below.
  }
  throw notShard(given, 'found another text; take a line of what featurectl plan printed as it is');
}

function isShard(value: unknown): value is Shard {
  if (typeof value !== 'object' || value === null) return false;
  if (!('parts' in value && 'shard' in value && 'of' in value && 'reading' in value)) return false;
  const { parts } = value;
  const isPart = (part: unknown): boolean =>
    typeof part === 'object' && part !== null && 'source' in part && 'from' in part && 'to' in part;
  return Array.isArray(parts) && parts.length > 0 && parts.every(isPart);
}

function notShard(given: string, why: string): FeaturectlError {
  return new FeaturectlError(
    'USAGE',
    `--shard ${given}: expected 2/4, FILE:n with line n of what plan printed, or such a line; ${why}`,
  );
}

/** Throws USAGE where places of the shard were found with other reading options. */
export function assertSameReading(shard: Shard, reading: ReadingOptions): void {
  for (const [name, value] of Object.entries(readingPrint(reading))) {
    const planned = shard.reading[name] ?? null;
    if (planned === value) continue;
    throw new FeaturectlError(
      'USAGE',
      `--shard: expected --${name} as it was planned with (${planned ?? 'not given'}), found ${value ?? 'none'}; give the same, or plan again`,
    );
  }
}

/** Throws SOURCE_CHANGED: the places of a plan hold for the file that was planned. */
export function assertPlanned(part: ShardPart, now: Print): void {
  const isSame = part.bytes === now.bytes && part.version === now.version;
  if (isSame && part.head_sha256 === now.headSha256) return;
  const found =
    part.bytes === now.bytes
      ? 'another version or other bytes at its start'
      : `${now.bytes ?? 'an unknown number of'} bytes`;
  throw new FeaturectlError(
    'SOURCE_CHANGED',
    `${part.source}: expected the file that was planned (${part.bytes} bytes), found ${found}; plan again`,
  );
}
