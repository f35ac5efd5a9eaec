import type { ByteString, LogicalType, TimeUnit, Value } from '../core/types.ts';

const UNIT_DIGITS: Readonly<Record<TimeUnit, number>> = { s: 0, ms: 3, us: 6, ns: 9 };
const MS_PER_DAY = 86_400_000;

/**
 * A typed value as the plain text that the rejects file shows: numbers in digits, times in ISO 8601 (UTC
 * with Z where the column has a zone, else without), bytes as they are, nested values as JSON. Null is null.
 */
export function valueText(type: LogicalType, value: Value): ByteString | null {
  if (value === null) return null;
  if (type.kind === 'list' || type.kind === 'struct' || type.kind === 'map') {
    return jsonText(type, value);
  }
  return scalarText(type, value);
}

function scalarText(type: LogicalType, value: Value): ByteString {
  switch (type.kind) {
    case 'decimal':
      return decimalText(value as bigint, type.scale);
    case 'date':
      return dateText(value as number);
    case 'time':
      return clockText(value as bigint, UNIT_DIGITS[type.unit]);
    case 'timestamp':
      return timestampText(value as bigint, UNIT_DIGITS[type.unit]) + (type.zoned ? 'Z' : '');
    case 'float':
      return floatText(value as number, type.bits);
    default:
      return String(value);
  }
}

/** As type json stores it, so that the row can be loaded again: exact numbers in digits, bytes in base64. */
function jsonText(type: LogicalType, value: Value): ByteString {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'list':
      return `[${(value as readonly Value[]).map((item) => jsonText(type.item, item)).join(',')}]`;
    case 'map':
      return mapText(type, value as readonly (readonly [Value, Value])[]);
    case 'struct':
      return structText(type, value as readonly Value[]);
    case 'binary':
      return JSON.stringify(Buffer.from(value as ByteString, 'latin1').toString('base64'));
    default:
      return isJsonNumber(type, value) ? scalarText(type, value) : JSON.stringify(scalarText(type, value));
  }
}

function isJsonNumber({ kind }: LogicalType, value: Value): boolean {
  if (kind === 'float') return Number.isFinite(value);
  return kind === 'bool' || kind === 'int' || kind === 'duration' || kind === 'decimal';
}

/** A map whose keys are text is an object; any other, and one with a null key, a list of [key, value]. */
function mapText(
  { key, value }: LogicalType & { kind: 'map' },
  entries: readonly (readonly [Value, Value])[],
): ByteString {
  const isObject = key.kind === 'utf8' && entries.every(([name]) => name !== null);
  const parts = entries.map(([name, item]) => {
    const [left, right] = [jsonText(key, name), jsonText(value, item)];
    return isObject ? `${left}:${right}` : `[${left},${right}]`;
  });
  return isObject ? `{${parts.join(',')}}` : `[${parts.join(',')}]`;
}

function structText({ fields }: LogicalType & { kind: 'struct' }, values: readonly Value[]): ByteString {
  const members = fields.map(({ name, type }, index) => {
    return `${JSON.stringify(toBytes(name))}:${jsonText(type, values[index] ?? null)}`;
  });
  return `{${members.join(',')}}`;
}

function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function dateText(days: number): string {
  const date = new Date(days * MS_PER_DAY);
  return Number.isNaN(date.getTime()) ? `${days} days since 1970-01-01` : (isoDate(date) ?? '');
}

function isoDate(date: Date): string {
  return date.toISOString().split('T')[0] ?? '';
}

function timestampText(value: bigint, digits: number): string {
  const scale = 10n ** BigInt(digits);
  const perDay = 86_400n * scale;
  const ofDay = ((value % perDay) + perDay) % perDay;
  return `${dateText(Number((value - ofDay) / perDay))}T${clockText(ofDay, digits)}`;
}

function clockText(value: bigint, digits: number): string {
  const scale = 10n ** BigInt(digits);
  const seconds = value / scale;
  const two = (part: bigint): string => String(part).padStart(2, '0');
  const clock = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  const fraction = String(value % scale).padStart(digits, '0');
  return digits === 0 || /^0+$/.test(fraction) ? clock : `${clock}.${fraction}`;
}

/** The shortest digits that read back as the same value of its own width. */
function floatText(value: number, bits: 16 | 32 | 64): string {
  if (Object.is(value, -0)) return '-0';
  if (bits === 64 || !Number.isFinite(value)) return String(value);
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

function toBytes(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}
