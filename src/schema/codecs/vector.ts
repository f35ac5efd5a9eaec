/** Vectors of floats of one length: packed little-endian IEEE 754, or a JSON array. */
import type { ByteString, Value } from '../../core/types.ts';
import { type Codec, type Coded, fault, isFault, typedBy, type ValueFault } from './codec.ts';
import { type FloatBits, floatFormatter } from './float.ts';
import { float32Of, isHalfway } from './float32.ts';

export interface VectorOptions {
  readonly bits: FloatBits;
  readonly length: number;
  readonly encoding: 'bytes' | 'json';
  readonly allowNonfinite: boolean;
}

export function vectorCodec(options: VectorOptions): Codec {
  const { bits, length } = options;
  const format = floatFormatter(bits, options.allowNonfinite);
  const encode = options.encoding === 'json' ? jsonEncoder(format) : packEncoder(options, format);
  const coded = (items: readonly Value[], found: () => string): Coded => {
    if (items.length !== length) {
      return fault('VECTOR_LENGTH', `${length} numbers`, `${items.length} in ${found()}`);
    }
    return encode(items, found);
  };
  const text = (cell: ByteString): Coded => {
    if (hasOverflow(cell)) return fault('FLOAT_RANGE', `numbers within the range of float${bits}`, cell);
    const parsed = parseArray(options.allowNonfinite ? quoteNonfinite(cell) : cell);
    const items = parsed !== null && bits === 32 ? roundedOnce(parsed, cell) : parsed;
    return items === null ? noArray(cell, options.allowNonfinite) : coded(items, () => cell);
  };
  const typed = (value: Value): Coded =>
    coded(value as readonly Value[], () => listText(value as readonly Value[]));
  return {
    text,
    stored: null,
    packed: options.encoding === 'bytes' ? { bits, length } : null,
    typed: typedBy(text, (type) => {
      if (type.kind !== 'list') return null;
      const { kind } = type.item;
      if (kind === 'int') return (value) => wholeItems(value as readonly Value[], bits) ?? typed(value);
      if (kind !== 'float' && kind !== 'null') return 'its items are no numbers';
      return typed;
    }),
  };
}

/** With what to do where that is known. */
function noArray(cell: ByteString, allowsNonfinite: boolean): ValueFault {
  const { code, reason } = fault('VECTOR', 'a JSON array of numbers', cell);
  return { code, reason: `${reason}${arrayAdvice(cell, allowsNonfinite)}` };
}

function arrayAdvice(cell: ByteString, allowsNonfinite: boolean): string {
  if (/^\[\s*[-+\d.][-+\d.e]*(?:\s+[-+\d.][-+\d.e]*)*\s*\]$/.test(cell) && /\d\s+[-\d]/.test(cell))
    return '; numpy arrays become JSON by json.dumps(x.tolist())';
  return !allowsNonfinite && /\b(?:nan|inf(?:inity)?)\b/i.test(cell)
    ? '; allow_nonfinite: true takes NaN and Infinity'
    : '';
}

/** Nulls by name: String() leaves nothing of them. */
function listText(items: readonly Value[]): string {
  return `[${items.map(String).join(',')}]`;
}

/** Doubles half-way between two float32 are decided by the digits they were read from. */
function roundedOnce(items: readonly Value[], cell: ByteString): readonly Value[] {
  if (!items.some((item) => typeof item === 'number' && isHalfway(item))) return items;
  const words = cell.slice(cell.indexOf('[') + 1, cell.lastIndexOf(']')).split(',');
  return items.map((item, i) => {
    return typeof item === 'number' && isHalfway(item) ? float32Of((words[i] ?? '').trim()) : item;
  });
}

type Format = (value: number) => Coded;
type Encode = (items: readonly Value[], found: () => string) => Coded;

/** What stands for the numbers that JSON has not; only `quoteNonfinite` lets them in. */
const NONFINITE: ReadonlyMap<unknown, number> = new Map([
  ['\0nan', Number.NaN],
  ['\0inf', Number.POSITIVE_INFINITY],
  ['\0-inf', Number.NEGATIVE_INFINITY],
]);

/** NaN and Infinity, bare as Python's json writes them or in quotes as we do, as JSON strings of our own. */
function quoteNonfinite(cell: ByteString): ByteString {
  return cell.replace(/"-?(?:nan|inf(?:inity)?)"|-?\b(?:nan|inf(?:inity)?)\b/gi, (word) =>
    /nan/i.test(word) ? '"\\u0000nan"' : `"\\u0000${word.includes('-') ? '-' : ''}inf"`,
  );
}

/** The fault of the first integer that the item type does not hold exactly. */
function wholeItems(items: readonly Value[], bits: FloatBits): Coded | null {
  for (const item of items) {
    if (item === null) continue;
    const number = Number(item);
    const isExact =
      (bits === 64 || Math.fround(number) === number) && BigInt(number) === BigInt(item as bigint);
    if (!isExact) return fault('FLOAT_RANGE', `integers that float${bits} holds exactly`, String(item));
  }
  return null;
}

/** JSON.parse gives Infinity for a number such as 1e400, which is none that the cell holds. */
function hasOverflow(cell: ByteString): boolean {
  if (!/[eE]\+?\d{2}|\d{300}/.test(cell)) return false;
  return (cell.match(/-?\d[\d.]*(?:[eE][+-]?\d+)?/g) ?? []).some(
    (number) => !Number.isFinite(Number(number)),
  );
}

function parseArray(cell: ByteString): readonly Value[] | null {
  try {
    const parsed: unknown = JSON.parse(cell);
    if (!Array.isArray(parsed)) return null;
    const items = parsed.map((item) => NONFINITE.get(item) ?? item);
    return items.every((item) => typeof item === 'number' || item === null) ? items : null;
  } catch {
    return null;
  }
}

function jsonEncoder(format: Format): Encode {
  return (items, found) => {
    const parts: string[] = [];
    for (const [i, item] of items.entries()) {
      if (item === null) return nullInside(i, items.length, found());
      const text = format(Number(item));
      if (isFault(text)) return numbered(text, i, items.length);
      parts.push(Number.isFinite(Number(item)) ? text : `"${text}"`);
    }
    return `[${parts.join(',')}]`;
  };
}

function packEncoder({ bits, length, allowNonfinite }: VectorOptions, format: Format): Encode {
  const bytes = Buffer.alloc((length * bits) / 8);
  return (items, found) => {
    for (let i = 0; i < length; i += 1) {
      const item = items[i];
      if (item === null || item === undefined) return nullInside(i, length, found());
      const value = Number(item);
      const stored = bits === 32 ? Math.fround(value) : value;
      if (!Number.isFinite(stored) && (!allowNonfinite || Number.isFinite(value)))
        return numbered(format(value), i, length);
      if (bits === 32) bytes.writeFloatLE(value, i * 4);
      else bytes.writeDoubleLE(value, i * 8);
    }
    return bytes.latin1Slice();
  };
}

function nullInside(index: number, length: number, found: string): Coded {
  return numbered(fault('VECTOR', 'numbers without a null among them', found), index, length);
}

/** Of a long vector what is wrong is not shown. */
function numbered(coded: Coded, index: number, length: number): Coded {
  if (!isFault(coded)) return coded;
  return { code: coded.code, reason: `${coded.reason}: number ${index + 1} of ${length}` };
}
