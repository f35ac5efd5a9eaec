/** Text: the bytes of a cell or utf8 value; of other scalars their plain text. */
import { isUtf8 } from 'node:buffer';
import type { ByteString, LogicalType, Value } from '../../core/types.ts';
import { type Codec, type Coded, fault, type TypedCodec, typedBy } from './codec.ts';
import { dateOfDays } from './date.ts';
import { decimalText } from './decimal.ts';
import { floatFormatter } from './float.ts';
import { type PutNumber, putInteger } from './put.ts';
import type { WallToUtc } from './time-zone.ts';
import { timeOfDayText, timestampText } from './timestamp.ts';

export function stringCodec(zone: WallToUtc | null, allowNonfinite: boolean): Codec {
  const text = (cell: ByteString): Coded => cell;
  return {
    text,
    stored: () => true,
    typed: typedBy(text, (type) => scalarText(type, zone, allowNonfinite)),
    put: putScalar,
  };
}

/** As scalarText, of what most entities are. */
export function putScalar(type: LogicalType): PutNumber | null {
  return type.kind === 'int' ? putInteger : null;
}

/** The plain text of scalars of this type, or in words why there is none. */
export function scalarText(
  type: LogicalType,
  zone: WallToUtc | null,
  allowNonfinite: boolean,
): TypedCodec | string {
  switch (type.kind) {
    case 'utf8':
    case 'uuid':
      return (value) => value as ByteString;
    case 'bool':
    case 'int':
    case 'duration':
      return String;
    case 'float': {
      const format = floatFormatter(type.bits === 64 ? 64 : 32, allowNonfinite);
      return (value) => format(value as number);
    }
    case 'decimal':
      return (value) => decimalText(value as bigint, type.scale);
    case 'date':
      return (value) => dateOfDays(value as number);
    case 'time':
      return (value) => timeOfDayText(value as bigint, type.unit);
    case 'binary':
      return checkedText;
    case 'timestamp':
      if (!type.zoned && zone === null) return 'its times name no zone: set timezone in the schema';
      return (value) => timestampText(value as bigint, type.unit, type.zoned ? null : zone);
    default:
      return 'use type json for lists, structs and maps';
  }
}

function checkedText(value: Value): Coded {
  const bytes = value as ByteString;
  return isUtf8(Buffer.from(bytes, 'latin1'))
    ? bytes
    : fault('INVALID_UTF8', 'valid UTF-8 (type bytes takes any)', bytes);
}
