import type { ByteString } from '../../core/types.ts';
import { type Codec, type Coded, fault, typedBy } from './codec.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const HEX = /^(?:[0-9a-fA-F]{2})*$/;

/** `decode` says what text holds; null: its bytes are the value. */
export function bytesCodec(decode: 'base64' | 'hex' | null): Codec {
  const text = (cell: ByteString): Coded => {
    if (decode === null) return cell;
    const form = decode === 'hex' ? HEX : BASE64;
    return form.test(cell) ? Buffer.from(cell, decode).latin1Slice() : fault('BYTES', decode, cell);
  };
  return {
    text,
    typed: typedBy(text, (type) => {
      return type.kind === 'binary' || type.kind === 'uuid' ? (value) => value as ByteString : null;
    }),
  };
}
