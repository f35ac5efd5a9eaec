/** What a run reads, in order: whole sources, or the parts of a shard. */
import { createHash } from 'node:crypto';
import { FeaturectlError } from '../core/errors.ts';
import type { Shard } from '../core/shards.ts';
import type { Source, SourceRange } from '../core/types.ts';
import { expandSources, type SourceLocation } from '../sources/index.ts';
import type { IngestOptions } from './options.ts';
import { expandOptions, type Surroundings } from './reading.ts';
import { assertSameReading, planShards, type ShardChoice } from './shards.ts';

export interface Part {
  readonly location: SourceLocation;
  /** Its index among all parts of the load. */
  readonly index: number;
  /** Null: all of the source. */
  readonly range: SourceRange | null;
}

export interface Work {
  readonly parts: readonly Part[];
  /** Without a schema file, the columns of this source make the schema. */
  readonly first: SourceLocation | undefined;
  readonly shard: Shard | null;
}

/** The sources of the command line or of the planned shard. Throws USAGE where both or none are given. */
export function namedSources({ sources }: IngestOptions, choice: ShardChoice): readonly string[] {
  if (choice.kind !== 'planned') {
    if (sources.length > 0) return sources;
    throw new FeaturectlError('USAGE', 'expected a source, or --shard with a line of a plan; found neither');
  }
  if (sources.length === 0) return choice.shard.parts.map(({ source }) => source);
  throw new FeaturectlError(
    'USAGE',
    `expected no source beside --shard, whose plan names the sources, found ${sources.join(' ')}; leave it out, or give --shard as n/N`,
  );
}

/** Makes the plan where only the number of a shard is given. */
export async function findWork(
  { reading }: IngestOptions,
  locations: readonly SourceLocation[],
  choice: ShardChoice,
  surroundings: Surroundings,
): Promise<Work> {
  if (choice.kind === 'none') {
    const parts = locations.map((location, index) => ({ location, index, range: null }));
    return { parts, first: locations[0], shard: null };
  }
  if (choice.kind === 'planned') {
    assertSameReading(choice.shard, reading);
    const [first] = await expandSources([choice.shard.first_source], expandOptions(reading, surroundings));
    return { parts: partsOf(choice.shard, locations), first, shard: choice.shard };
  }
  const shard = (await planShards(locations, reading, choice.of, surroundings))[choice.shard - 1] as Shard;
  return { parts: partsOf(shard, locations), first: locations[0], shard };
}

function partsOf(shard: Shard, locations: readonly SourceLocation[]): readonly Part[] {
  return shard.parts.map(({ source, from, to }, index) => {
    const location = locations.find(({ name }) => name === source);
    if (location) return { location, index, range: { from, to } };
    throw new FeaturectlError(
      'SOURCE_MISSING',
      `${source}: expected the file that the shard names, found none`,
    );
  });
}

/** The source, of which only the range is read. */
export function ranged(source: Source, range: SourceRange | null): Source {
  return range === null ? source : { ...source, batches: (selected) => source.batches(selected, range) };
}

/** Tells shards apart, for a checkpoint; null: no shard. */
export function shardPrint(shard: Shard | null): string | null {
  if (shard === null) return null;
  const hash = createHash('sha256').update(JSON.stringify(shard.parts)).digest('hex');
  return `${shard.shard}/${shard.of} (${hash.slice(0, 8)})`;
}
