/** gzip, zstd and brotli: whole at any chunk size, and never silently short or wrong. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FeaturectlError } from '../../src/core/errors.ts';
import { unbrotli } from '../../src/sources/brotli.ts';
import type { ByteStream } from '../../src/sources/bytes.ts';
import { gunzip } from '../../src/sources/gzip.ts';
import { unzstd } from '../../src/sources/zstd.ts';
import { HOSTILE_FRAMES, LONG, rawFrame, SHORT, skippableFrame, ZSTD_FRAMES } from './zstd-frames.ts';

type Decompress = (chunks: ByteStream, name: string) => ByteStream;

async function* cut(bytes: Buffer, size: number): ByteStream {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface Outcome {
  readonly text: string;
  readonly code: string | null;
}

async function outcome(decompress: Decompress, bytes: Buffer, size = 1 << 16): Promise<Outcome> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of decompress(cut(bytes, size), 'x')) pieces.push(piece);
    return { text: Buffer.concat(pieces).toString(), code: null };
  } catch (error) {
    if (!(error instanceof FeaturectlError)) throw error;
    return { text: Buffer.concat(pieces).toString(), code: error.code };
  }
}

const BROTLI = brotliCompressSync(SHORT);
const GZIP = gzipSync(SHORT);

describe.each([1, 2, 7, 1000, 1 << 16])('in chunks of %i', (size) => {
  test.each<[name: string, decompress: Decompress, bytes: Buffer, text: string]>([
    ['gzip', gunzip, GZIP, SHORT],
    ['gzip of two members', gunzip, Buffer.concat([GZIP, GZIP]), SHORT + SHORT],
    ['brotli', unbrotli, BROTLI, SHORT],
    ['brotli of nothing', unbrotli, brotliCompressSync(''), ''],
    ...ZSTD_FRAMES.map(({ name, text, bytes }): [string, Decompress, Buffer, string] => [
      `zstd ${name}`,
      unzstd,
      bytes,
      text,
    ]),
    ['zstd raw', unzstd, rawFrame(SHORT), SHORT],
    ['zstd of nothing', unzstd, rawFrame(''), ''],
    [
      'zstd of many frames',
      unzstd,
      Buffer.concat([
        skippableFrame(3),
        ...ZSTD_FRAMES.map(({ bytes }) => bytes),
        skippableFrame(0),
        rawFrame('end'),
      ]),
      `${ZSTD_FRAMES.map(({ text }) => text).join('')}end`,
    ],
  ])('%s', async (_, decompress, bytes, text) => {
    const found = await outcome(decompress, bytes, size);
    expect(found.code).toBeNull();
    expect(found.text === text).toBe(true);
  });
});

const DIGITS = ZSTD_FRAMES.find(({ name }) => name === 'level 1, digits')!.bytes;

describe('cut at every byte: SOURCE_TRUNCATED, and only right text before', () => {
  test.each<[name: string, decompress: Decompress, bytes: Buffer]>([
    ['gzip', gunzip, GZIP],
    ['brotli', unbrotli, BROTLI],
    ['zstd', unzstd, DIGITS],
    ['zstd raw', unzstd, rawFrame(SHORT)],
    ['zstd skippable', unzstd, skippableFrame(9)],
  ])('%s', async (_, decompress, bytes) => {
    for (let length = 1; length < bytes.length; length++) {
      const found = await outcome(decompress, bytes.subarray(0, length));
      const magic = decompress === unzstd && length < 4 ? 'SOURCE_CORRUPT' : 'SOURCE_TRUNCATED';
      expect([length, found.code]).toEqual([length, magic]);
      expect(SHORT.startsWith(found.text)).toBe(true);
    }
  });
});

describe('damage', () => {
  test.each<[name: string, decompress: Decompress, bytes: Buffer]>([
    ['gzip', gunzip, GZIP],
    ['zstd with a checksum', unzstd, DIGITS],
    ['zstd, multi-block', unzstd, ZSTD_FRAMES[0]!.bytes],
  ])('any changed byte of %s is an error', async (_, decompress, bytes) => {
    const whole = await outcome(decompress, bytes);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      const found = await outcome(decompress, damaged);
      // A few bits mean nothing, such as those of gzip's header that hold a time: the text is then the same.
      if (found.code === null) expect([at, found.text === whole.text]).toEqual([at, true]);
    }
  });

  test.each<[name: string, decompress: Decompress, bytes: Buffer, code: string]>([
    ['bytes behind brotli', unbrotli, Buffer.concat([BROTLI, Buffer.from('x')]), 'SOURCE_CORRUPT'],
    ['bytes behind zstd', unzstd, Buffer.concat([DIGITS, Buffer.from('more')]), 'SOURCE_CORRUPT'],
    ['no brotli', unbrotli, Buffer.from('id,x\n1,2\n'), 'SOURCE_CORRUPT'],
    ['a window of 64 MiB', unzstd, Buffer.from('28b52ffd0080', 'hex'), 'SOURCE_FORMAT'],
    ['a size of 64 MiB at once', unzstd, Buffer.from('28b52ffda000000004', 'hex'), 'SOURCE_FORMAT'],
    ['a dictionary', unzstd, Buffer.from('28b52ffd010005', 'hex'), 'SOURCE_FORMAT'],
    ['a reserved block type', unzstd, Buffer.from('28b52ffd00000700000000', 'hex'), 'SOURCE_CORRUPT'],
    ['another size than stated', unzstd, Buffer.from('28b52ffd2005090000aa', 'hex'), 'SOURCE_CORRUPT'],
  ])('%s', async (_, decompress, bytes, code) => {
    expect((await outcome(decompress, bytes)).code).toBe(code);
  });
});

test.each<[name: string, decompress: Decompress, bytes: Buffer]>([
  ['brotli', unbrotli, brotliCompressSync(Buffer.alloc(64 << 20, 'x'))],
  ['gzip', gunzip, gzipSync(Buffer.alloc(64 << 20, 'x'))],
])('64 MiB from a few bytes of %s come in pieces', async (_, decompress, bytes) => {
  let total = 0;
  let largest = 0;
  for await (const piece of decompress(cut(bytes, 1 << 20), 'x')) {
    total += piece.length;
    largest = Math.max(largest, piece.length);
  }
  expect([total, largest <= 1 << 20]).toEqual([64 << 20, true]);
});

test.each(HOSTILE_FRAMES)('zstd with %s is given up, and good data is read after it', async (_, bytes) => {
  const all = unzstd(cut(bytes, 1 << 16), 'x', 100);
  // Not refused for another reason: it was the deadline that ended it.
  await expect(all.next()).rejects.toMatchObject({
    code: 'SOURCE_CORRUPT',
    cause: { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' },
  });
  expect(await outcome(unzstd, DIGITS)).toEqual({ text: SHORT, code: null });
});

test('the long text has several blocks', () => expect(LONG.length).toBeGreaterThan(128 * 1024));
