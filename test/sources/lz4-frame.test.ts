import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import lz4 from 'lz4js';
import { describe, expect, test } from 'vitest';
import { unlz4 } from '../../src/sources/lz4-frame.ts';
import { xxh32 } from '../../src/sources/xxh32.ts';
import { failureCode, openBytes, openFile, readAll, rowsText } from './support.ts';

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

/** A frame with checksums of its blocks and its content; blocks of 64 KiB, those stored as they are with the high bit. */
function frameOf(blocks: readonly { bytes: Buffer; isStored: boolean }[], content: Buffer): Buffer {
  const descriptor = Buffer.of(0x54, 0x40);
  const parts = blocks.flatMap(({ bytes, isStored }) => [
    word(bytes.length + (isStored ? 0x80000000 : 0)),
    bytes,
    word(xxh32(bytes)),
  ]);
  const head = [word(0x184d2204), descriptor, Buffer.of((xxh32(descriptor) >>> 8) & 0xff)];
  return Buffer.concat([...head, ...parts, word(0), word(xxh32(content))]);
}

/** abcabcabc…: three literals, a match that reaches into itself, and five literals at the end, as the format wants. */
const content = Buffer.from(`${'abc'.repeat(20)}vwxyz`);
const block = Buffer.concat([
  Buffer.of(0x3f),
  Buffer.from('abc'),
  Buffer.of(3, 0, 57 - 4 - 15),
  Buffer.of(0x50),
  Buffer.from('vwxyz'),
]);
const frame = frameOf(
  [
    { bytes: block, isStored: false },
    { bytes: content, isStored: true },
  ],
  Buffer.concat([content, content]),
);

describe('XXH32', () => {
  test.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('of %j', (text, hash) => expect(xxh32(Buffer.from(text))).toBe(hash));
});

describe('LZ4 frames', () => {
  test('with checksums of their blocks', () => {
    expect(Buffer.from(unlz4(frame))).toEqual(Buffer.concat([content, content]));
  });

  test('as lz4js writes them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3000 }),
        fc.nat(90),
        (bytes, times) => {
          const data = Buffer.concat(Array.from({ length: times }, () => Buffer.from(bytes)));
          expect(Buffer.compare(unlz4(lz4.compress(data)), data)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('of which a bit is turned, or the end is missing, are refused', () => {
    for (let at = 0; at < frame.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(frame);
        damaged[at]! ^= 1 << bit;
        expect(() => unlz4(damaged), `${at}.${bit}`).toThrow();
      }
      expect(() => unlz4(frame.subarray(0, at)), `${at}`).toThrow();
    }
  });

  test.each([
    ['an offset of 0', Buffer.of(0x10, 97, 0, 0, 0x50, 1, 2, 3, 4, 5)],
    ['an offset before the start', Buffer.of(0x10, 97, 2, 0, 0x50, 1, 2, 3, 4, 5)],
    ['literals beyond the block', Buffer.of(0xf0, 200, 97)],
    ['a length without an end', Buffer.of(0xf0, 255, 255)],
    ['a match at the end', Buffer.of(0x10, 97, 1, 0)],
    [
      'a match of more than a block',
      Buffer.concat([Buffer.of(0x1f, 97, 1, 0), Buffer.alloc(300, 255), Buffer.of(0, 0)]),
    ],
  ])('with a block of %s are refused', (_, bytes) => {
    const file = frameOf([{ bytes, isStored: false }], Buffer.alloc(0));
    expect(() => unlz4(file)).toThrow();
  });
});

describe('Arrow files as others compress them', () => {
  const rows = Array.from(
    { length: 300 },
    (_, i) => `${i + 1}: ${i}|${i / 4}|${i % 7 === 3 ? '∅' : `text ${i % 11}`}`,
  );

  test.each(['polars-lz4', 'pyarrow-zstd'])('%s', async (name) => {
    const { batches, error } = await readAll(await openFile(`test/sources/files/${name}.arrow`));
    expect(error).toBeNull();
    expect(rowsText(batches)).toEqual(rows);
  });

  test.each([
    ['polars-lz4', Buffer.of(0x04, 0x22, 0x4d, 0x18)],
    ['pyarrow-zstd', Buffer.of(0x28, 0xb5, 0x2f, 0xfd)],
  ])('%s with a buffer that says another length is refused', async (name, mark) => {
    const file = readFileSync(`test/sources/files/${name}.arrow`);
    const at = file.indexOf(mark) - 8;
    const length = file.readInt32LE(at);
    for (const other of [length - 1, length - 8, length + 8, 0]) {
      file.writeInt32LE(other, at);
      expect(await failureCode(openBytes(file)), `${other} of ${length}`).toBe('SOURCE_CORRUPT');
    }
  });
});
