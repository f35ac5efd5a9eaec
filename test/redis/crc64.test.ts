/** CRC-64 as Redis has it, in the arena (WebAssembly) and out of it. */
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { arenaBytes, isInArena, putArenaCrc64, putCrc64 } from '../../src/redis/crc64.ts';

const arena = arenaBytes(4096);

function inArena(bytes: Uint8Array, at: number): bigint {
  arena.set(bytes, at);
  putArenaCrc64(arena.byteOffset + at, arena.byteOffset + at + bytes.length);
  return arena.readBigUInt64LE(at + bytes.length);
}

function outside(bytes: Uint8Array): bigint {
  const buffer = Buffer.concat([bytes, Buffer.alloc(8)]);
  putCrc64(buffer, 0, bytes.length);
  return buffer.readBigUInt64LE(bytes.length);
}

it.each([
  ['', 0n],
  ['123456789', 0xe9c6d914c4b8d9can],
])('of %j', (text, crc) => {
  expect(inArena(Buffer.from(text), 5)).toBe(crc);
  expect(outside(Buffer.from(text))).toBe(crc);
});

it('is the same in both ways, wherever the bytes stand', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(16), (bytes, at) => {
      expect(inArena(bytes, at)).toBe(outside(bytes));
    }),
    { numRuns: 500 },
  );
});

it('gives ordinary bytes when the arena is full', () => {
  expect(isInArena(arena)).toBe(true);
  expect(isInArena(Buffer.alloc(8))).toBe(false);
  const pieces = Array.from({ length: 65 }, () => arenaBytes(1 << 20));
  expect(pieces.filter(isInArena)).toHaveLength(63);
  for (const piece of pieces) expect(piece).toHaveLength(1 << 20);
});

it('an arena is as large as was foreseen when it was opened', async () => {
  vi.resetModules();
  const fresh = await import('../../src/redis/crc64.ts');
  const pieces = Array.from({ length: 5 }, () => fresh.arenaBytes(1 << 20, 4 << 20));
  expect(pieces.filter(fresh.isInArena)).toHaveLength(4);
  expect(pieces[0]?.buffer.byteLength).toBe((4 << 20) + 65_536);
});
