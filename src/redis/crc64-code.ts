/**
 * The WebAssembly of crc64.ts, put together by hand: `memory` and `crc(from, to)`, which writes the checksum of
 * bytes [from, to) at `to`. 64 bits at once take a third of the time that halves of 32 bits take in JavaScript.
 * The tables of crc64.ts stand at the start of the memory, 256 numbers of 8 bytes each.
 * https://webassembly.github.io/spec/core/binary/
 */

type Code = readonly number[];

const TABLE_BYTES = 2048;

/** Parameters and locals of the function. */
const AT = 0;
const END = 1;
const CRC = 2;

const XOR: Code = [0x85];
const I32_ADD: Code = [0x6a];
const I32_AND: Code = [0x71];
const I32_GREATER: Code = [0x4b];
const TO_I32: Code = [0xa7];
const I64_LEFT: Code = [0x86];
const I64_RIGHT: Code = [0x88];
const END_BLOCK: Code = [0x0b];

const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const i32 = (value: number): Code => [0x41, ...signed(value)];
const i64 = (value: number): Code => [0x42, ...signed(value)];
const load64 = (offset: number): Code => [0x29, 0, ...unsigned(offset)];
const load8 = (): Code => [0x31, 0, 0];
const store64 = (): Code => [0x37, 0, 0];

/** `pages` of 64 KiB, no more and no less. */
export function crcModule(pages: number): Uint8Array<ArrayBuffer> {
  const body = [...locals(), ...loop(8, step()), ...loop(1, lastByte()), ...finish()];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [0x60, 2, 0x7f, 0x7f, 0]),
    ...section(3, [0]),
    ...section(5, [1, ...unsigned(pages), ...unsigned(pages)]),
    ...exported(),
    ...section(10, [...unsigned(body.length), ...body]),
  ]);
}

function exported(): Code {
  const items = [...name('memory'), 2, 0, ...name('crc'), 0, 0];
  return [7, ...unsigned(items.length + 1), 2, ...items];
}

/** A section of one item. */
function section(id: number, item: Code): Code {
  return [id, ...unsigned(item.length + 1), 1, ...item];
}

/** One local besides the parameters: i64. */
function locals(): Code {
  return [1, 1, 0x7e];
}

/** While AT + width ≤ END: the body, AT += width. */
function loop(width: number, body: Code): Code {
  const next = [...get(AT), ...i32(width), ...I32_ADD];
  const leave = [...next, ...get(END), ...I32_GREATER, 0x0d, 1];
  const again = [...next, ...set(AT), 0x0c, 0];
  return [0x02, 0x40, 0x03, 0x40, ...leave, ...body, ...again, ...END_BLOCK, ...END_BLOCK];
}

/** Eight bytes: a table for each place of a byte, joined in pairs so that no sum waits for all before it. */
function step(): Code {
  return [...get(AT), ...load64(0), ...get(CRC), ...XOR, ...set(CRC), ...lookUp(0, 8), ...set(CRC)];
}

function lookUp(first: number, end: number): Code {
  if (end - first > 1) {
    const middle = (first + end) / 2;
    return [...lookUp(first, middle), ...lookUp(middle, end), ...XOR];
  }
  return entry([...get(CRC), ...byteTimes8(first)], 7 - first);
}

/** The entry of a table, by its offset. */
function entry(offset: Code, table: number): Code {
  return [...offset, ...TO_I32, ...i32(0xff * 8), ...I32_AND, ...load64(table * TABLE_BYTES)];
}

/** Moves the k-th byte of 64 bits to where it is a table's offset. */
function byteTimes8(k: number): Code {
  return k === 0 ? [...i64(3), ...I64_LEFT] : [...i64(8 * k - 3), ...I64_RIGHT];
}

function lastByte(): Code {
  const mixed = [...get(AT), ...load8(), ...get(CRC), ...XOR, ...byteTimes8(0)];
  return [...entry(mixed, 0), ...get(CRC), ...i64(8), ...I64_RIGHT, ...XOR, ...set(CRC)];
}

function finish(): Code {
  return [...get(END), ...get(CRC), ...store64(), ...END_BLOCK];
}

function name(text: string): Code {
  return [text.length, ...Buffer.from(text, 'latin1')];
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

/** LEB128 of a number from 0, whose sign bit stays clear. */
function signed(value: number): Code {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)];
}
