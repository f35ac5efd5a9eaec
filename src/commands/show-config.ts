/** `--show-config`: the options in force as a YAML text that may be a featurectl.yaml, with the source of each. */
import { redactOption } from '../output/redact.ts';
import type { Io } from './options.ts';

export interface ShownOption {
  readonly key: string;
  /** As text; null: not given, and no default. */
  readonly value: string | readonly string[] | null;
  /** Such as `default` or `env FEATURECTL_TTL`. */
  readonly from: string;
  /** A default in words, which the option itself would not take. */
  readonly isComment: boolean;
  readonly isSwitch: boolean;
}

export function showConfig(command: string, options: readonly ShownOption[], io: Io): void {
  const lines = options.map((option) => ({ text: lineOf(option), from: option.from }));
  const width = Math.max(...lines.map(({ text }) => text.length));
  io.stdout.write(`# featurectl ${command}: the options in force and where each comes from\n`);
  for (const { text, from } of lines) io.stdout.write(`${text.padEnd(width)}  # ${from}\n`);
}

/** The value of one option as it may be shown. */
export function maskSecrets(key: string, value: string): string {
  return redactOption(key, value);
}

function lineOf({ key, value, isComment, isSwitch }: ShownOption): string {
  if (value === null || isComment) return `# ${key}: ${value ?? 'not given'}`;
  if (typeof value === 'string') return `${key}: ${isSwitch ? value : scalar(maskSecrets(key, value))}`;
  return `${key}: [${value.map((item) => scalar(maskSecrets(key, item))).join(', ')}]`;
}

/** JSON's quotes are YAML's too; plain words and numbers do without. */
function scalar(text: string): string {
  const isPlain = /^[\w./][\w./%+-]*$/.test(text) && !/^(?:true|false|null|~)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
