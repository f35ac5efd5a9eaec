/** Vectors of floats of one length: packed little-endian IEEE 754, or a JSON array. */
import type { ByteString, Value } from '../../core/types.ts';
import { type Codec, type Coded, fault, isFault, typedBy } from './codec.ts';
import { type FloatBits, floatFormatter } from './float.ts';

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
    const items = parseArray(cell);
    return items === null ? fault('VECTOR', 'a JSON array of numbers', cell) : coded(items, () => cell);
  };
  return {
    text,
    typed: typedBy(text, (type) => {
      if (type.kind !== 'list') return null;
      const isNumeric = type.item.kind === 'float' || type.item.kind === 'int' || type.item.kind === 'null';
      if (!isNumeric) return 'its items are no numbers';
      return (value) => coded(value as readonly Value[], () => `[${String(value)}]`);
    }),
  };
}

type Format = (value: number) => Coded;
type Encode = (items: readonly Value[], found: () => string) => Coded;

function parseArray(cell: ByteString): readonly Value[] | null {
  try {
    const parsed: unknown = JSON.parse(cell);
    if (!Array.isArray(parsed)) return null;
    return parsed.every((item) => typeof item === 'number' || item === null) ? parsed : null;
  } catch {
    return null;
  }
}

function jsonEncoder(format: Format): Encode {
  return (items, found) => {
    const parts: string[] = [];
    for (const item of items) {
      const text = item === null ? nullInside(found()) : format(Number(item));
      if (isFault(text)) return text;
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
      if (item === null || item === undefined) return nullInside(found());
      const value = Number(item);
      const stored = bits === 32 ? Math.fround(value) : value;
      if (!Number.isFinite(stored) && (!allowNonfinite || Number.isFinite(value))) return format(value);
      if (bits === 32) bytes.writeFloatLE(value, i * 4);
      else bytes.writeDoubleLE(value, i * 8);
    }
    return bytes.latin1Slice();
  };
}

function nullInside(found: string): Coded {
  return fault('VECTOR', 'numbers without a null among them', found);
}
