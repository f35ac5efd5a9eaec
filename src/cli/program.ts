/** The grammar: argv and environment → plain typed options. Each command's code is loaded when it is called. */
import { Command, CommanderError } from 'commander';
import type { GetOptions, IngestOptions, Io, ServeOptions } from '../commands/options.ts';
import { packageVersion } from '../commands/version.ts';
import { EXIT, FeaturectlError } from '../core/errors.ts';
import { addCheck } from './check.ts';
import { addCompletion } from './completion.ts';
import { addConfig } from './config.ts';
import {
  addConnectionOptions,
  addReadingOptions,
  addRunOptions,
  addSchemaOptions,
  addWritingOptions,
  type GetFlags,
  getOptions,
  type IngestFlags,
  ingestOptions,
  ONE_TRY,
} from './flags.ts';
import { addInfer } from './infer.ts';
import { wantsJsonErrors } from './log-form.ts';
import { addPlan } from './plan.ts';
import { addServe } from './serve.ts';
import { originOf } from './stand-ins.ts';
import { addVerify } from './verify.ts';

export type { Io };

/** Where typed options go; tests of the grammar put their own here. */
export interface Handlers {
  ingest(options: IngestOptions, io: Io): Promise<number>;
  get(options: GetOptions, io: Io): Promise<number>;
  serve(options: ServeOptions, io: Io): Promise<number>;
}

const lazyHandlers: Handlers = {
  ingest: async (options, io) => (await import('../commands/ingest.ts')).ingestCommand(options, io),
  get: async (options, io) => (await import('../commands/get.ts')).getCommand(options, io),
  serve: async (options, io) => (await import('../commands/serve.ts')).serveCommand(options, io),
};

/**
 * Runs one command line (without node and script). Returns the exit code; throws FeaturectlError, unless messages are
 * to be JSON: then it says itself what went wrong.
 */
export async function runCli(
  argv: readonly string[],
  process: Io,
  handlers: Handlers = lazyHandlers,
): Promise<number> {
  const io: Io = { ...process, argv };
  const run: { exitCode: number; command: Command | null; complaint: string } = {
    exitCode: EXIT.ok,
    command: null,
    complaint: '',
  };
  const program = buildProgram(io, handlers, (code) => {
    run.exitCode = code;
  });
  for (const command of [program, ...program.commands]) {
    command.configureOutput({
      writeErr: (text) => {
        run.complaint += text;
      },
    });
  }
  addConfig(program, io, argv);
  program.hook('preAction', (_program, command) => {
    run.command = command;
  });
  // Until the options of the command are settled, it is asked where they would come from.
  const isJson = async (): Promise<boolean> => {
    const form: unknown = run.command?.opts().log;
    if (form !== undefined) return form === 'json';
    return wantsJsonErrors(
      argv,
      io.env,
      program.commands.map((command) => command.name()),
    );
  };
  try {
    await program.parseAsync(withoutHelp(argv, program), { from: 'user' });
    return run.exitCode;
  } catch (error) {
    // What was waited for threw the reason of the signal, which is its exit code.
    if (io.signal.aborted && error === io.signal.reason && typeof error === 'number') return error;
    const isGrammar = error instanceof CommanderError;
    if (isGrammar && error.exitCode === 0) return EXIT.ok;
    if (!(await isJson())) {
      if (!isGrammar) throw error;
      io.stderr.write(run.complaint);
      return EXIT.usage;
    }
    const { tellError } = await import('../commands/tell-error.ts');
    return tellError(isGrammar ? usageError(run.complaint) : error, io);
  }
}

/** commander answers --help, and `help`, of a command that there is not with the help of all, as if it were well. */
function withoutHelp(argv: readonly string[], program: Command): string[] {
  const [first, second] = argv;
  const name = first === 'help' ? second : first;
  const isKnown = (text: string): boolean =>
    text === 'help' || program.commands.some((command) => command.name() === text);
  return name === undefined || name.startsWith('-') || isKnown(name) ? [...argv] : [name];
}

function usageError(complaint: string): FeaturectlError {
  return new FeaturectlError(
    'USAGE',
    complaint
      .replace(/^error: /, '')
      .trim()
      .replaceAll('\n', ' '),
  );
}

/** The whole grammar: what parses a command line, and what docs and completion are made from. */
export function buildProgram(io: Io, handlers: Handlers, done: (code: number) => void): Command {
  const program = new Command('featurectl')
    .description('Load batches of ML features from CSV, ndjson, Parquet and Arrow into Redis.')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('(featurectl COMMAND --help shows the options)')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    });
  addIngest(program, io, handlers, done);
  addValidate(program, io, handlers, done);
  addInfer(program, io, done);
  addPlan(program, io, done);
  addGet(program, io, handlers, done);
  addVerify(program, io, done);
  addCompletion(program, io);
  addServe(program, io, handlers.serve, done);
  addCheck(program, io, done);
  program.addHelpText('after', ABOUT);
  return program;
}

const ABOUT = `
Start with:
  featurectl infer users.csv > users.yaml
  featurectl ingest users.csv --schema users.yaml
  featurectl get USER --schema users.yaml

Every option may also come from FEATURECTL_<NAME> or featurectl.yaml; --show-config says where each comes from.

Exit codes:
  0 ok   1 finished, some rows failed or a negative answer   2 usage or schema
  3 more failures than --max-errors   4 source, Redis or disk failed   5 a bug   130/143 interrupted
`;

function addIngest(program: Command, io: Io, handlers: Handlers, done: (code: number) => void): void {
  const command = program
    .command('ingest')
    .description('Write the rows of CSV, ndjson, Parquet or Arrow files to Redis hashes with a TTL.')
    .argument(
      '[source...]',
      'file, glob, directory, URL (http, https, s3, gs) or - for stdin; several are one run',
    );
  addLoadOptions(command)
    .option('--dry-run', 'do everything but write; needs no Redis', false)
    .option(
      '--shard <n/N|FILE:line|JSON>',
      'load one shard: of a plan made now, or a line of what plan printed, which names its sources',
    )
    .option(
      '--checkpoint <file>',
      'keep in this file how far the load has come; the same command resumes it',
    );
  command.addHelpText('after', INGEST_EXAMPLES).action(async (sources: string[], flags: IngestFlags) => {
    if (sources.length === 0 && flags.shard === undefined) {
      command.error("error: missing required argument 'source' (or --shard with a line of a plan)");
    }
    done(await handlers.ingest(ingestOptions(sources, flags, originOf(command)), io));
  });
}

/** What ingest and validate have in common: all but --dry-run. */
function addLoadOptions(command: Command): Command {
  addSchemaOptions(command);
  addReadingOptions(command);
  addWritingOptions(command);
  addConnectionOptions(command);
  return addRunOptions(command);
}

const INGEST_EXAMPLES = `
Examples:
  featurectl ingest users.csv --schema users.yaml
  featurectl ingest 'out/part-*.parquet' --key user_id --prefix features:user: --ttl 24h
  featurectl ingest 's3://bucket/day=1/*.parquet' https://host/users.csv.gz --schema users.yaml
  jq -c '.[]' users.json | featurectl ingest - --schema users.yaml --max-errors 0.1% --rejects bad.csv

Write modes: merge sets the fields of a row and keeps other fields of the hash; replace makes the row the
whole hash, whatever the key held before; newer is merge where event_time is later than the stored one.
`;

const VALIDATE_EXAMPLES = `
Examples:
  featurectl validate users.csv --schema users.yaml
  featurectl validate 'out/*.parquet' --schema users.yaml --max-errors 0.1% --rejects bad.csv --quiet
`;

/** validate says all that is wrong, unless told to stop earlier. */
const EVERY_ERROR = { kind: 'count', max: Number.POSITIVE_INFINITY } as const;

function addValidate(program: Command, io: Io, handlers: Handlers, done: (code: number) => void): void {
  const command = program
    .command('validate')
    .description(
      'Says which rows ingest would reject; ingest --dry-run with --max-errors all. Needs no Redis.',
    )
    .argument('<source...>', 'file, glob, directory, URL (http, https, s3, gs) or - for stdin');
  addLoadOptions(command).addHelpText('after', VALIDATE_EXAMPLES);
  command.action(async (sources: string[], flags: IngestFlags) => {
    done(
      await handlers.ingest(
        ingestOptions(sources, { maxErrors: EVERY_ERROR, ...flags, dryRun: true }, originOf(command)),
        io,
      ),
    );
  });
}

const GET_EXAMPLES = `
Bytes that are no UTF-8 are shown one by one as \\xNN (and a backslash beside them as \\x5c).

Examples:
  featurectl get user_0001 user_0002 --schema users.yaml
  featurectl get '["a,b","c"]' --schema composite.yaml --json
`;

function addGet(program: Command, io: Io, handlers: Handlers, done: (code: number) => void): void {
  const command = program
    .command('get')
    .description('Show the features, TTL and age of entities. Exit 1 when one is missing or cannot be read.')
    .argument(
      '<entity...>',
      'an entity; for a composite key the parts joined by commas, or a JSON array of them',
    )
    .option('-s, --schema <file>', 'schema file; values are then shown typed')
    .option('--prefix <text>', 'without a schema: what stands before the entity in the key', '')
    .option('--json', 'one JSON object a line', false);
  addConnectionOptions(command, ONE_TRY);
  command.addHelpText('after', GET_EXAMPLES).action(async (entities: string[], flags: GetFlags) => {
    done(await handlers.get(getOptions(entities, flags), io));
  });
}
