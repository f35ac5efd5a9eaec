/** Reads the fields of a payload that listpack.ts wrote, for a row that has to be sent in another form. */
import type { ByteString } from '../core/types.ts';
import { TYPE_HASH } from './listpack.ts';

/** A value as text, and where the next one begins. */
interface Item {
  readonly text: ByteString;
  readonly next: number;
}

/** Names and values by turns, as they were given. */
export function payloadFields(payload: Buffer): ByteString[] {
  return payload[0] === TYPE_HASH ? readPairs(payload) : readListpack(payload);
}

function readPairs(payload: Buffer): ByteString[] {
  const texts: ByteString[] = [];
  let { length: pairs, next } = readLength(payload, 1);
  for (; pairs > 0; pairs -= 1) {
    for (const _ of ['name', 'value']) {
      const head = readLength(payload, next);
      next = head.next + head.length;
      texts.push(payload.latin1Slice(head.next, next));
    }
  }
  return texts;
}

function readLength(bytes: Buffer, at: number): { length: number; next: number } {
  const first = bytes[at]!;
  if (first < 0x40) return { length: first, next: at + 1 };
  if (first < 0x80) return { length: ((first & 0x3f) << 8) | bytes[at + 1]!, next: at + 2 };
  return { length: bytes.readUInt32BE(at + 1), next: at + 5 };
}

/** After the type and the string's five bytes of length come six of the listpack's head. */
const FIRST_ENTRY = 12;

function readListpack(payload: Buffer): ByteString[] {
  const texts: ByteString[] = [];
  let at = FIRST_ENTRY;
  while (payload[at] !== 0xff) {
    const { text, next } = readEntry(payload, at);
    texts.push(text);
    // Behind each entry stands its length.
    at = next + (next - at > 127 ? 2 : 1);
  }
  return texts;
}

function readEntry(bytes: Buffer, at: number): Item {
  const code = bytes[at]!;
  const string = (start: number, length: number): Item => {
    return { text: bytes.latin1Slice(start, start + length), next: start + length };
  };
  if (code < 0x80) return { text: String(code), next: at + 1 };
  if (code < 0xc0) return string(at + 1, code & 0x3f);
  if (code < 0xe0) {
    const bits = ((code & 0x1f) << 8) | bytes[at + 1]!;
    return { text: String(bits < 4096 ? bits : bits - 8192), next: at + 2 };
  }
  if (code < 0xf0) return string(at + 2, ((code & 0x0f) << 8) | bytes[at + 1]!);
  if (code === 0xf4) return { text: String(bytes.readBigInt64LE(at + 1)), next: at + 9 };
  const width = code - 0xf1 + 2;
  return { text: String(bytes.readIntLE(at + 1, width)), next: at + 1 + width };
}
