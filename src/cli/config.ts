/**
 * Every option of every command may come from a flag, from FEATURECTL_<NAME>, or from featurectl.yaml; the first of
 * these counts. It works on the options that commands declare, so that a new option is a part of it by itself.
 */
import { type Command, CommanderError, InvalidArgumentError, type Option } from 'commander';
import type { Io } from '../commands/options.ts';
import { maskSecrets, type ShownOption, showConfig } from '../commands/show-config.ts';
import { type ConfigEntry, configError, entryOf, readConfig } from './config-file.ts';
import { nearest } from './nearest.ts';
import { envNames, isSwitch, optionKey, optionValue, type RawValue } from './option-value.ts';

/** Options about the options; only flags make sense of them, and --config also of FEATURECTL_CONFIG. */
const OWN = new Set(['config', 'show-config', 'help']);

/** What is known of an option's value besides the value itself. */
interface Origin {
  readonly raw: RawValue;
  /** As a user would name it: `flag`, `env FEATURECTL_TTL`, `featurectl.yaml:3`. */
  readonly from: string;
}

/** To be called when all commands have their options. */
export function addConfig(program: Command, io: Io, argv: readonly string[]): void {
  const typed = new Map<Option, string[]>();
  for (const command of program.commands) {
    if (command.options.length === 0) continue;
    command.option(
      '--config <file>',
      'options from this file (default: featurectl.yaml, where there is one)',
    );
    command.option('--show-config', 'print the options in force and where each comes from, and end');
    for (const option of command.options) {
      command.on(`option:${option.name()}`, (text: string | null | undefined) => {
        typed.set(option, [...(typed.get(option) ?? []), text ?? String(!option.negate)]);
      });
    }
    if (asksToShow(argv)) for (const argument of command.registeredArguments) argument.argOptional();
  }
  program.hook('preAction', async (_program, command) => {
    if (command.options.length === 0) return;
    const origins = await settle(program, command, io.env, typed);
    if (command.opts().showConfig !== true) return;
    showConfig(command.name(), shownOptions(command, origins), io);
    throw new CommanderError(0, 'featurectl.showConfig', '');
  });
}

function asksToShow(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).includes('--show-config');
}

/** Gives each option that no flag set its value from elsewhere. Throws USAGE with all problems. */
async function settle(
  program: Command,
  command: Command,
  env: NodeJS.ProcessEnv,
  typed: ReadonlyMap<Option, string[]>,
): Promise<ReadonlyMap<Option, Origin>> {
  const { config } = command.opts<{ config?: string }>();
  const entries = await readConfig(
    config ?? (env.FEATURECTL_CONFIG || null),
    program.commands.map((other) => other.name()),
  );
  const problems = [...unknownVariables(program, env), ...unknownEntries(program, entries)];
  const origins = new Map<Option, Origin>();
  for (const option of ownOptions(command)) {
    const texts = typed.get(option);
    const origin = texts
      ? { raw: texts.length === 1 ? (texts[0] ?? '') : texts, from: 'flag' }
      : (fromEnv(option, env) ?? fromFile(option, command.name(), entries));
    if (!origin) continue;
    origins.set(option, origin);
    const problem = texts ? null : setValue(command, option, origin);
    if (problem !== null) problems.push(problem);
  }
  if (problems.length > 0) throw configError(problems);
  return origins;
}

/** Options of a command that may come from elsewhere. */
export function ownOptions(command: Command): Option[] {
  return command.options.filter((option) => !OWN.has(option.name()));
}

/** An empty variable is one that is not given. */
function fromEnv(option: Option, env: NodeJS.ProcessEnv): Origin | null {
  for (const name of envNames(option)) {
    const raw = env[name];
    if (raw && !isServiceLink(name, raw)) return { raw, from: `env ${name}` };
  }
  return null;
}

function fromFile(option: Option, command: string, entries: readonly ConfigEntry[]): Origin | null {
  const entry = entryOf(entries, command, optionKey(option));
  return entry ? { raw: entry.value, from: entry.place } : null;
}

/** Says what is wrong, or null. */
function setValue(command: Command, option: Option, { raw, from }: Origin): string | null {
  try {
    command.setOptionValueWithSource(option.attributeName(), optionValue(option, raw), from);
    return null;
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    const found = maskSecrets(optionKey(option), typeof raw === 'string' ? raw : raw.join(', '));
    const where = from.startsWith('env ') ? from.slice('env '.length) : `${from}: ${optionKey(option)}`;
    return `${where}: found "${found}". ${error.message}`;
  }
}

/** A misspelt variable would otherwise be a default that nobody asked for. */
function unknownVariables(program: Command, env: NodeJS.ProcessEnv): string[] {
  const options = program.commands.flatMap(ownOptions);
  const known = new Set(['FEATURECTL_CONFIG', ...options.flatMap(envNames)]);
  const isUnknown = (name: string): boolean =>
    name.startsWith('FEATURECTL_') && !known.has(name) && !isServiceLink(name, env[name] ?? '');
  return Object.keys(env)
    .filter((name) => env[name] && isUnknown(name))
    .map((name) => `${name}: no command has such an option${nearest(name, known)}`);
}

/** What Kubernetes sets in every pod for a Service named featurectl: no options of ours. */
function isServiceLink(name: string, value: string): boolean {
  if (/^FEATURECTL_(?:.*_)?PORT$/.test(name)) return /^(?:tcp|udp|sctp):\/\//.test(value);
  return /^FEATURECTL_(?:.*_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_.+)?)$/.test(
    name,
  );
}

function unknownEntries(program: Command, entries: readonly ConfigEntry[]): string[] {
  return entries.flatMap(({ section, key, place }) => {
    const commands = program.commands.filter((command) => section === null || command.name() === section);
    const known = new Set(commands.flatMap(ownOptions).map(optionKey));
    if (known.has(key)) return [];
    const whose = section === null ? 'no command has' : `${section} does not have`;
    return [`${place}: ${key}: ${whose} such an option${nearest(key, known)}`];
  });
}

function shownOptions(command: Command, origins: ReadonlyMap<Option, Origin>): ShownOption[] {
  return ownOptions(command).map((option) => {
    const origin = origins.get(option);
    return {
      key: optionKey(option),
      value: origin?.raw ?? defaultText(option),
      isComment: !origin && !isValue(option, defaultText(option)),
      from: origin?.from ?? 'default',
      isSwitch: isSwitch(option),
    };
  });
}

/** False for a default that is said in words, such as "by file extension". */
function isValue(option: Option, text: string | null): boolean {
  if (text === null || /\s/.test(text)) return false;
  try {
    optionValue(option, text);
    return true;
  } catch {
    return false;
  }
}

/** As a user would write it; null where there is none. Some options say their default in words. */
export function defaultText(option: Option): string | null {
  const { defaultValue, defaultValueDescription, description } = option;
  if (defaultValueDescription !== undefined) return defaultValueDescription;
  if (defaultValue !== undefined && defaultValue !== '') return String(defaultValue);
  if (option.negate) return 'true';
  return /\(default: ([^)]*)\)/.exec(description)?.[1] ?? (option.isBoolean() ? 'false' : null);
}
