/**
 * What the values of a leaf column are, by what the footer says of it. Where two readings are possible the answer is
 * none, and parquet-wasm says what a column is.
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
 */
import type { LogicalType, TimeUnit } from '../../core/types.ts';
import { ARROW_TYPE, type ArrowHint } from './arrow-hints.ts';
import { CONVERTED, PHYSICAL, REPETITION, type SchemaElement } from './elements.ts';
import type { LogicalName } from './logical-type.ts';

/** Of leaves, and of the values of lists. */
export interface LeafType {
  readonly type: LogicalType;
  /** One of PHYSICAL. */
  readonly physical: number;
  /** Bytes of a value; 0 where they vary or are bits. */
  readonly width: number;
  readonly isOptional: boolean;
}

const WIDTHS: Readonly<Record<number, number>> = {
  [PHYSICAL.int32]: 4,
  [PHYSICAL.int64]: 8,
  [PHYSICAL.int96]: 12,
  [PHYSICAL.float]: 4,
  [PHYSICAL.double]: 8,
};

/** Null where it is no leaf, or of a type that is not told for sure. `hint` null: Arrow's writers have noted nothing. */
export function leafType(element: SchemaElement, hint: ArrowHint | null): LeafType | null {
  const { physical, repetition } = element;
  if (physical === null || element.children > 0) return null;
  if (repetition !== REPETITION.required && repetition !== REPETITION.optional) return null;
  const width = physical === PHYSICAL.fixed ? element.length : (WIDTHS[physical] ?? 0);
  if (physical === PHYSICAL.fixed && !(width > 0)) return null;
  const own = typeOf(element, width);
  const type = own !== null && hint !== null ? hinted(own, hint) : own;
  return type === null ? null : { type, physical, width, isOptional: repetition === REPETITION.optional };
}

function typeOf(element: SchemaElement, width: number): LogicalType | null {
  if (element.decimal) return decimalType(element);
  // Of columns without any value.
  if (is(element, 'null')) return element.repetition === REPETITION.optional ? { kind: 'null' } : null;
  switch (element.physical) {
    case PHYSICAL.boolean:
      return element.isPlain ? { kind: 'bool' } : null;
    case PHYSICAL.int32:
      return intType(element, 32) ?? smallType(element);
    case PHYSICAL.int64:
      return intType(element, 64) ?? longType(element);
    case PHYSICAL.int96:
      return { kind: 'timestamp', unit: 'ns', zoned: false };
    case PHYSICAL.float:
      return element.isPlain ? { kind: 'float', bits: 32 } : null;
    case PHYSICAL.double:
      return element.isPlain ? { kind: 'float', bits: 64 } : null;
    case PHYSICAL.byteArray:
      return textType(element);
    case PHYSICAL.fixed:
      return fixedType(element, width);
    default:
      return null;
  }
}

/** Digits that a decimal may have, by what it is stored as. */
const DECIMAL_DIGITS: Readonly<Record<number, number>> = {
  [PHYSICAL.int32]: 9,
  [PHYSICAL.int64]: 18,
  [PHYSICAL.byteArray]: Number.POSITIVE_INFINITY,
  [PHYSICAL.fixed]: Number.POSITIVE_INFINITY,
};

function decimalType({ physical, precision, scale }: SchemaElement): LogicalType | null {
  const most = DECIMAL_DIGITS[physical ?? -1] ?? 0;
  return precision > 0 && precision <= most ? { kind: 'decimal', precision, scale } : null;
}

type IntBits = 8 | 16 | 32 | 64;

const CONVERTED_INTS: Readonly<Record<number, readonly [IntBits, boolean]>> = {
  [CONVERTED.uint8]: [8, false],
  [CONVERTED.uint8 + 1]: [16, false],
  [CONVERTED.uint8 + 2]: [32, false],
  [CONVERTED.uint8 + 3]: [64, false],
  [CONVERTED.int8]: [8, true],
  [CONVERTED.int8 + 1]: [16, true],
  [CONVERTED.int8 + 2]: [32, true],
  [CONVERTED.int8 + 3]: [64, true],
};

function intType({ isPlain, logical, converted }: SchemaElement, width: 32 | 64): LogicalType | null {
  if (isPlain) return { kind: 'int', bits: width, signed: true };
  const named: readonly [number, boolean] | null =
    logical?.name === 'integer' ? [logical.bits, logical.isSigned] : null;
  const [bits, signed] = named ?? (logical === null ? CONVERTED_INTS[converted ?? -1] : null) ?? [0, false];
  const fits = width === 64 ? bits === 64 : bits === 8 || bits === 16 || bits === 32;
  return fits ? { kind: 'int', bits: bits as IntBits, signed } : null;
}

/** Whether the column is of the logical type, or of the older converted one where it has none. */
function is({ logical, converted }: SchemaElement, name: LogicalName, older?: number): boolean {
  return logical === null ? older !== undefined && converted === older : logical.name === name;
}

function smallType(element: SchemaElement): LogicalType | null {
  if (is(element, 'date', CONVERTED.date)) return { kind: 'date' };
  if (!is(element, 'time', CONVERTED.timeMillis)) return null;
  return (element.logical?.unit ?? 'ms') === 'ms' ? { kind: 'time', unit: 'ms' } : null;
}

function longType(element: SchemaElement): LogicalType | null {
  const { logical, converted } = element;
  if (is(element, 'time', CONVERTED.timeMicros)) {
    const unit = logical === null ? 'us' : logical.unit;
    return unit === 'us' || unit === 'ns' ? { kind: 'time', unit } : null;
  }
  if (logical !== null) {
    if (logical.name !== 'timestamp' || logical.unit === null) return null;
    return { kind: 'timestamp', unit: logical.unit, zoned: logical.isUtc };
  }
  const unit = OLD_TIMESTAMPS[converted ?? -1];
  return unit === undefined ? null : { kind: 'timestamp', unit, zoned: true };
}

const OLD_TIMESTAMPS: Readonly<Record<number, TimeUnit>> = {
  [CONVERTED.timestampMillis]: 'ms',
  [CONVERTED.timestampMicros]: 'us',
};

function textType(element: SchemaElement): LogicalType | null {
  if (element.isPlain || is(element, 'bson', CONVERTED.bson)) return { kind: 'binary', size: null };
  const isText =
    is(element, 'string', CONVERTED.utf8) ||
    is(element, 'json', CONVERTED.json) ||
    is(element, 'enum', CONVERTED.enumerated);
  return isText ? { kind: 'utf8' } : null;
}

function fixedType(element: SchemaElement, width: number): LogicalType | null {
  if (element.isPlain) return { kind: 'binary', size: width };
  if (is(element, 'uuid')) return width === 16 ? { kind: 'uuid' } : null;
  return is(element, 'float16') && width === 2 ? { kind: 'float', bits: 16 } : null;
}

/** Arrow types that hold the values of each kind as they are. */
const HOLDERS: Readonly<Record<string, readonly number[]>> = {
  null: [ARROW_TYPE.null],
  bool: [ARROW_TYPE.bool],
  float: [ARROW_TYPE.float],
  utf8: [ARROW_TYPE.utf8, ARROW_TYPE.largeUtf8, ARROW_TYPE.utf8View],
  binary: [ARROW_TYPE.binary, ARROW_TYPE.largeBinary, ARROW_TYPE.binaryView, ARROW_TYPE.fixedBinary],
  uuid: [ARROW_TYPE.fixedBinary],
  decimal: [ARROW_TYPE.decimal],
};

const ARROW_UNITS: readonly TimeUnit[] = ['s', 'ms', 'us', 'ns'];
const DAYS = 0;

/** The type, with the zone that Arrow says it has; null where Arrow means something else by it. */
function hinted(type: LogicalType, hint: ArrowHint): LogicalType | null {
  if (hint.isExtension && type.kind !== 'uuid') return null;
  switch (type.kind) {
    case 'int':
      return hint.type === ARROW_TYPE.int && hint.bits === type.bits && hint.isSigned === type.signed
        ? type
        : null;
    case 'date':
      return hint.type === ARROW_TYPE.date && hint.unit === DAYS ? type : null;
    case 'time':
      return hint.type === ARROW_TYPE.time && ARROW_UNITS[hint.unit] === type.unit ? type : null;
    case 'timestamp':
      if (hint.type !== ARROW_TYPE.timestamp || ARROW_UNITS[hint.unit] !== type.unit) return null;
      return { ...type, zoned: type.zoned || hint.hasZone };
    default:
      return HOLDERS[type.kind]?.includes(hint.type) ? type : null;
  }
}
