/** The grammar of `featurectl check`. */
import { type Command, Option } from 'commander';
import type { CheckOptions, Io, NullRateLimit } from '../commands/options.ts';
import { FeaturectlError } from '../core/errors.ts';
import { addConnectionOptions, type ConnectionFlags, connectionOptions, ONE_TRY } from './flags.ts';
import { asCount, asCountOrAll, asLongDuration, asNullRates } from './values.ts';

interface CheckFlags extends ConnectionFlags {
  schema?: string;
  entities?: string;
  sample: number;
  minCount: number;
  maxAge?: number;
  maxMedianAge?: number;
  minTtl?: number;
  maxNoTtl?: number;
  maxNullRate?: readonly NullRateLimit[];
  json: boolean;
}

const EXAMPLES = `
Keys are found by SCAN, of a Cluster on every master. Ages are counted from the schema's event_time.

Examples:
  featurectl check --schema users.yaml
  featurectl check --schema users.yaml --min-count 100000 --max-age 26h --min-ttl 30m --max-no-ttl 0
  featurectl check --schema users.yaml --sample 10000 --max-null-rate 5% --max-null-rate category=40% --json
`;

const MOST = 1e12;

export function addCheck(program: Command, io: Io, done: (code: number) => void): void {
  const command = program
    .command('check')
    .description('Show how fresh and how full the keys of a schema are. Exit 1 when a threshold is broken.')
    .option('-s, --schema <file>', 'schema file (YAML or JSON)')
    .option('--entities <file>', 'these entities, one a line, instead of all keys; - is stdin')
    .addOption(
      new Option('--sample <keys|all>', 'read so many keys, chosen by hash; all are counted')
        .argParser(asCountOrAll)
        .default(Number.POSITIVE_INFINITY, 'all'),
    )
    .option('--min-count <n>', 'keys that there must be', asCount(0, MOST), 1)
    .option('--max-age <duration>', 'how old the oldest event time may be, such as 26h', asLongDuration)
    .option(
      '--max-median-age <duration>',
      'how old the event time of half of the entities may be',
      asLongDuration,
    )
    .option('--min-ttl <duration>', 'what each TTL must have left, such as 30m', asLongDuration)
    .option('--max-no-ttl <n>', 'keys that may be without TTL', asCount(0, MOST))
    .option(
      '--max-null-rate <share>',
      'entities that may lack a feature, such as 5%, or name=5% for one feature; may be repeated',
      asNullRates,
    )
    .option('--json', 'the result as one JSON object', false);
  addConnectionOptions(command, ONE_TRY);
  command.addHelpText('after', EXAMPLES).action(async (flags: CheckFlags) => {
    done(await (await import('../commands/check.ts')).checkCommand(checkOptions(flags), io));
  });
}

/** Throws USAGE without a schema. */
function checkOptions(flags: CheckFlags): CheckOptions {
  if (flags.schema === undefined) {
    throw new FeaturectlError(
      'USAGE',
      'check: expected --schema FILE, which says what the keys are, found none',
    );
  }
  return {
    schemaFile: flags.schema,
    entities: flags.entities ?? null,
    sample: flags.sample,
    thresholds: {
      minCount: flags.minCount,
      maxAge: flags.maxAge ?? null,
      maxMedianAge: flags.maxMedianAge ?? null,
      minTtl: flags.minTtl ?? null,
      maxNoTtl: flags.maxNoTtl ?? null,
      maxNullRates: flags.maxNullRate ?? [],
    },
    connection: connectionOptions({ ...flags, retryFor: flags.retryFor ?? 0 }),
    json: flags.json,
  };
}
