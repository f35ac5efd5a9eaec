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

/** `line` is the text where it stands. */
export function yamlProblem(code: string, message: string, line: string): string {
  const found = BY_MESSAGE.find(([pattern]) => pattern.test(message));
  const match = found?.[0].exec(message);
  const known = found ? found[1].replace('$1', match?.[1] ?? '') : WORDS.get(code);
  const text = known ?? 'expected YAML, found something else; check quotes, colons and the columns';
  const shown = line.trim().slice(0, 60);
  return shown === '' ? text : `${text} (the line is: ${shown})`;
}
