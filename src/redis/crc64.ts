/**
 * CRC-64 as Redis checks RDB payloads with: polynomial ad93d23594c935a9, reflected, no inversion
 * (crc64.c of Redis; "123456789" gives e9c6d914c4b8d9ca). Eight bytes a step (slicing-by-8: a table for each place
 * of a byte in the step), by WebAssembly in memory that it reaches, else byte by byte.
 */
import { crcModule } from './crc64-code.ts';

/** Reflected polynomial, high and low half. */
const POLY_HIGH = 0x95ac9329;
const POLY_LOW = 0xac4bc9b5;

/** Bytes a step. */
const STEP = 8;

/** Low and high half of what a byte makes of the checksum when k bytes stand behind it in the step. */
const TABLES = makeTables();

function makeTables(): Uint32Array {
  const tables = new Uint32Array(STEP * 512);
  for (let byte = 0; byte < 256; byte += 1) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit += 1) [high, low] = shiftBit(high, low);
    tables[2 * byte] = low;
    tables[2 * byte + 1] = high;
  }
  for (let at = 512; at < tables.length; at += 2) {
    const low = tables[at - 512]!;
    const high = tables[at - 511]!;
    const out = 2 * (low & 0xff);
    tables[at] = ((low >>> 8) | (high << 24)) ^ tables[out]!;
    tables[at + 1] = (high >>> 8) ^ tables[out + 1]!;
  }
  return tables;
}

function shiftBit(high: number, low: number): [number, number] {
  const carry = low & 1;
  const shiftedLow = ((low >>> 1) | (high << 31)) >>> 0;
  const shiftedHigh = high >>> 1;
  return carry ? [(shiftedHigh ^ POLY_HIGH) >>> 0, (shiftedLow ^ POLY_LOW) >>> 0] : [shiftedHigh, shiftedLow];
}

interface Arena {
  readonly bytes: ArrayBuffer;
  readonly crc: (from: number, to: number) => void;
  /** Bytes given out. */
  used: number;
}

/** Of the arena, reserved and not held: pages count once they are written to. */
const MAX_PAGES = 1024;
const PAGE_BYTES = 65_536;

let arena: Arena | null = null;

/** V8 takes all that is reserved for memory in use, and collects garbage at once where it is 64 MiB. */
function openArena(foreseen: number): Arena {
  const pages = Math.min(MAX_PAGES, 1 + Math.ceil(foreseen / PAGE_BYTES));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(crcModule(pages)));
  // As crcModule declares them.
  const { memory, crc } = instance.exports as { memory: { buffer: ArrayBuffer }; crc: Arena['crc'] };
  new Uint32Array(memory.buffer).set(TABLES);
  return { bytes: memory.buffer, crc, used: PAGE_BYTES };
}

/**
 * Bytes whose checksums are made fast, for as long as the process lives: as many are given out in all as were
 * `foreseen` by the first who asked, at most 64 MiB. Ordinary bytes when they are gone, or where the machine does not
 * reserve that much.
 */
export function arenaBytes(length: number, foreseen = Infinity): Buffer {
  try {
    arena ??= openArena(foreseen);
  } catch {
    return Buffer.allocUnsafeSlow(length);
  }
  const at = arena.used;
  if (at + length > arena.bytes.byteLength) return Buffer.allocUnsafeSlow(length);
  arena.used = Math.ceil((at + length) / STEP) * STEP;
  return Buffer.from(arena.bytes, at, length);
}

/** Whether the bytes come from `arenaBytes`, and from no heap. */
export function isInArena(bytes: Uint8Array): boolean {
  return arena !== null && bytes.buffer === arena.bytes;
}

/** As `putCrc64`, of bytes in the arena, by their offsets in it. */
export function putArenaCrc64(from: number, to: number): void {
  arena!.crc(from, to);
}

/** Writes the checksum of bytes [from, to) at `to`, 8 bytes little-endian. */
export function putCrc64(buffer: Buffer, from: number, to: number): void {
  let high = 0;
  let low = 0;
  for (let at = from; at < to; at += 1) {
    const entry = 2 * ((low ^ buffer[at]!) & 0xff);
    low = ((low >>> 8) | (high << 24)) ^ TABLES[entry]!;
    high = (high >>> 8) ^ TABLES[entry + 1]!;
  }
  buffer.writeUInt32LE(low >>> 0, to);
  buffer.writeUInt32LE(high >>> 0, to + 4);
}
