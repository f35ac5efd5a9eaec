import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expandSources } from '../../src/sources/index.ts';
import { failureCode, openBytes, openFile } from './support.ts';
import { rawFrame, skippableFrame } from './zstd-frames.ts';

const FILES = [
  'a.csv',
  'b.csv',
  'c.txt',
  'data[1].csv',
  'data1.csv',
  '_SUCCESS',
  '.hidden.csv',
  '_meta.csv',
  'day=1/part-1.parquet',
  'day=1/part-0.parquet',
  'day=1/.part-0.parquet.crc',
  'day=2/part-0.parquet',
  'day=2/deep/x.csv.gz',
  '_log/z.csv',
  'plain/notes.md',
];

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'featurectl-test-'));
  for (const file of FILES) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), 'id\n1\n');
  }
  symlinkSync('..', join(root, 'day=1/loop'));
});

afterAll(() => rmSync(root, { recursive: true }));

describe('expandSources', () => {
  test.each<[args: readonly string[], names: readonly string[]]>([
    [
      ['b.csv', 'a.csv'],
      ['b.csv', 'a.csv'],
    ],
    [
      ['-', 'a.csv'],
      ['-', 'a.csv'],
    ],
    [['?.csv'], ['a.csv', 'b.csv']],
    [['*.csv'], ['a.csv', 'b.csv', 'data1.csv', 'data[1].csv']],
    [['[!a].csv'], ['b.csv']],
    [['[a-b].csv'], ['a.csv', 'b.csv']],
    [['{b,a}.csv'], ['a.csv', 'b.csv']],
    [['{a,c}.{csv,txt}'], ['a.csv', 'c.txt']],
    [['data[1].csv'], ['data[1].csv']],
    [['_*.csv'], ['_meta.csv']],
    [['.h*'], ['.hidden.csv']],
    [['day=*/*.parquet'], ['day=1/part-0.parquet', 'day=1/part-1.parquet', 'day=2/part-0.parquet']],
    [['**/*.parquet'], ['day=1/part-0.parquet', 'day=1/part-1.parquet', 'day=2/part-0.parquet']],
    [['**/x.csv.gz'], ['day=2/deep/x.csv.gz']],
    [['day=1'], ['day=1/part-0.parquet', 'day=1/part-1.parquet']],
    [['day=2/'], ['day=2/deep/x.csv.gz', 'day=2/part-0.parquet']],
    [['day=[2]'], ['day=2/deep/x.csv.gz', 'day=2/part-0.parquet']],
    [['./a.csv'], ['./a.csv']],
  ])('%j', async (args, names) => {
    const found = await expandSources(args, { cwd: root });
    expect(found.map((location) => location.name)).toEqual(names);
  });

  test.each<[arg: string, code: string]>([
    ['nothing.csv', 'SOURCE_MISSING'],
    ['*.nothing', 'SOURCE_MISSING'],
    ['plain', 'SOURCE_MISSING'],
    ['a.csv/b.csv', 'SOURCE_MISSING'],
    ['', 'USAGE'],
    ['s3://', 'USAGE'],
    ['hdfs://host/key', 'USAGE'],
    ['https://', 'USAGE'],
    ['ftp://example.com/a.csv', 'USAGE'],
  ])('%j is %s', async (arg, code) => {
    await expect(expandSources([arg], { cwd: root })).rejects.toMatchObject({ code });
  });

  test('a format takes every file of a directory; standard input comes once', async () => {
    const found = await expandSources(['plain'], { cwd: root, format: 'csv' });
    expect(found.map((location) => location.name)).toEqual(['plain/notes.md']);
    await expect(expandSources(['-', '-'])).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('openSource finds the format', () => {
  const write = (name: string, bytes: Uint8Array | string): string => {
    const path = join(root, name);
    writeFileSync(path, bytes);
    return path;
  };

  test.each<[name: string, bytes: Uint8Array | string, code: string | null]>([
    ['f1.csv', 'id\n1\n', null],
    ['f1.CSV', 'id\n1\n', null],
    ['f2.csv.gz', gzipSync('id\n1\n'), null],
    ['f3.csv', gzipSync('id\n1\n'), null],
    ['f4.csv.gz', 'id\n1\n', 'SOURCE_FORMAT'],
    ['f5.parquet', 'id\n1\n', 'SOURCE_FORMAT'],
    ['f6.arrow', 'id\n1\n', 'SOURCE_FORMAT'],
    ['f7.csv', Buffer.from('PAR1\x15\x04\x15\x00PAR1', 'latin1'), 'SOURCE_FORMAT'],
    ['f8.csv', 'PAR1,x\n1,2\n', null],
    ['f9.csv', Buffer.from('28b52ffd00', 'hex'), 'SOURCE_TRUNCATED'],
    ['f9.csv.zst', rawFrame('id\n1\n'), null],
    ['f9.csv', Buffer.concat([skippableFrame(4), rawFrame('id\n1\n')]), null],
    ['f9.csv.zst', 'id\n1\n', 'SOURCE_FORMAT'],
    ['f9.csv.zst', gzipSync('id\n1\n'), 'SOURCE_FORMAT'],
    ['f9.csv.br', brotliCompressSync('id\n1\n'), null],
    ['f9.csv.br', 'id\n1\n', 'SOURCE_CORRUPT'],
    ['f9.parquet', rawFrame('PAR1\x15\0\0\0\0\0\0\0PAR1'), 'SOURCE_FORMAT'],
    ['f10.dat', 'id\n1\n', 'SOURCE_FORMAT'],
    ['f11.parquet', '', 'SOURCE_TRUNCATED'],
    ['f12.parquet', Buffer.from('PARE\x04\0\0\0abcdPARE', 'latin1'), 'SOURCE_ENCRYPTED'],
    ['f13.parquet', Buffer.from('PAR1\x15\0\0\0\0\0\0\0abcd', 'latin1'), 'SOURCE_TRUNCATED'],
    ['f14.parquet', gzipSync('PAR1\x15\0\0\0\0\0\0\0PAR1'), 'SOURCE_FORMAT'],
  ])('%s: %s', async (name, bytes, code) => {
    expect(await failureCode(openFile(write(name, bytes)))).toBe(code);
  });

  test('a mismatch names both formats', async () => {
    await expect(openFile(write('m.parquet', gzipSync('id\n')))).rejects.toThrow(/Parquet.*found text/);
    await expect(openFile(write('m.csv.gz', 'id\n'))).rejects.toThrow(/gzip.*found text/);
  });

  test('missing, a directory, not permitted', async () => {
    expect(await failureCode(openFile(join(root, 'nothing.csv')))).toBe('SOURCE_MISSING');
    expect(await failureCode(openFile(root))).toBe('SOURCE_READ');
    const path = write('secret.csv', 'id\n');
    chmodSync(path, 0);
    if (process.getuid?.() !== 0) expect(await failureCode(openFile(path))).toBe('SOURCE_READ');
  });

  test('bytes read reach the size; a pipe has none', async () => {
    const source = await openFile(write('size.csv', 'id\n1\n2\n'));
    for await (const _ of source.batches([0]));
    expect([source.bytesRead(), source.info.totalBytes]).toEqual([7, 7]);
    await source.close();
    expect((await openBytes('id\n')).info.totalBytes).toBeNull();
  });
});
