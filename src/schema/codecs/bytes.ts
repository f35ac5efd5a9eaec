import type { ByteString } from '../../core/types.ts';
import { type Codec, type Coded, fault, typedBy } from './codec.ts';

/** Looks for what must not be there: a repeated group would use up the stack on long cells. */
function isBase64(cell: ByteString): boolean {
  const body = cell.slice(0, cell.endsWith('==') ? -2 : cell.endsWith('=') ? -1 : cell.length);
  return cell.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(body);
}

function isHex(cell: ByteString): boolean {
  return cell.length % 2 === 0 && !/[^0-9a-fA-F]/.test(cell);
}

const EXPECTED = { base64: 'base64 (A–Z a–z 0–9 + / and padding)', hex: 'hex, two digits a byte' };

/** `decode` says what text holds; null: its bytes are the value. */
export function bytesCodec(decode: 'base64' | 'hex' | null): Codec {
  const text = (cell: ByteString): Coded => {
    if (decode === null) return cell;
    const isOfForm = decode === 'hex' ? isHex(cell) : isBase64(cell);
    return isOfForm ? Buffer.from(cell, decode).latin1Slice() : fault('BYTES', EXPECTED[decode], cell);
  };
  return {
    text,
    stored: decode === null ? () => true : null,
    typed: typedBy(text, (type) => {
      return type.kind === 'binary' || type.kind === 'uuid' ? (value) => value as ByteString : null;
    }),
  };
}
