/** Key templates: `features:user:{user_id}` → parts; parts and entity values → the key. */
import type { ByteString } from '../core/types.ts';
import { fromBytes, toBytes } from './codecs/codec.ts';

export type KeyPart =
  | { readonly kind: 'literal'; readonly bytes: ByteString }
  | { readonly kind: 'column'; readonly column: string }
  | { readonly kind: 'row' }
  | { readonly kind: 'source' };

export interface KeyTemplate {
  /** As written. */
  readonly text: string;
  readonly parts: readonly KeyPart[];
  /** Columns in the order of the template, each once. */
  readonly columns: readonly string[];
  /** Makes a part's value unable to be taken for a separator; identity where there is one part only. */
  readonly escape: (value: ByteString) => ByteString;
  /** Whether `escape` leaves bytes[start .. end) as they are; false: not sure. */
  readonly isPlain: (bytes: Uint8Array, start: number, end: number) => boolean;
}

/** The template, or what is wrong with it. `{{` and `}}` are literal braces. */
export function parseKeyTemplate(text: string): KeyTemplate | string {
  const parts: KeyPart[] = [];
  let literal = '';
  const endLiteral = (): void => {
    if (literal !== '') parts.push({ kind: 'literal', bytes: toBytes(literal) });
    literal = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if ((char === '{' || char === '}') && text[at + 1] === char) {
      literal += char;
      at += 1;
    } else if (char === '{') {
      const close = text.indexOf('}', at);
      const name = close < 0 ? '' : text.slice(at + 1, close);
      if (name === '' || name.includes('{')) return braceProblem(text, at);
      endLiteral();
      parts.push(partOf(name));
      at = close;
    } else if (char === '}') {
      return braceProblem(text, at);
    } else {
      literal += char;
    }
  }
  endLiteral();
  return keyTemplate(text, parts);
}

/** A template from parts that are already known, for running without a schema. */
export function keyTemplate(text: string, parts: readonly KeyPart[]): KeyTemplate | string {
  const values = parts.filter((part) => part.kind !== 'literal');
  if (values.length === 0) {
    return `expected at least one {column}, found none in "${text}": all rows would share one key`;
  }
  const separators = separatorsOf(parts);
  if (separators === null) return `expected text between two parts, found none in "${text}"`;
  // Escapes begin with it, so behind it nobody could say where a value ends.
  if (separators.has('%'))
    return `expected text that does not begin with % between two parts, found "${text}"`;
  return {
    text,
    parts,
    columns: [...new Set(parts.flatMap((part) => (part.kind === 'column' ? [part.column] : [])))],
    ...(values.length > 1
      ? { escape: escaper(separators), isPlain: withoutAny([...separators, '%']) }
      : { escape: (value: ByteString) => value, isPlain: () => true }),
  };
}

export function partOf(name: string): KeyPart {
  if (name === '_row') return { kind: 'row' };
  return name === '_source' ? { kind: 'source' } : { kind: 'column', column: name };
}

function braceProblem(text: string, at: number): string {
  return `expected {column} (and {{ or }} for a brace itself), found "${text.slice(at)}" at character ${at + 1}`;
}

/** First characters of the literals that stand between two values; null where two values touch. */
function separatorsOf(parts: readonly KeyPart[]): Set<string> | null {
  const separators = new Set<string>();
  const last = parts.findLastIndex((part) => part.kind !== 'literal');
  const first = parts.findIndex((part) => part.kind !== 'literal');
  for (let i = first + 1; i <= last; i += 1) {
    const part = parts[i];
    if (part?.kind === 'literal') separators.add(firstChar(part.bytes));
    else if (parts[i - 1]?.kind !== 'literal') return null;
  }
  return separators;
}

/** A whole character, so that what is left of a value stays UTF-8. */
function firstChar(bytes: ByteString): ByteString {
  return toBytes(Array.from(fromBytes(bytes))[0] ?? '');
}

/**
 * A value then never holds a separator's first character, so it ends where the first one stands: in UTF-8
 * no character begins within another.
 */
function escaper(separators: ReadonlySet<string>): (value: ByteString) => ByteString {
  const chars = [...separators, '%'].map((char) => char.replace(/./gs, (byte) => `\\x${hex(byte)}`));
  const special = new RegExp(chars.join('|'), 'g');
  return (value) =>
    value.replace(special, (char) => char.replace(/./gs, (byte) => `%${hex(byte).toUpperCase()}`));
}

/** No byte in the range begins one of these characters. */
export function withoutAny(chars: readonly ByteString[]): KeyTemplate['isPlain'] {
  const special = new Uint8Array(256);
  for (const char of chars) special[char.charCodeAt(0)] = 1;
  return (bytes, start, end) => {
    for (let i = start; i < end; i += 1) if (special[bytes[i]!] === 1) return false;
    return true;
  };
}

function hex(byte: string): string {
  return byte.charCodeAt(0).toString(16).padStart(2, '0');
}

/** `values` in the order of the template's non-literal parts. */
export function joinKey(template: KeyTemplate, values: readonly ByteString[]): ByteString {
  let key = '';
  let next = 0;
  for (const part of template.parts) {
    key += part.kind === 'literal' ? part.bytes : template.escape(values[next++] ?? '');
  }
  return key;
}

/** Names of the parts that a person gives to name an entity, in order. */
export function keyParts(template: KeyTemplate): readonly string[] {
  return template.parts.flatMap((part) => {
    if (part.kind === 'literal') return [];
    return [part.kind === 'column' ? part.column : `_${part.kind}`];
  });
}

/** A glob for SCAN MATCH that every key of the template fits. */
export function keyPattern(template: KeyTemplate): ByteString {
  return template.parts
    .map((part) => (part.kind === 'literal' ? part.bytes.replace(/[*?[\]\\]/g, '\\$&') : '*'))
    .join('');
}

/** Whether a key may have been made by the template; a value is then never empty, and escaped where it has to be. */
export function keyMatcher(template: KeyTemplate): (key: ByteString) => boolean {
  const isSingle = template.parts.filter((part) => part.kind !== 'literal').length === 1;
  const separators = [...(separatorsOf(template.parts) ?? [])].map(literalPattern);
  const value = isSingle ? '.+' : `(?:%[0-9A-F]{2}|(?!${['%', ...separators].join('|')}).)+`;
  const parts = template.parts.map((part) => {
    if (part.kind === 'literal') return literalPattern(part.bytes);
    return part.kind === 'row' ? '[1-9]\\d*' : value;
  });
  const pattern = new RegExp(`^${parts.join('')}$`, 's');
  return (key) => pattern.test(key);
}

function literalPattern(bytes: ByteString): string {
  return bytes.replace(/./gs, (byte) => `\\x${hex(byte)}`);
}
