/** The grammar of `featurectl verify`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Io, VerifyOptions } from '../commands/options.ts';
import {
  addConnectionOptions,
  addReadingOptions,
  addSchemaOptions,
  type ConnectionFlags,
  connectionOptions,
  ONE_TRY,
  type ReadingFlags,
  readingOptions,
  schemaOptions,
} from './flags.ts';
import { type OptionOrigin, originOf, type SchemaFlags } from './stand-ins.ts';
import { asCount, asCountOrAll } from './values.ts';

interface VerifyFlags extends ConnectionFlags, ReadingFlags, SchemaFlags {
  mode: 'merge' | 'replace';
  sample: number;
  seed: number;
  show: number;
  json: boolean;
  report?: string;
}

const EXAMPLES = `
Compared are the stored bytes of each feature, as ingest would write them now; features with value: ingest_time are
not. Of several rows of a key the last value of each feature counts, in replace the last row.

Examples:
  featurectl verify users.csv --schema users.yaml
  featurectl verify 'out/part-*.parquet' --key user_id --prefix features:user: --ttl 24h --sample 10000
  featurectl verify users.csv --schema users.yaml --mode replace --json
`;

/** Throws InvalidArgumentError. */
function asMode(text: string): 'merge' | 'replace' {
  if (text === 'merge' || text === 'replace') return text;
  const newer =
    'A load in mode newer keeps the latest row of each key, in whatever order they come: sort the file by its ' +
    'event time, and verify that with --mode merge.';
  throw new InvalidArgumentError(text === 'newer' ? newer : 'Allowed choices are merge, replace.');
}

export function addVerify(program: Command, io: Io, done: (code: number) => void): void {
  const command = program
    .command('verify')
    .description('Read sources again and compare them with Redis. Exit 1 when something differs.')
    .argument('<source...>', 'file, glob, directory, URL (http, https, s3, gs) or - for stdin');
  addSchemaOptions(command);
  addReadingOptions(command);
  command
    .addOption(
      new Option('--mode <mode>', 'as they were loaded; with replace no other field may be there')
        .choices(['merge', 'replace'])
        .argParser(asMode)
        .default('merge'),
    )
    .addOption(
      new Option('--sample <keys|all>', 'compare so many keys, chosen by hash')
        .argParser(asCountOrAll)
        .default(Number.POSITIVE_INFINITY, 'all'),
    )
    .option('--seed <n>', 'another seed chooses other keys', asCount(0, 2 ** 31 - 1), 0)
    .option('--show <n>', 'differing keys that are shown', asCount(0, 100_000), 10)
    .option('--json', 'the result as one JSON object', false)
    .option('--report <file>', 'write the result as JSON; - is stdout');
  addConnectionOptions(command, ONE_TRY);
  command.addHelpText('after', EXAMPLES).action(async (sources: string[], flags: VerifyFlags) => {
    done(
      await (await import('../commands/verify.ts')).verifyCommand(
        verifyOptions(sources, flags, originOf(command)),
        io,
      ),
    );
  });
}

function verifyOptions(sources: readonly string[], flags: VerifyFlags, origin: OptionOrigin): VerifyOptions {
  return {
    sources,
    schema: schemaOptions(flags, origin),
    reading: readingOptions(flags),
    connection: connectionOptions({ ...flags, retryFor: flags.retryFor ?? 0 }),
    mode: flags.mode,
    sample: flags.sample,
    seed: flags.seed,
    show: flags.show,
    json: flags.json,
    report: flags.report ?? null,
  };
}
