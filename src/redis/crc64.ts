/**
 * CRC-64 as Redis checks RDB payloads with: polynomial ad93d23594c935a9, reflected, no inversion
 * (crc64.c of Redis; "123456789" gives e9c6d914c4b8d9ca). Halves of 32 bits, four bytes a step.
 */

/** Reflected polynomial, high and low half. */
const POLY_HIGH = 0x95ac9329;
const POLY_LOW = 0xac4bc9b5;

/** TABLES[k] takes a byte that has k bytes behind it in the step. */
const HIGH: readonly Uint32Array[] = [0, 1, 2, 3].map(() => new Uint32Array(256));
const LOW: readonly Uint32Array[] = [0, 1, 2, 3].map(() => new Uint32Array(256));

fillTables();

function fillTables(): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit += 1) [high, low] = shiftBit(high, low);
    (HIGH[0] as Uint32Array)[byte] = high;
    (LOW[0] as Uint32Array)[byte] = low;
  }
  for (let k = 1; k < 4; k += 1) {
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

/** Writes the checksum of bytes [from, to) at `to`, 8 bytes little-endian. */
export function putCrc64(buffer: Buffer, from: number, to: number): void {
  const [h0, h1, h2, h3] = HIGH as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  const [l0, l1, l2, l3] = LOW as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  let high = 0;
  let low = 0;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const a = (low ^ buffer[at]!) & 0xff;
    const b = ((low >>> 8) ^ buffer[at + 1]!) & 0xff;
    const c = ((low >>> 16) ^ buffer[at + 2]!) & 0xff;
    const d = ((low >>> 24) ^ buffer[at + 3]!) & 0xff;
    low = high ^ l3[a]! ^ l2[b]! ^ l1[c]! ^ l0[d]!;
    high = h3[a]! ^ h2[b]! ^ h1[c]! ^ h0[d]!;
  }
  for (; at < to; at += 1) {
    const a = (low ^ buffer[at]!) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ l0[a]!;
    high = (high >>> 8) ^ h0[a]!;
  }
  buffer.writeUInt32LE(low >>> 0, to);
  buffer.writeUInt32LE(high >>> 0, to + 4);
}
