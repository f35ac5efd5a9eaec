/** Collects what is wrong with a schema file, to tell all of it at once. */

import type { z } from 'zod/mini';
import { FeaturectlError } from '../core/errors.ts';
import { TYPE_NAMES } from './form.ts';

export interface Problems {
  add(path: readonly PropertyKey[], message: string): void;
  /** Something to know about problems of one kind; told once, after them. */
  note(message: string): void;
  /** With the line of the file, from 1. */
  addAt(line: number, message: string): void;
  readonly count: number;
  /** Throws SCHEMA with every problem, a line each, if there is one. */
  throwIfAny(): void;
}

export function collectProblems(file: string): Problems {
  const lines: string[] = [];
  const notes = new Set<string>();
  return {
    note: (message) => void notes.add(message),
    add: (path, message) => {
      const place = path.map(String).join('.');
      const line = place === '' ? message : `${place}: ${message}`;
      if (!lines.includes(line)) lines.push(line);
    },
    addAt: (line, message) => void lines.push(`${file}:${line}: ${message}`),
    get count() {
      return lines.length;
    },
    throwIfAny: () => {
      if (lines.length === 0) return;
      const title = lines.length === 1 ? 'a problem' : `${lines.length} problems`;
      throw new FeaturectlError(
        'SCHEMA',
        `${file} has ${title}:\n${[...lines, ...notes].map((line) => `  ${line}`).join('\n')}`,
      );
    },
  };
}

/** zod's issues in our words; `known` are the keys that unknown ones are compared with. */
export function addIssues(
  problems: Problems,
  path: readonly PropertyKey[],
  issues: readonly z.core.$ZodIssue[],
  root: unknown,
  known: readonly string[],
): void {
  for (const issue of issues) {
    const at = [...path, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) problems.add([...at, key], unknownKey(key, known));
    } else if (issue.message === 'expected a type') {
      addUnknownType(problems, at, String(valueAt(root, issue.path)));
    } else {
      problems.add(at, `${issueText(issue)}, found ${describe(valueAt(root, issue.path))}`);
    }
  }
}

/** Names that types have elsewhere: in pandas, Python, SQL, Spark, Feast. */
const FOREIGN_TYPES: Readonly<Record<string, string>> = {
  ...{ int: 'int64', integer: 'int64', bigint: 'int64', long: 'int64', smallint: 'int16', short: 'int16' },
  ...{ tinyint: 'int8', byte: 'int8', uint: 'uint64', unsigned: 'uint64' },
  ...{ float: 'float64', double: 'float64', real: 'float32', number: 'float64', doubleprecision: 'float64' },
  ...{ str: 'string', text: 'string', varchar: 'string', char: 'string', utf8: 'string', object: 'string' },
  ...{ category: 'string', uuid: 'string', boolean: 'bool', numeric: 'decimal', money: 'decimal' },
  ...{ datetime: 'timestamp', datetime64: 'timestamp', timestamptz: 'timestamp', time: 'timestamp' },
  ...{ binary: 'bytes', blob: 'bytes', bytea: 'bytes', dict: 'json', map: 'json', struct: 'json' },
  ...{
    jsonb: 'json',
    list: 'json',
    array: 'json',
    vector: 'vector<float32>[n]',
    embedding: 'vector<float32>[n]',
  },
};

/** The list of types stands once, however many names are not in it. */
function addUnknownType(problems: Problems, at: readonly PropertyKey[], found: string): void {
  const folded = found.toLowerCase().replace(/[([<].*$|[\s_-]/g, '');
  const foreign = Object.hasOwn(FOREIGN_TYPES, folded) ? FOREIGN_TYPES[folded] : undefined;
  const near = foreign ?? nearest(found, TYPE_NAMES);
  if (near === null) problems.note(`types are ${TYPE_NAMES.join(', ')}`);
  const advice = near === null ? '' : `; did you mean ${near}?`;
  problems.add(at, `expected a type, found ${describe(found)}${advice}`);
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  const advice = near ? `did you mean ${near}?` : `known keys are ${known.join(', ')}`;
  return `unknown key; ${advice}`;
}

/** zod's words for types, in those of a YAML file. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['object', 'a map of options'],
  ['array', 'a list'],
  ['boolean', 'true or false'],
  ['number', 'a number'],
]);

function issueText(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith('expected')) return issue.message;
  if (issue.code === 'invalid_type') return `expected ${WORDS.get(issue.expected) ?? issue.expected}`;
  if (issue.code === 'unrecognized_keys') return `expected no key ${issue.keys.join(', ')}`;
  if (issue.code === 'invalid_value') return `expected ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_union') {
    const inner = issue.errors.flat().map(issueText);
    return `expected ${[...new Set(inner.map((text) => text.replace(/^expected /, '')))].join(' or ')}`;
  }
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}`;
  return `expected: ${issue.message}`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, key)?.value;
  }
  return value;
}

/** As a message shows what it found. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** The candidate that a typing slip would explain: equal but for case, or at most two edits away. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const folded = (text: string): string => text.toLowerCase().replace(/[\s_-]/g, '');
  const same = candidates.find((candidate) => folded(candidate) === folded(word));
  if (same !== undefined) return same;
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: distance(folded(word), folded(candidate)) }))
    .filter(({ candidate, edits }) => edits <= 2 && edits < candidate.length / 2)
    .sort((a, b) => a.edits - b.edits);
  return ranked[0]?.candidate ?? null;
}

/** Levenshtein distance, by the usual two rows. */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (before[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    before = row;
  }
  return before[b.length] ?? 0;
}
