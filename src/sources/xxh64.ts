/**
 * XXH64 in 32-bit halves: what a zstd frame's checksum is made with. BigInt would be some twenty times slower.
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */

/** Each prime as its upper and lower half. */
const P1 = [0x9e3779b1, 0x85ebca87] as const;
const P2 = [0xc2b2ae3d, 0x27d4eb4f] as const;
const P3 = [0x165667b1, 0x9e3779f9] as const;
const P4 = [0x85ebca77, 0xc2b2ae63] as const;
const P5 = [0x27d4eb2f, 0x165667c5] as const;

type Half = readonly [high: number, low: number];

const STRIPE = 32;

/** Four lanes and the hash, upper half first. Typed arrays hold 32 bits without making an object of a number. */
type State = Int32Array;
const LANES = 4;
const HASH = LANES * 2;
/** A number in between. */
const TEMP = HASH + 2;

export interface Xxh64 {
  update(bytes: Buffer): void;
  /** The lower 32 bits of the hash with seed 0, which is what zstd stores. To be called once. */
  low32(): number;
}

export function createXxh64(): Xxh64 {
  const state = initialState();
  const rest = Buffer.alloc(STRIPE);
  let held = 0;
  let total = 0;
  return {
    update: (bytes) => {
      total += bytes.length;
      let at = 0;
      if (held > 0) {
        at = bytes.copy(rest, held);
        held += at;
        if (held < STRIPE) return;
        stripe(state, rest, 0);
        held = 0;
      }
      for (; at + STRIPE <= bytes.length; at += STRIPE) stripe(state, bytes, at);
      held = bytes.copy(rest, 0, at);
    },
    low32: () => {
      if (total >= STRIPE) converge(state);
      else set(state, HASH, P5);
      return finish(state, total, rest.subarray(0, held));
    },
  };
}

function initialState(): State {
  const state = new Int32Array(TEMP + 2);
  set(state, 0, P1);
  add(state, 0, P2[0], P2[1]);
  set(state, 2, P2);
  set(state, 6, [~P1[0], ~P1[1] + 1]);
  return state;
}

function stripe(state: State, bytes: Buffer, at: number): void {
  for (let lane = 0; lane < HASH; lane += 2) {
    round(state, lane, word(bytes, at + lane * 4 + 4), word(bytes, at + lane * 4));
  }
}

/** The number at `to` = rotate(number + input × P2, 31) × P1. */
function round(state: State, to: number, high: number, low: number): void {
  const spare = TEMP;
  state[spare] = high;
  state[spare + 1] = low;
  multiply(state, spare, P2[0], P2[1]);
  add(state, to, state[spare] as number, state[spare + 1] as number);
  rotate(state, to, 31);
  multiply(state, to, P1[0], P1[1]);
}

function converge(state: State): void {
  for (const [lane, bits] of [1, 7, 12, 18].entries()) {
    const copy: Half = [state[lane * 2] as number, state[lane * 2 + 1] as number];
    set(state, TEMP, copy);
    rotate(state, TEMP, bits);
    add(state, HASH, state[TEMP] as number, state[TEMP + 1] as number);
  }
  for (let lane = 0; lane < HASH; lane += 2) {
    mix(state, state[lane] as number, state[lane + 1] as number);
    multiply(state, HASH, P1[0], P1[1]);
    add(state, HASH, P4[0], P4[1]);
  }
}

/** Hash ^= round(0, input). */
function mix(state: State, high: number, low: number): void {
  const kept: Half = [state[HASH] as number, state[HASH + 1] as number];
  set(state, HASH, [0, 0]);
  round(state, HASH, high, low);
  xor(state, HASH, kept[0], kept[1]);
}

function finish(state: State, total: number, rest: Buffer): number {
  add(state, HASH, Math.floor(total / 2 ** 32), total);
  let at = 0;
  for (; at + 8 <= rest.length; at += 8) {
    mix(state, word(rest, at + 4), word(rest, at));
    scramble(state, 27, P1, P4);
  }
  if (at + 4 <= rest.length) {
    xorProduct(state, word(rest, at), P1);
    scramble(state, 23, P2, P3);
    at += 4;
  }
  for (; at < rest.length; at++) {
    xorProduct(state, rest[at] as number, P5);
    scramble(state, 11, P1, [0, 0]);
  }
  return avalanche(state);
}

/** Hash = rotate(hash, bits) × factor + addend. */
function scramble(state: State, bits: number, factor: Half, addend: Half): void {
  rotate(state, HASH, bits);
  multiply(state, HASH, factor[0], factor[1]);
  add(state, HASH, addend[0], addend[1]);
}

function xorProduct(state: State, low: number, factor: Half): void {
  set(state, TEMP, [0, low]);
  multiply(state, TEMP, factor[0], factor[1]);
  xor(state, HASH, state[TEMP] as number, state[TEMP + 1] as number);
}

function avalanche(state: State): number {
  xor(state, HASH, 0, (state[HASH] as number) >>> 1);
  multiply(state, HASH, P2[0], P2[1]);
  const high = state[HASH] as number;
  const low = state[HASH + 1] as number;
  xor(state, HASH, high >>> 29, (high << 3) | (low >>> 29));
  multiply(state, HASH, P3[0], P3[1]);
  return ((state[HASH + 1] as number) ^ (state[HASH] as number)) >>> 0;
}

function word(bytes: Buffer, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function set(state: State, to: number, [high, low]: Half): void {
  state[to] = high;
  state[to + 1] = low;
}

function xor(state: State, to: number, high: number, low: number): void {
  state[to] = (state[to] as number) ^ high;
  state[to + 1] = (state[to + 1] as number) ^ low;
}

function add(state: State, to: number, high: number, low: number): void {
  const sum = ((state[to + 1] as number) + low) | 0;
  const carry = sum >>> 0 < low >>> 0 ? 1 : 0;
  state[to] = ((state[to] as number) + high + carry) | 0;
  state[to + 1] = sum;
}

/** To the left, by 1 to 31 bits. */
function rotate(state: State, to: number, bits: number): void {
  const high = state[to] as number;
  const low = state[to + 1] as number;
  state[to] = (high << bits) | (low >>> (32 - bits));
  state[to + 1] = (low << bits) | (high >>> (32 - bits));
}

/** Modulo 2^64. The upper half of low × low is put together from products of 16 bits. */
function multiply(state: State, to: number, high: number, low: number): void {
  const ownHigh = state[to] as number;
  const own = state[to + 1] as number;
  const aLow = own & 0xffff;
  const aHigh = own >>> 16;
  const bLow = low & 0xffff;
  const bHigh = low >>> 16;
  const first = Math.imul(aLow, bLow);
  const second = (Math.imul(aHigh, bLow) + (first >>> 16)) | 0;
  const third = (Math.imul(aLow, bHigh) + (second & 0xffff)) | 0;
  const upper = (Math.imul(aHigh, bHigh) + (second >>> 16) + (third >>> 16)) | 0;
  state[to] = (upper + Math.imul(ownHigh, low) + Math.imul(own, high)) | 0;
  state[to + 1] = (third << 16) | (first & 0xffff);
}
