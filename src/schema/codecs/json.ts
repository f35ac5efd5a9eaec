/** JSON of typed values: lists, structs, maps and what is in them, 64-bit integers and decimals exact. */
import type { ByteString, LogicalType, Value } from '../../core/types.ts';
import { type Codec, type Coded, fault, isFault, type TypedCodec, toBytes } from './codec.ts';
import { dateOfDays } from './date.ts';
import { decimalText } from './decimal.ts';
import { floatFormatter } from './float.ts';
import { compactJson } from './json-text.ts';
import type { WallToUtc } from './time-zone.ts';
import { timeOfDayText, timestampText } from './timestamp.ts';

export interface JsonOptions {
  readonly allowNonfinite: boolean;
  /** Zone of times that name none. */
  readonly zone: WallToUtc | null;
}

export function jsonCodec(options: JsonOptions): Codec {
  return {
    text: compactJson,
    stored: null,
    // A text column holds JSON text; a string inside a list is a JSON string.
    typed: (type) =>
      type.kind === 'utf8' ? (value) => compactJson(value as ByteString) : renderer(type, options),
  };
}

/** The renderer of a type, or in words why it has none. */
function renderer(type: LogicalType, options: JsonOptions): TypedCodec | string {
  switch (type.kind) {
    case 'null':
      return () => 'null';
    case 'bool':
    case 'int':
    case 'duration':
      return String;
    case 'float':
      return floatRenderer(type.bits, options.allowNonfinite);
    case 'decimal':
      return (value) => decimalText(value as bigint, type.scale);
    case 'utf8':
    case 'uuid':
      return (value) => JSON.stringify(value);
    case 'binary':
      return (value) => `"${Buffer.from(value as ByteString, 'latin1').toString('base64')}"`;
    case 'date':
      return quoted((value) => dateOfDays(value as number));
    case 'time':
      return quoted((value) => timeOfDayText(value as bigint, type.unit));
    case 'timestamp':
      return timestampRenderer(type, options);
    case 'list':
      return within(renderer(type.item, options), (item) => (value) => joined(value, item, '[', ']'));
    case 'struct':
      return structRenderer(type, options);
    case 'map':
      return mapRenderer(type, options);
  }
}

function within(inner: TypedCodec | string, build: (inner: TypedCodec) => TypedCodec): TypedCodec | string {
  return typeof inner === 'string' ? inner : build(inner);
}

function floatRenderer(bits: 16 | 32 | 64, allowNonfinite: boolean): TypedCodec {
  const format = floatFormatter(bits === 64 ? 64 : 32, allowNonfinite);
  return (value) => {
    const text = format(value as number);
    // JSON has no such numbers: they go as strings.
    return Number.isFinite(value as number) || isFault(text) ? text : `"${text}"`;
  };
}

function quoted(codec: TypedCodec): TypedCodec {
  return (value) => {
    const text = codec(value);
    return isFault(text) ? text : `"${text}"`;
  };
}

function timestampRenderer(
  { unit, zoned }: LogicalType & { kind: 'timestamp' },
  { zone }: JsonOptions,
): TypedCodec | string {
  if (!zoned && zone === null) {
    return 'it holds times without a zone: set timezone in the schema (--timezone without one)';
  }
  return quoted((value) => timestampText(value as bigint, unit, zoned ? null : zone));
}

function joined(value: Value, item: TypedCodec, open: string, close: string): Coded {
  let out = open;
  for (const [i, element] of (value as readonly Value[]).entries()) {
    const text = element === null ? 'null' : item(element);
    if (isFault(text)) return text;
    out += i === 0 ? text : `,${text}`;
  }
  return out + close;
}

function structRenderer(type: LogicalType & { kind: 'struct' }, options: JsonOptions): TypedCodec | string {
  const names = type.fields.map((field) => `${toBytes(JSON.stringify(field.name))}:`);
  const codecs: TypedCodec[] = [];
  for (const field of type.fields) {
    const codec = renderer(field.type, options);
    if (typeof codec === 'string') return codec;
    codecs.push(codec);
  }
  return (value) => {
    const parts: string[] = [];
    for (const [i, element] of (value as readonly Value[]).entries()) {
      const text = element === null ? 'null' : (codecs[i]?.(element) ?? 'null');
      if (isFault(text)) return text;
      parts.push(`${names[i]}${text}`);
    }
    return `{${parts.join(',')}}`;
  };
}

/** A map whose keys are text is an object; any other a list of [key, value]. */
function mapRenderer(type: LogicalType & { kind: 'map' }, options: JsonOptions): TypedCodec | string {
  const key = renderer(type.key, options);
  const item = renderer(type.value, options);
  if (typeof key === 'string') return key;
  if (typeof item === 'string') return item;
  const isObject = type.key.kind === 'utf8';
  return (value) => {
    const parts: string[] = [];
    for (const entry of value as readonly (readonly [Value, Value])[]) {
      const name = entry[0] === null ? fault('JSON', 'keys in a map', 'a null key') : key(entry[0]);
      const text = entry[1] === null ? 'null' : item(entry[1]);
      if (isFault(name)) return name;
      if (isFault(text)) return text;
      parts.push(isObject ? `${name}:${text}` : `[${name},${text}]`);
    }
    return isObject ? `{${parts.join(',')}}` : `[${parts.join(',')}]`;
  };
}
