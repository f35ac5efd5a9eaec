/** `featurectl plan`: one JSON line for each shard of a load. */
import { EXIT } from '../core/errors.ts';
import { expandSources } from '../sources/index.ts';
import type { Io, PlanOptions } from './options.ts';
import { expandOptions } from './reading.ts';
import { planShards } from './shards.ts';

export async function planCommand(options: PlanOptions, io: Io): Promise<number> {
  const locations = await expandSources(options.sources, expandOptions(options.reading, io));
  const shards = await planShards(locations, options.reading, options.shards, io);
  for (const shard of shards) io.stdout.write(`${JSON.stringify(shard)}\n`);
  return EXIT.ok;
}
