/** Stored text → a JSON value, for `get` and the server. What does not read by its type is shown as it is. */
import type { ByteString } from '../core/types.ts';
import { fromBytes } from './codecs/codec.ts';
import { float32Text } from './codecs/float.ts';
import { familyOf } from './feature-family.ts';
import type { FeatureForm } from './form.ts';

type Decode = (stored: ByteString) => unknown;

/** Integers beyond 2^53, decimals and non-finite floats stay text: a JSON number would change them. */
export function decoderOf(form: Pick<FeatureForm, 'type' | 'encoding' | 'store'>): Decode {
  const decode = decoderOfType(form);
  return (stored) => decode(stored) ?? fromBytes(stored);
}

function decoderOfType(form: Pick<FeatureForm, 'type' | 'encoding' | 'store'>): Decode {
  switch (familyOf(form.type)) {
    case 'int':
      return integer;
    case 'timestamp':
      return form.store?.startsWith('epoch') ? integer : () => undefined;
    case 'float':
      return (stored) => (stored !== '' && Number.isFinite(Number(stored)) ? Number(stored) : undefined);
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
      return form.encoding === 'json' ? parsed : (stored) => unpack(stored, form.type);
    case 'bytes':
      return (stored) => Buffer.from(stored, 'latin1').toString('base64');
    default:
      return () => undefined;
  }
}

function integer(stored: ByteString): unknown {
  return /^-?\d+$/.test(stored) && Number.isSafeInteger(Number(stored)) ? Number(stored) : undefined;
}

/** An integer of 16 digits and more, not the digits of a fraction or exponent. */
const LONG_INTEGER = /(?:^|[[,:\s])-?\d{16,}(?![\d.eE])/;

/** Such integers would lose digits in JSON.parse: then the text is shown. */
function jsonValue(stored: ByteString): unknown {
  return LONG_INTEGER.test(stored) ? undefined : parsed(stored);
}

function parsed(stored: ByteString): unknown {
  try {
    return JSON.parse(fromBytes(stored));
  } catch {
    return undefined;
  }
}

function unpack(stored: ByteString, type: string): unknown {
  const width = type.includes('float32') ? 4 : 8;
  const bytes = Buffer.from(stored, 'latin1');
  if (bytes.length % width !== 0) return undefined;
  return Array.from({ length: bytes.length / width }, (_, i) =>
    width === 4 ? Number(float32Text(bytes.readFloatLE(i * 4))) : bytes.readDoubleLE(i * 8),
  );
}
