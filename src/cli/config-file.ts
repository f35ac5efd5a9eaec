/** featurectl.yaml: options of all commands, and sections of one command each. */
import { readFile } from 'node:fs/promises';
import type { Node, Pair } from 'yaml';
import { FeaturectlError } from '../core/errors.ts';
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
  return text === null ? [] : parseConfig(text, path, commands);
}

async function read(path: string, isNamed: boolean): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isNamed && error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    const reason = error instanceof Error ? error.message : String(error);
    throw new FeaturectlError('USAGE', `cannot read the options in ${path}: ${reason}`, { cause: error });
  }
}

async function parseConfig(text: string, path: string, commands: readonly string[]): Promise<ConfigEntry[]> {
  // Loaded when there is a file to read: the package takes longer than a small command.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems: string[] = [];
  const place = (offset: number | undefined): string => `${path}:${lines.linePos(offset ?? 0).line}`;
  for (const error of document.errors) problems.push(`${place(error.pos[0])}: ${error.message}`);
  const entries: ConfigEntry[] = [];
  const { contents } = document;
  const isEmpty = contents === null || (yaml.isScalar(contents) && contents.value === null);
  if (problems.length === 0 && !isEmpty) collect(contents, null);
  if (problems.length > 0) throw configError(problems);
  return entries;

  function collect(node: Node, section: string | null): void {
    if (!yaml.isMap<Node, Node | null>(node)) {
      problems.push(`${place(node.range?.[0])}: expected "option: value" lines, found something else`);
      return;
    }
    for (const pair of node.items) collectPair(pair, section);
  }

  function collectPair(pair: Pair<Node, Node | null>, section: string | null): void {
    const at = place(pair.key.range?.[0]);
    const key = yaml.isScalar(pair.key) ? String(pair.key.value).replaceAll('_', '-') : '?';
    if (section === null && commands.includes(key) && yaml.isMap(pair.value)) return collect(pair.value, key);
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
    return yaml.isCollection(node) ? 'a map or a nested list' : 'nothing; give one, or leave the line out';
  }
}

export function configError(problems: readonly string[]): FeaturectlError {
  const [first = ''] = problems;
  const text =
    problems.length === 1 ? first : `${problems.length} options are wrong:\n  ${problems.join('\n  ')}`;
  return new FeaturectlError('USAGE', text);
}
