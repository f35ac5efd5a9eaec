/** Stored text → a JSON value, for `get` and the server. What does not read by its type is shown as it is. */
import { showBytes } from '../core/bytes-text.ts';
import type { ByteString } from '../core/types.ts';
import { fromBytes } from './codecs/codec.ts';
import { float32Text } from './codecs/float.ts';
import { familyOf } from './feature-family.ts';
import type { FeatureForm } from './form.ts';
import type { StoredForm } from './types.ts';

type Decode = (stored: ByteString) => unknown;

/** Integers beyond 2^53, decimals and non-finite floats stay text: a JSON number would change them. */
export function decoderOf(form: Pick<FeatureForm, 'type' | 'encoding' | 'store'>): Decode {
  const decode = decoderOfType(form);
  return (stored) => {
    const value = decode(stored);
    return value === undefined ? showBytes(stored) : value;
  };
}

function decoderOfType(form: Pick<FeatureForm, 'type' | 'encoding' | 'store'>): Decode {
  switch (familyOf(form.type)) {
    case 'int':
      return integer;
    case 'timestamp':
      return form.store?.startsWith('epoch') ? integer : () => undefined;
    case 'float':
      return (stored) => (/^-?\d/.test(stored) && isPlain(stored) ? Number(stored) : undefined);
    case 'bool':
      return (stored) =>
        new Map([
          ['1', true],
          ['true', true],
          ['0', false],
          ['false', false],
        ]).get(stored);
    case 'json':
      return jsonValue;
    case 'vector':
      return vectorReader(form);
    case 'bytes':
      return (stored) => Buffer.from(stored, 'latin1').toString('base64');
    default:
      return () => undefined;
  }
}

/** What its stored bytes are, for who shows them without decoding. */
export function storedFormOf(form: Pick<FeatureForm, 'type' | 'encoding' | 'store'>): StoredForm {
  switch (familyOf(form.type)) {
    case 'int':
    case 'float':
      return 'number';
    case 'timestamp':
      return form.store?.startsWith('epoch') ? 'number' : 'text';
    case 'bytes':
      return 'bytes';
    case 'vector':
      return form.encoding === 'json' ? 'text' : 'packed';
    default:
      return 'text';
  }
}

function integer(stored: ByteString): unknown {
  return /^-?\d+$/.test(stored) && Number.isSafeInteger(Number(stored)) ? Number(stored) : undefined;
}

function isPlain(stored: ByteString): boolean {
  return /^-?[\d.]+(?:e[+-]?\d+)?$/.test(stored) && Number.isFinite(Number(stored));
}

const JSON_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.]*(?:[eE][+-]?\d+)?/g;

/** JSON in which some number is not the one that JSON.parse makes of it (64 bits, decimals) is shown as text. */
function jsonValue(stored: ByteString): unknown {
  const text = fromBytes(stored);
  for (const [token] of text.matchAll(JSON_NUMBER))
    if (!token.startsWith('"') && !survives(token)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether the number reads back from a double: up to 15 digits always do. */
function survives(token: string): boolean {
  const digits = token
    .replace(/[eE].*$/, '')
    .replace(/\D/g, '')
    .replace(/^0+/, '');
  return Number.isFinite(Number(token)) && (digits.length <= 15 || String(Number(token)) === token);
}

/** One of another length is of another model: it does not read as this one. */
function vectorReader({ type, encoding }: Pick<FeatureForm, 'type' | 'encoding'>): Decode {
  const length = Number(/\[(\d+)\]/.exec(type)?.[1]);
  const width = type.includes('float32') ? 4 : 8;
  if (encoding === 'json') {
    return (stored) => {
      const value = jsonValue(stored);
      return Array.isArray(value) && value.length === length ? value : undefined;
    };
  }
  return (stored) => (stored.length === length * width ? unpack(stored, length, width) : undefined);
}

function unpack(stored: ByteString, length: number, width: 4 | 8): readonly (number | string)[] {
  const bytes = Buffer.from(stored, 'latin1');
  return Array.from({ length }, (_, i) =>
    shownFloat(width === 4 ? bytes.readFloatLE(i * 4) : bytes.readDoubleLE(i * 8), width),
  );
}

/** JSON has no NaN and Infinity: they are shown as they are stored elsewhere. */
function shownFloat(value: number, width: 4 | 8): number | string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return width === 4 ? Number(float32Text(value)) : value;
}

const UNITS_PER_MS: Readonly<Record<string, number>> = { s: 0.001, ms: 1, us: 1000, ns: 1e6 };

/** Epoch milliseconds of a stored timestamp or date, NaN where it is none. */
export function epochMsDecoder(form: Pick<FeatureForm, 'store'>): (stored: ByteString) => number {
  const unit = form.store?.startsWith('epoch_') ? form.store.slice('epoch_'.length) : null;
  if (unit === null) return Date.parse;
  return (stored) => (/^-?\d+$/.test(stored) ? Number(stored) / (UNITS_PER_MS[unit] ?? 1) : Number.NaN);
}
