/** featurectl.yaml: options of all commands, and sections of one command each. */
import { readFile } from 'node:fs/promises';
import type { Node, Pair } from 'yaml';
import { FeaturectlError } from '../core/errors.ts';
import { whyUnread } from '../core/unread.ts';
import { binaryProblem, yamlProblems } from '../core/yaml-words.ts';
import { nearest } from './nearest.ts';
import type { RawValue } from './option-value.ts';

export const CONFIG_NAME = 'featurectl.yaml';

export interface ConfigEntry {
  /** The command whose section it stands in; null: for every command that has such an option. */
  readonly section: string | null;
  /** With dashes, however it is written. */
  readonly key: string;
  readonly value: RawValue;
  /** `featurectl.yaml:12`. */
  readonly place: string;
}

/**
 * The entries in the order of the file; none where no file is named and the working directory has none.
 * A key that is one of `commands` and holds a map is that command's section.
 * Throws USAGE with every problem of form.
 */
export async function readConfig(
  named: string | null,
  commands: readonly string[],
): Promise<readonly ConfigEntry[]> {
  const path = named ?? CONFIG_NAME;
  const text = await read(path, named !== null);
  if (text === null) return [];
  const { entries, problems } = await parseConfig(text, path, commands);
  if (problems.length > 0) throw configError(problems);
  return entries;
}

/** What a file says of one option, also where other things are wrong with it; null: nothing, or it cannot be read. */
export async function readEntry(
  named: string | null,
  commands: readonly string[],
  command: string | null,
  key: string,
): Promise<RawValue | null> {
  const path = named ?? CONFIG_NAME;
  const text = await read(path, false).catch(() => null);
  if (text === null) return null;
  const { entries } = await parseConfig(text, path, commands);
  return entryOf(entries, command, key)?.value ?? null;
}

/** The command's own section goes before what is said for all. */
export function entryOf(
  entries: readonly ConfigEntry[],
  command: string | null,
  key: string,
): ConfigEntry | undefined {
  const fitting = entries.filter((entry) => entry.key === key);
  const own = command === null ? undefined : fitting.find(({ section }) => section === command);
  return own ?? fitting.find(({ section }) => section === null);
}

interface Parsed {
  readonly entries: readonly ConfigEntry[];
  readonly problems: readonly string[];
}

async function read(path: string, isNamed: boolean): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isNamed && error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    const message = `--config ${path}: expected a file of options, but ${whyUnread(error)}`;
    throw new FeaturectlError('USAGE', message, { cause: error });
  }
}

async function parseConfig(text: string, path: string, commands: readonly string[]): Promise<Parsed> {
  const binary = binaryProblem(text);
  if (binary !== null) return { entries: [], problems: [`${path}: ${binary}`] };
  // Loaded when there is a file to read: the package takes longer than a small command.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems: string[] = [];
  const place = (offset: number | undefined): string => `${path}:${lines.linePos(offset ?? 0).line}`;
  for (const found of yamlProblems(document.errors, text))
    problems.push(`${path}:${found.line}: ${found.text}`);
  const misread = problems.length;
  const entries: ConfigEntry[] = [];
  const { contents } = document;
  const isEmpty = contents === null || (yaml.isScalar(contents) && contents.value === null);
  // What does not read as YAML is told alone: what it was taken for would only confuse.
  if (!isEmpty) collect(contents, null);
  return { entries, problems: misread === 0 ? problems : problems.slice(0, misread) };

  function collect(node: Node, section: string | null): void {
    if (!yaml.isMap<Node, Node | null>(node)) {
      const what = yaml.isSeq(node) ? 'a list' : 'text or other data';
      problems.push(
        `${place(node.range?.[0])}: expected "option: value" lines, found ${what}; write a line such as "ttl: 24h" for each option`,
      );
      return;
    }
    for (const pair of node.items) collectPair(pair, section);
  }

  function collectPair(pair: Pair<Node, Node | null>, section: string | null): void {
    const at = place(pair.key.range?.[0]);
    const key = yaml.isScalar(pair.key) ? String(pair.key.value).replaceAll('_', '-') : '?';
    if (section === null && commands.includes(key) && yaml.isMap(pair.value)) return collect(pair.value, key);
    const meant = section === null && yaml.isMap(pair.value) ? nearest(key, commands) : '';
    if (meant !== '') {
      problems.push(`${at}: ${key}: expected the name of a command before a section of its options${meant}`);
      return;
    }
    const same = entries.find((entry) => entry.section === section && entry.key === key);
    const value = rawValue(pair.value);
    if (same) problems.push(`${at}: ${key} stands twice, first at ${same.place}`);
    else if (value === null)
      problems.push(`${at}: ${key}: expected a value or a list of values, found ${found(pair.value)}`);
    else entries.push({ section, key, value, place: at });
  }

  /** Scalars as they are written, so that 007 and 1_000 stay what they are. */
  function rawValue(node: Node | null): RawValue | null {
    if (yaml.isSeq<Node>(node)) {
      const items = node.items.map(rawValue);
      return items.every((item) => typeof item === 'string') ? items : null;
    }
    if (!yaml.isScalar(node)) return null;
    // NULL is a text like any other here: that of --null-token NULL. Nothing at all is a value forgotten.
    return typeof node.value === 'string' ? node.value : node.source || null;
  }

  function found(node: Node | null): string {
    if (yaml.isAlias(node))
      return `an alias (*${node.source}); write the value itself, in quotes if it begins with *`;
    if (yaml.isCollection(node)) return 'a map or a nested list; write the option with its dashes as one key';
    return 'nothing; give one, or leave the line out';
  }
}

export function configError(problems: readonly string[]): FeaturectlError {
  const [first = ''] = problems;
  const text =
    problems.length === 1 ? first : `${problems.length} options are wrong:\n  ${problems.join('\n  ')}`;
  return new FeaturectlError('USAGE', text);
}
