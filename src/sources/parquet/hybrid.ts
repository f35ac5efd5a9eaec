/**
 * Levels and dictionary codes: runs of one value, and values packed into bits, least significant first.
 * https://github.com/apache/parquet-format/blob/master/Encodings.md#RLE
 */
export interface Codes {
  /** The next `count` values, into `out` from its start on. Throws an Error where the bytes end before. */
  read(out: Int32Array, count: number): void;
  /** The value of the next `count`, where they are of one run: they are taken. Else -1, and nothing is. */
  takeRun(count: number): number;
  /** Throws an Error where bytes are left of which no value was read. */
  finish(): void;
}

function codesTooEarly(): Error {
  return new Error('its levels or codes end too early');
}

/** The widest value that four bytes hold at any bit. */
const FOUR_BYTES = 25;

/** Of the bytes from `start` up to `end`, `width` bits a value, 32 at most. */
export function createHybrid(bytes: Uint8Array, start: number, end: number, width: number): Codes {
  let at = start;
  let left = 0;
  let value = 0;
  /** First bit of the next packed value, counted from `packed`; `packed` -1: a run. */
  let packed = -1;
  let bit = 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  const nextRun = (): void => {
    let header = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      if (at >= end || shift > 28) throw codesTooEarly();
      const byte = bytes[at++]!;
      header |= (byte & 0x7f) << shift;
      more = byte >= 0x80;
    }
    if (header & 1) {
      left = (header >>> 1) * 8;
      packed = at;
      bit = 0;
      at += (header >>> 1) * width;
      return;
    }
    left = header >>> 1;
    packed = -1;
    value = 0;
    for (let shift = 0; shift < width; shift += 8) value |= bytes[at++]! << shift;
    if (at > end) throw codesTooEarly();
    if (width < 32 && value >>> width !== 0) throw new Error(`a level or code of more than ${width} bits`);
  };
  const unpack = (out: Int32Array, from: number, count: number): void => {
    // Of the last run writers leave out what no value needs.
    if (packed + Math.ceil((bit + count * width) / 8) > end) {
      throw codesTooEarly();
    }
    // Of as many as have four bytes of the page from where they begin.
    const inside = Math.floor(((bytes.length - packed - 4) * 8 - bit) / width) + 1;
    const fast = width <= FOUR_BYTES ? Math.max(Math.min(inside, count), 0) : 0;
    if (fast > 0) unpackWords(view, packed, bit, width, out, from, fast);
    unpackBytes(bytes, packed, bit + fast * width, width, out, from + fast, count - fast);
    bit += count * width;
  };

  return {
    read: (out, count) => {
      for (let done = 0; done < count; ) {
        while (left === 0) nextRun();
        const some = Math.min(left, count - done);
        if (packed < 0) out.fill(value, done, done + some);
        else unpack(out, done, some);
        left -= some;
        done += some;
      }
    },
    takeRun: (count) => {
      while (left === 0 && count > 0) nextRun();
      if (packed >= 0 || left < count) return -1;
      left -= count;
      return value;
    },
    finish: () => {
      // Zeros are what a writer fills a buffer up with.
      for (; at < end; at++) if (bytes[at] !== 0) throw new Error('levels of more values than a page has');
    },
  };
}

/** Any number of zeros, which take no bits at all. */
export const ZEROS: Codes = {
  read: (out, count) => void out.fill(0, 0, count),
  takeRun: () => 0,
  finish: () => undefined,
};

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

/**
 * Levels of 0 and 1 in the deprecated encoding BIT_PACKED, a bit each, most significant first.
 * https://github.com/apache/parquet-format/blob/master/Encodings.md#BITPACKED
 */
export function createBigEndianBits(bytes: Uint8Array, start: number, end: number): Codes {
  let bit = 0;
  return {
    read: (out, count) => {
      if (start + Math.ceil((bit + count) / 8) > end) throw codesTooEarly();
      for (let i = 0; i < count; i++, bit++) out[i] = (bytes[start + (bit >>> 3)]! >> (7 - (bit & 7))) & 1;
    },
    takeRun: () => -1,
    finish: () => undefined,
  };
}
