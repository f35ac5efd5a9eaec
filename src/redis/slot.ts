/** Hash slots as Redis Cluster computes them (cluster-spec: CRC16/XMODEM of the key or its hash tag, mod 16384). */
import type { ByteString } from '../core/types.ts';

const TABLE = crcTable();

function crcTable(): Uint16Array {
  const table = new Uint16Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    table[byte] = crc;
  }
  return table;
}

const OPEN = 0x7b;
const CLOSE = 0x7d;

/** 0–16383, of key[0 .. length). Only what stands between the first '{' and the next '}' counts, when that is not empty. */
export function keySlot(key: Uint8Array, length: number): number {
  let from = 0;
  let to = length;
  const open = indexOf(key, OPEN, 0, length);
  if (open >= 0) {
    const close = indexOf(key, CLOSE, open + 1, length);
    if (close > open + 1) {
      from = open + 1;
      to = close;
    }
  }
  let crc = 0;
  for (let i = from; i < to; i++) crc = ((crc << 8) & 0xffff) ^ TABLE[((crc >> 8) ^ key[i]!) & 0xff]!;
  return crc & 0x3fff;
}

/** As keySlot, of a key that is held as a string. */
export function slotOf(key: ByteString): number {
  return keySlot(Buffer.from(key, 'latin1'), key.length);
}

function indexOf(bytes: Uint8Array, byte: number, from: number, to: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === byte) return i;
  return -1;
}
