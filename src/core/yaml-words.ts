/** What is wrong with a YAML text, in words with what to do: the parser's own speak of its grammar. */

/** By the parser's codes; https://eemeli.org/yaml/#errors */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['TAB_AS_INDENT', 'expected spaces before a key, found a tab; indent by spaces'],
  ['DUPLICATE_KEY', 'expected each key once, found one that stands above already; leave one of the two out'],
  ['MULTIPLE_DOCS', 'expected one document, found a second one after ---; leave one of the two out'],
  ['BAD_DQ_ESCAPE', 'expected \\\\ for a backslash within "…", found one alone; double it, or use \'…\''],
  ['MISSING_CHAR', 'expected a comma, a space or a closing sign, found none; check what is opened before'],
  [
    'BAD_INDENT',
    'expected lines of one list or map to begin in the same column, found one that does not; align it with those above',
  ],
  ['BAD_SCALAR_START', 'expected a value, found a sign that no plain text begins with; put it in quotes'],
  [
    'BLOCK_AS_IMPLICIT_KEY',
    'expected one "key: value" a line, found two; put a value with a colon in quotes, or start a new line',
  ],
  [
    'MULTILINE_IMPLICIT_KEY',
    'expected "key: value", found a line without a colon; add ": " and the value, or indent it',
  ],
  ['NON_STRING_KEY', 'expected a text as key, found something else; put it in quotes'],
  ['ALIAS_PROPS', 'expected a value, found an alias with more to it; write the value itself'],
  ['BAD_ALIAS', 'expected a value, found a bare *; put it in quotes'],
  ['MULTIPLE_ANCHORS', 'expected a value, found several anchors (&); put it in quotes'],
  ['MULTIPLE_TAGS', 'expected a value, found several tags (!); put it in quotes'],
  ['TAG_RESOLVE_FAILED', 'expected a value, found one that does not fit its tag (!); leave the tag out'],
  ['BAD_DIRECTIVE', 'expected "key: value", found a line that begins with %; put it in quotes'],
  ['KEY_OVER_1024_CHARS', 'expected a key of at most 1024 characters, found a longer one; shorten it'],
]);

/** Messages of the parser whose code stands for several mistakes. */
const BY_MESSAGE: readonly (readonly [RegExp, string])[] = [
  [
    /^Missing closing .*quote/,
    'expected a closing quote, found the end of the file; close the text that is opened before',
  ],
  [
    /^Flow (?:sequence|map) .* end with a ([\]}])/,
    'expected $1 at the end of what is opened above, found none; close it',
  ],
  [/^Nested mappings are not allowed/, WORDS.get('BLOCK_AS_IMPLICIT_KEY') as string],
  [/^Implicit map keys need/, WORDS.get('MULTILINE_IMPLICIT_KEY') as string],
];

/** Bytes that no text has. */
const BINARY = /[\0-\x08\x0e-\x1f]/;

/** What is wrong with a file that is no text at all, which the parser would find many words for; null: it is one. */
export function binaryProblem(text: string): string | null {
  return BINARY.test(text) ? 'expected a YAML text, found binary data; check the path' : null;
}

export interface YamlProblem {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** As the parser gives them; `pos` counts characters from 0. */
interface YamlError {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** Each problem once, where its line is to be mended. */
export function yamlProblems(errors: readonly YamlError[], text: string): readonly YamlProblem[] {
  const lines = text.split('\n');
  const problems = errors.map(({ code, message, pos }): YamlProblem => {
    const at = text.slice(0, pos[0]).split('\n').length;
    const deep = SLIPS.has(code) ? deeperLine(lines, at) : null;
    // An error that is found at an empty line or a comment is about what comes after.
    const line = isEmpty(lines[at - 1]) ? (nextLine(lines, at) ?? at) : at;
    return deep ?? { line, text: yamlProblem(code, message, lines[line - 1] ?? '') };
  });
  return problems.filter(
    ({ line, text }, i) => problems.findIndex((other) => other.line === line && other.text === text) === i,
  );
}

/** What the parser says of a key that is indented below one with a value. */
const SLIPS = new Set(['BLOCK_AS_IMPLICIT_KEY', 'MULTILINE_IMPLICIT_KEY']);

const PAIR = /^( *)([^\s#:'"[{-][^:#]*|"[^"]*"|'[^']*'):(?: |\r?$)/;

/** The line after `at` is a key too, but deeper; null: it is not. */
function deeperLine(lines: readonly string[], at: number): YamlProblem | null {
  const line = nextLine(lines, at);
  const above = PAIR.exec(lines[at - 1] ?? '');
  const below = line === null ? null : PAIR.exec(lines[line - 1] ?? '');
  const [, outer = '', key = ''] = above ?? [];
  const [, inner = '', name = ''] = below ?? [];
  if (line === null || !above || !below || inner.length <= outer.length) return null;
  const text = `expected ${name} to begin in the same column as ${key} above, after ${spaces(outer)}, found it after ${spaces(inner)}; align them, or leave the value of ${key} out`;
  return { line, text };
}

function spaces({ length }: string): string {
  return `${length} space${length === 1 ? '' : 's'}`;
}

/** Number of the first line after line `at` that holds something. */
function nextLine(lines: readonly string[], at: number): number | null {
  const found = lines.findIndex((line, i) => i >= at && !isEmpty(line));
  return found < 0 ? null : found + 1;
}

function isEmpty(line: string | undefined): boolean {
  return /^\s*(?:#.*)?$/.test(line ?? '');
}

function yamlProblem(code: string, message: string, line: string): string {
  const found = BY_MESSAGE.find(([pattern]) => pattern.test(message));
  const match = found?.[0].exec(message);
  if (code === 'UNEXPECTED_TOKEN' && /:\s+\{.*\}\s*[^\s#]/.test(line)) {
    return `expected a comma or the end of the line after }, found more; put a text that begins with a brace in quotes (the line is: ${line.trim().slice(0, 60)})`;
  }
  const known = found ? found[1].replace('$1', match?.[1] ?? '') : WORDS.get(code);
  const text = known ?? 'expected YAML, found something else; check quotes, colons and the columns';
  const shown = line.trim().slice(0, 60);
  return shown === '' ? text : `${text} (the line is: ${shown})`;
}
