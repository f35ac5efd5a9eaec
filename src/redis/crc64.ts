/**
 * CRC-64 as Redis checks RDB payloads with: polynomial ad93d23594c935a9, reflected, no inversion
 * (crc64.c of Redis; "123456789" gives e9c6d914c4b8d9ca). Halves of 32 bits, eight bytes a step
 * (slicing-by-8: a table for each place of a byte in the step).
 */

/** Reflected polynomial, high and low half. */
const POLY_HIGH = 0x95ac9329;
const POLY_LOW = 0xac4bc9b5;

/** Bytes a step. */
const STEP = 8;

/** The k-th table takes a byte that has k bytes behind it in the step. */
const HIGH: readonly Uint32Array[] = Array.from({ length: STEP }, () => new Uint32Array(256));
const LOW: readonly Uint32Array[] = Array.from({ length: STEP }, () => new Uint32Array(256));

fillTables();

function fillTables(): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit += 1) [high, low] = shiftBit(high, low);
    (HIGH[0] as Uint32Array)[byte] = high;
    (LOW[0] as Uint32Array)[byte] = low;
  }
  for (let k = 1; k < STEP; k += 1) {
    for (let byte = 0; byte < 256; byte += 1) {
      const high = (HIGH[k - 1] as Uint32Array)[byte] as number;
      const low = (LOW[k - 1] as Uint32Array)[byte] as number;
      const out = low & 0xff;
      (LOW[k] as Uint32Array)[byte] = ((low >>> 8) | (high << 24)) ^ ((LOW[0] as Uint32Array)[out] as number);
      (HIGH[k] as Uint32Array)[byte] = (high >>> 8) ^ ((HIGH[0] as Uint32Array)[out] as number);
    }
  }
}

function shiftBit(high: number, low: number): [number, number] {
  const carry = low & 1;
  const shiftedLow = ((low >>> 1) | (high << 31)) >>> 0;
  const shiftedHigh = high >>> 1;
  return carry ? [(shiftedHigh ^ POLY_HIGH) >>> 0, (shiftedLow ^ POLY_LOW) >>> 0] : [shiftedHigh, shiftedLow];
}

const [H0, H1, H2, H3, H4, H5, H6, H7] = HIGH as Eight;
const [L0, L1, L2, L3, L4, L5, L6, L7] = LOW as Eight;

type Eight = [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/** Writes the checksum of bytes [from, to) at `to`, 8 bytes little-endian. */
export function putCrc64(buffer: Buffer, from: number, to: number): void {
  let high = 0;
  let low = 0;
  let at = from;
  for (; at + STEP <= to; at += STEP) {
    low ^= word(buffer, at);
    high ^= word(buffer, at + 4);
    const a = low & 0xff;
    const b = (low >>> 8) & 0xff;
    const c = (low >>> 16) & 0xff;
    const d = low >>> 24;
    const e = high & 0xff;
    const f = (high >>> 8) & 0xff;
    const g = (high >>> 16) & 0xff;
    const h = high >>> 24;
    low = L7[a]! ^ L6[b]! ^ L5[c]! ^ L4[d]! ^ L3[e]! ^ L2[f]! ^ L1[g]! ^ L0[h]!;
    high = H7[a]! ^ H6[b]! ^ H5[c]! ^ H4[d]! ^ H3[e]! ^ H2[f]! ^ H1[g]! ^ H0[h]!;
  }
  for (; at < to; at += 1) {
    const a = (low ^ buffer[at]!) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ L0[a]!;
    high = (high >>> 8) ^ H0[a]!;
  }
  buffer.writeUInt32LE(low >>> 0, to);
  buffer.writeUInt32LE(high >>> 0, to + 4);
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
