/** Options that stand in for a schema file, told where they were given beside one. */
import { type Command, Option } from 'commander';
import { FeaturectlError } from '../core/errors.ts';

export interface SchemaFlags {
  schema?: string;
  key?: string[];
  prefix: string;
  ttl?: string;
  ttlJitter?: string;
  timezone?: string;
  allowNonfinite: boolean;
  nullToken?: readonly string[];
}

/** Where the value of an option came from if not from a flag, such as `featurectl.yaml:4`; null: from a flag. */
export type OptionOrigin = (name: string) => string | null;

/** By the names that commander gives the sources, and src/cli/config.ts the others. */
export function originOf(command: Command): OptionOrigin {
  return (name) => {
    const source = command.getOptionValueSource(new Option(name).attributeName());
    return source === undefined || source === 'cli' || source === 'default'
      ? null
      : source.replace(/^env /, '');
  };
}

/** Throws USAGE for every such option, with the line that says the same in the schema file. */
export function refuseStandIns(schema: string, flags: SchemaFlags, origin: OptionOrigin): void {
  const given = standIns(flags).filter(({ line }) => line !== null);
  if (given.length === 0) return;
  const names = given.map(({ name }) => {
    const from = origin(name);
    return from === null ? name : `${name} (from ${from})`;
  });
  const lines = [...new Set(given.map(({ line }) => line))].join(' and ');
  const leave = given.some(({ name }) => origin(name) !== null) ? ', and take it out where it is given' : '';
  throw new FeaturectlError(
    'USAGE',
    `${names.join(', ')}: cannot go with --schema ${schema}; say it in the schema file${leave}: ${lines}`,
  );
}

/** `line` null: not given. */
function standIns(flags: SchemaFlags): readonly { name: string; line: string | null }[] {
  const braces = flags.key?.map((column) => `{${column}}`).join(':') ?? '{COLUMN}';
  const line = (key: string, value: string | undefined): string | null =>
    value === undefined ? null : `${key}: ${value}`;
  return [
    { name: '--key', line: line('key', flags.key && JSON.stringify(`${flags.prefix}${braces}`)) },
    {
      name: '--prefix',
      line: line('key', flags.prefix === '' ? undefined : JSON.stringify(`${flags.prefix}${braces}`)),
    },
    { name: '--ttl', line: line('ttl', flags.ttl) },
    { name: '--ttl-jitter', line: line('ttl_jitter', flags.ttlJitter) },
    { name: '--timezone', line: line('timezone', flags.timezone && JSON.stringify(flags.timezone)) },
    {
      name: '--allow-nonfinite',
      line: flags.allowNonfinite ? 'FEATURE: { type: float64, allow_nonfinite: true }' : null,
    },
    {
      name: '--null-token',
      line: line(
        'null',
        flags.nullToken && `{ tokens: [${['', ...flags.nullToken].map(token).join(', ')}] }`,
      ),
    },
  ];
}

/** A word as it is, anything else in quotes. */
function token(text: string): string {
  return /^[A-Za-z]+$/.test(text) ? text : JSON.stringify(text);
}
