/** The grammar of `featurectl plan`. */
import type { Command } from 'commander';
import type { Io } from '../commands/options.ts';
import { FeaturectlError } from '../core/errors.ts';
import { addReadingOptions, type ReadingFlags, readingOptions } from './flags.ts';
import { asCount } from './values.ts';

interface PlanFlags extends ReadingFlags {
  shards?: number;
}

const EXAMPLES = `
A key that stands in two shards gets the row of whichever process comes last: cut by shards what has each key once, or
load with --mode newer.

Examples:
  featurectl plan users.csv --shards 4 > plan.jsonl
  featurectl ingest --shard plan.jsonl:2 --schema users.yaml
  featurectl plan 'out/part-*.parquet' --shards 16 | parallel -j 4 featurectl ingest --shard {} --schema users.yaml
`;

export function addPlan(program: Command, io: Io, done: (code: number) => void): void {
  const command = program
    .command('plan')
    .description('Print one JSON line for each of N shards, which ingest --shard loads side by side.')
    .argument('<source...>', 'file, glob or directory; several are one load')
    .option('--shards <n>', 'into how many shards', asCount(1, 1000));
  addReadingOptions(command);
  command.addHelpText('after', EXAMPLES).action(async (sources: string[], flags: PlanFlags) => {
    if (flags.shards === undefined)
      throw new FeaturectlError('USAGE', 'expected --shards N, such as --shards 4');
    const options = { sources, shards: flags.shards, reading: readingOptions(flags) };
    done(await (await import('../commands/plan.ts')).planCommand(options, io));
  });
}
