/** An option's value from elsewhere than a flag: what commander would make of the same text on the command line. */
import { InvalidArgumentError, type Option } from 'commander';
import { asRepeated, commaList } from './values.ts';

/** As text, or as a list where an option may be repeated. */
export type RawValue = string | readonly string[];

/** Names that FEATURECTL_REDIS also goes by, in the order in which they are asked. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  redis: ['FEATURECTL_REDIS_URL', 'REDIS_URL'],
};

/** The name without dashes, and without the "no-" of an option that only takes something away: `chunk-rows`. */
export function optionKey(option: Option): string {
  return option.name().replace(/^no-/, '');
}

/** The first one that is set and not empty counts. */
export function envNames(option: Option): readonly string[] {
  const key = optionKey(option);
  return [envName(key), ...(ALIASES[key] ?? [])];
}

export function envName(key: string): string {
  return `FEATURECTL_${key.toUpperCase().replaceAll('-', '_')}`;
}

/** True for options that are there or not, without a value. */
export function isSwitch(option: Option): boolean {
  return option.negate || option.isBoolean();
}

/** Throws commander's InvalidArgumentError, which says what was expected. */
export function optionValue(option: Option, raw: RawValue): unknown {
  if (isSwitch(option)) return asSwitch(raw);
  if (isRepeatable(option)) {
    return asList(raw).reduce<unknown>((earlier, text) => take(option, text, earlier), undefined);
  }
  if (typeof raw === 'string') return take(option, raw, undefined);
  if (option.parseArg === commaList) return take(option, raw.join(','), undefined);
  throw new InvalidArgumentError('Expected one value, found a list.');
}

function isRepeatable(option: Option): boolean {
  return option.variadic || option.parseArg === asRepeated;
}

function take(option: Option, text: string, earlier: unknown): unknown {
  if (option.parseArg) return option.parseArg(text, earlier);
  return option.variadic ? [...(Array.isArray(earlier) ? earlier : []), text] : text;
}

/** In the environment a list is a JSON array, since no sign is free to part texts of every kind. */
function asList(raw: RawValue): readonly string[] {
  if (typeof raw !== 'string') return raw;
  if (!raw.startsWith('[')) return [raw];
  try {
    const list: unknown = JSON.parse(raw);
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('Expected one text, or a JSON array of texts such as ["NULL", "NA"].');
}

function asSwitch(raw: RawValue): boolean {
  const word = typeof raw === 'string' ? raw.toLowerCase() : '';
  if (['true', 'yes', 'on', '1'].includes(word)) return true;
  if (['false', 'no', 'off', '0'].includes(word)) return false;
  throw new InvalidArgumentError('Expected true or false (or yes, no, on, off, 1, 0).');
}
