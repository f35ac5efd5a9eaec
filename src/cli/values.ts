/** Option values: text → number or list. A bad value is commander's InvalidArgumentError, which names the option. */
import { InvalidArgumentError } from 'commander';
import type { NullRateLimit } from '../commands/options.ts';
import { type Budget, parseBudget } from '../core/ledger.ts';
import { parseBytes, parseCount, parseDuration, parseRate, parseShare } from '../core/units.ts';

export function commaList(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => part === '')) throw expected('names joined by commas');
  return parts;
}

/** An option that may stand several times. */
export function asRepeated(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

export function asCount(min: number, max: number): (text: string) => number {
  return (text) => parseCount(text, min, max) ?? fail(`a whole number from ${min} to ${max}`);
}

/** A whole number from 1, or all (Infinity: commander makes '' of null). */
export function asCountOrAll(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY;
  return parseCount(text, 1, 1_000_000_000) ?? fail('a whole number from 1, or all');
}

export function asBytes(min: number, max: number): (text: string) => number {
  return (text) => {
    const bytes = parseBytes(text);
    const isFit = bytes !== null && bytes >= min && bytes <= max;
    return isFit ? bytes : fail(`a size from ${min} to ${max} bytes, such as 256KiB or 1MB`);
  };
}

/** The longest that a timer of Node takes is a little above this. */
const MAX_DURATION_MS = 24 * 86_400_000;

/** Milliseconds, from `min` on. */
export function asDuration(min: number): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text);
    const isFit = ms !== null && ms >= min && ms <= MAX_DURATION_MS;
    return isFit ? ms : fail(`a duration from ${min}ms to 24d, such as 500ms, 60s, 5m or 1h`);
  };
}

/** Milliseconds, however many. */
export function asLongDuration(text: string): number {
  return parseDuration(text) ?? fail('a duration such as 90m, 36h or 30d');
}

/** A share for every feature, or NAME=SHARE for one; may be repeated. */
export function asNullRates(text: string, earlier: readonly NullRateLimit[] = []): readonly NullRateLimit[] {
  const at = text.lastIndexOf('=');
  const max = parseShare(text.slice(at + 1));
  if (max === null || at === 0) return fail('a share such as 5%, or churn_score=5%');
  return [...earlier, { feature: at < 0 ? null : text.slice(0, at), max }];
}

/** Rows a second. */
export function asRate(text: string): number {
  return parseRate(text) ?? fail('rows a second, such as 50000/s or 50k/s');
}

/** Words for delimiters, which would be taken for ones of several characters. */
const DELIMITER_WORDS: ReadonlyMap<string, string> = new Map([
  ['tab', '\\t'],
  ['comma', ','],
  ['semicolon', ';'],
  ['pipe', '|'],
  ['space', ' '],
]);

export function asDelimiter(text: string): string {
  const meant = DELIMITER_WORDS.get(text.toLowerCase());
  if (meant !== undefined) return fail(`the delimiter itself, such as '${meant}' for ${text}`);
  const delimiter = text.replaceAll('\\t', '\t');
  const isFit = delimiter !== '' && !/["\r\n\0]/.test(delimiter) && delimiter.length <= 8;
  return isFit ? delimiter : fail('1 to 8 characters without quotes and line ends; \\t is tab');
}

export function asHttpUrl(text: string): string {
  const isFit = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return isFit ? text : fail('an address such as http://pushgateway:9091');
}

export function asBudget(text: string): Budget {
  return parseBudget(text) ?? fail('a number of rows (25), a share (0.5%) or all');
}

function fail(form: string): never {
  throw expected(form);
}

function expected(form: string): InvalidArgumentError {
  return new InvalidArgumentError(`Expected ${form}.`);
}
