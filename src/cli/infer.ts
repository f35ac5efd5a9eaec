/** The grammar of `featurectl infer`. */
import type { Command } from 'commander';
import type { InferOptions, Io } from '../commands/options.ts';
import { addReadingOptions, type ReadingFlags, readingOptions } from './flags.ts';
import { asCountOrAll, asRepeated, commaList } from './values.ts';

interface InferFlags extends ReadingFlags {
  sample: number;
  key?: string[];
  name?: string;
  prefix?: string;
  ttl?: string;
  timezone?: string;
  nullToken?: readonly string[];
}

const EXAMPLES = `
Types are those that hold for every row seen, and only where nothing is lost: 007 stays text, a whole number that
looks like a time stays a number. Ranges, nulls and what else a column might be stand beside it as comments. Rows
behind the sample may be of another kind: --sample all looks at every row.

Examples:
  featurectl infer users.csv > users.yaml
  featurectl infer part-0.parquet --key user_id --ttl 6h --name user_features > users.yaml
  zcat users.csv.gz | featurectl infer - --sample all --null-token NA
`;

export function addInfer(program: Command, io: Io, done: (code: number) => void): void {
  const command = program
    .command('infer')
    .description('Print a commented schema file from Parquet or Arrow types, or from a sample of a CSV file.')
    .argument('<source>', 'file, glob or directory (its first file), or - for stdin')
    .option('--sample <rows|all>', 'rows that are looked at', asCountOrAll, 10_000)
    .option(
      '--key <columns>',
      'entity column, or several joined by commas (default: a unique one)',
      commaList,
    )
    .option('--name <name>', 'name of the feature view (default: after the file)')
    .option('--prefix <text>', 'what stands before the entity in the key (default: features:NAME:)')
    .option('--ttl <duration>', 'time to live of each key (default: 24h, to be looked at)')
    .option('--timezone <zone>', 'zone of times that name none')
    .option('--null-token <text>', 'an unquoted CSV cell that means null; may be repeated', asRepeated);
  addReadingOptions(command);
  command.addHelpText('after', EXAMPLES).action(async (source: string, flags: InferFlags) => {
    done(await (await import('../commands/infer.ts')).inferCommand(inferOptions(source, flags), io));
  });
}

function inferOptions(source: string, flags: InferFlags): InferOptions {
  return {
    source,
    sample: flags.sample,
    key: flags.key ?? [],
    name: flags.name ?? null,
    prefix: flags.prefix ?? null,
    ttl: flags.ttl ?? null,
    timezone: flags.timezone ?? null,
    nullTokens: flags.nullToken ?? [],
    reading: readingOptions(flags),
  };
}
