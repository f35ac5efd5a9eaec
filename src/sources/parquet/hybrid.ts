/**
 * Levels and dictionary codes: runs of one value, and values packed into bits, least significant first.
 * https://github.com/apache/parquet-format/blob/master/Encodings.md#RLE
 */

/** Where reading stands. State and plain functions: closures of each page made V8 compile their callers again and again. */
export interface Codes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Bits a value, 32 at most. */
  readonly width: number;
  readonly end: number;
  /** The next run's header. */
  at: number;
  /** Values of the run that were not read yet. */
  left: number;
  /** Of a run of one value. */
  value: number;
  /** First byte of packed values; -1: it is a run of one. */
  packed: number;
  /** First bit of the next packed value, counted from there. */
  bit: number;
}

/** More than a page has. */
const ENDLESS = 0x7fffffff;

/** Of the bytes from `start` up to `end`. Zeros without end where values have no bits at all. */
export function hybridCodes(bytes: Uint8Array, start: number, end: number, width: number): Codes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const left = width === 0 ? ENDLESS : 0;
  return { bytes, view, width, end, at: start, left, value: 0, packed: -1, bit: 0 };
}

/**
 * Levels of one or two bits in the deprecated encoding BIT_PACKED, most significant bit first.
 * https://github.com/apache/parquet-format/blob/master/Encodings.md#BITPACKED
 */
export function bigEndianLevels(bytes: Uint8Array, start: number, end: number, width: 1 | 2): Codes {
  const turned = bytes.slice(start, end).map((byte) => reversed(byte, width));
  const codes = hybridCodes(turned, turned.length, turned.length, width);
  return { ...codes, packed: 0, left: (turned.length * 8) / width };
}

/** The levels of a byte from the last to the first. */
function reversed(byte: number, width: number): number {
  let turned = 0;
  for (let bit = 0; bit < 8; bit += width) {
    turned |= ((byte >> bit) & ((1 << width) - 1)) << (8 - width - bit);
  }
  return turned;
}

function codesTooEarly(): Error {
  return new Error('its levels or codes end too early');
}

/** The next `count` values, into `out` from its start on. Throws an Error where the bytes end before. */
export function readCodes(codes: Codes, out: Int32Array, count: number): void {
  for (let done = 0; done < count; ) {
    while (codes.left === 0) nextRun(codes);
    const some = Math.min(codes.left, count - done);
    if (codes.packed < 0) out.fill(codes.value, done, done + some);
    else unpack(codes, out, done, some);
    codes.left -= some;
    done += some;
  }
}

/** The value of the next `count`, where they are of one run: they are taken. Else -1, and nothing is. */
export function takeRun(codes: Codes, count: number): number {
  while (codes.left === 0 && count > 0) nextRun(codes);
  if (codes.packed >= 0 || codes.left < count) return -1;
  codes.left -= count;
  return codes.value;
}

/** Throws an Error where bytes are left of which no value was read. Zeros are what a writer fills a buffer up with. */
export function finishCodes({ bytes, at, end }: Codes): void {
  for (let i = at; i < end; i++) {
    if (bytes[i] !== 0) throw new Error('levels of more values than a page has');
  }
}

function nextRun(codes: Codes): void {
  const { bytes, end, width } = codes;
  let header = 0;
  for (let shift = 0, more = true; more; shift += 7) {
    if (codes.at >= end || shift > 28) throw codesTooEarly();
    const byte = bytes[codes.at++]!;
    header |= (byte & 0x7f) << shift;
    more = byte >= 0x80;
  }
  if (header & 1) {
    codes.left = (header >>> 1) * 8;
    codes.packed = codes.at;
    codes.bit = 0;
    codes.at += (header >>> 1) * width;
    return;
  }
  codes.left = header >>> 1;
  codes.packed = -1;
  codes.value = 0;
  for (let shift = 0; shift < width; shift += 8) codes.value |= bytes[codes.at++]! << shift;
  if (codes.at > end) throw codesTooEarly();
  if (width < 32 && codes.value >>> width !== 0)
    throw new Error(`a level or code of more than ${width} bits`);
}

/** The widest value that four bytes hold at any bit. */
const FOUR_BYTES = 25;

function unpack(codes: Codes, out: Int32Array, from: number, count: number): void {
  const { bytes, view, width, end, packed, bit } = codes;
  // Of the last run writers leave out what no value needs.
  if (packed + Math.ceil((bit + count * width) / 8) > end) throw codesTooEarly();
  // Of as many as have four bytes of the page from where they begin.
  const inside = Math.floor(((bytes.length - packed - 4) * 8 - bit) / width) + 1;
  const fast = width <= FOUR_BYTES ? Math.max(Math.min(inside, count), 0) : 0;
  if (fast > 0) unpackWords(view, packed, bit, width, out, from, fast);
  unpackBytes(bytes, packed, bit + fast * width, width, out, from + fast, count - fast);
  codes.bit += count * width;
}

function unpackWords(
  view: DataView,
  start: number,
  first: number,
  width: number,
  out: Int32Array,
  from: number,
  count: number,
): void {
  const mask = (1 << width) - 1;
  let bit = first;
  for (let i = from; i < from + count; i++) {
    out[i] = (view.getInt32(start + (bit >>> 3), true) >>> (bit & 7)) & mask;
    bit += width;
  }
}

/** Values of any width, also at the end of the bytes. */
function unpackBytes(
  bytes: Uint8Array,
  start: number,
  first: number,
  width: number,
  out: Int32Array,
  from: number,
  count: number,
): void {
  let bit = first;
  for (let i = from; i < from + count; i++) {
    let value = 0;
    for (let taken = 0; taken < width; ) {
      const inByte = (bit + taken) & 7;
      const some = Math.min(8 - inByte, width - taken);
      const part = (bytes[start + ((bit + taken) >>> 3)]! >> inByte) & ((1 << some) - 1);
      value |= part << taken;
      taken += some;
    }
    out[i] = value;
    bit += width;
  }
}
