/** s3:// and gs:// against a server that speaks S3. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FeaturectlError } from '../../src/core/errors.ts';
import { expandSources, openSource } from '../../src/sources/index.ts';
import { BUCKET, startS3, type TestS3 } from '../support/s3-server.ts';
import { readAll, rowsText } from './support.ts';

const CSV = 'id,x\n1,a\n2,b\n3,c\n';
const ROWS = ['2: 1|a', '3: 2|b', '4: 3|c'];
const KEYS = [
  'day=1/part-0.csv',
  'day=1/part-1.csv.gz',
  'day=1/_SUCCESS',
  'day=1/.part-0.csv.crc',
  'day=2/deep/part-0.csv',
  'day=2/notes.txt',
  'plain[1].csv',
  'plain1.csv',
];

let s3: TestS3;
beforeAll(async () => {
  s3 = await startS3();
  for (const key of KEYS) await s3.put(key, key.endsWith('.gz') ? gzipSync(CSV) : CSV);
});
afterAll(() => s3.close());
beforeEach(() => {
  s3.cutAfter = null;
  s3.requests.length = 0;
});

const url = (key: string): string => `s3://${BUCKET}/${key}`;

async function expand(key: string, env = s3.env): Promise<readonly string[]> {
  const found = await expandSources([url(key)], { env });
  return found.map(({ name }) => name.slice(url('').length));
}

async function outcome(source: string, env = s3.env): Promise<string[]> {
  try {
    const options = { env, retryForMs: 1000 };
    const [location] = await expandSources([source], options);
    if (location === undefined) throw new Error('expected a location');
    const { batches, error } = await readAll(await openSource(location, options));
    return [...rowsText(batches), ...(error ? [error.code] : [])];
  } catch (error) {
    if (error instanceof FeaturectlError) return [error.code];
    throw error;
  }
}

describe('what a URL names', () => {
  test.each<[key: string, keys: readonly string[]]>([
    ['day=1/part-0.csv', ['day=1/part-0.csv']],
    ['day=1/', ['day=1/part-0.csv', 'day=1/part-1.csv.gz']],
    ['day=*/part-*.csv', ['day=1/part-0.csv']],
    ['day=*/**', ['day=1/part-0.csv', 'day=1/part-1.csv.gz', 'day=2/deep/part-0.csv', 'day=2/notes.txt']],
    ['**/part-0.csv', ['day=1/part-0.csv', 'day=2/deep/part-0.csv']],
    ['day={1,2}/*.{gz,txt}', ['day=1/part-1.csv.gz', 'day=2/notes.txt']],
    ['plain[1].csv', ['plain[1].csv']],
    ['plain?.csv', ['plain1.csv']],
    ['', ['day=1/part-0.csv', 'day=1/part-1.csv.gz', 'day=2/deep/part-0.csv', 'plain1.csv', 'plain[1].csv']],
  ])('%s', async (key, keys) => {
    expect(await expand(key)).toEqual(keys);
  });

  test.each<[source: string, code: string]>([
    [url('none/'), 'SOURCE_MISSING'],
    [url('*.parquet'), 'SOURCE_MISSING'],
    [url('none.csv'), 'SOURCE_MISSING'],
    ['s3://no-such-bucket/a.csv', 'SOURCE_MISSING'],
    ['s3://no-such-bucket/', 'SOURCE_MISSING'],
    ['s3://', 'USAGE'],
    ['gs://bucket/a.csv', 'USAGE'],
  ])('%s is %s', async (source, code) => {
    expect(await outcome(source)).toEqual([code]);
  });

  test('wrong keys are told as such', async () => {
    expect(await outcome(url('plain1.csv'), { ...s3.env, AWS_ACCESS_KEY_ID: 'nobody' })).toEqual([
      'SOURCE_READ',
    ]);
  });
});

describe('reading', () => {
  test.each(['day=1/part-0.csv', 'day=1/part-1.csv.gz', 'plain[1].csv'])('%s', async (key) => {
    expect(await outcome(url(key))).toEqual(ROWS);
  });

  test('by the other variable, and as gs:// by its own', async () => {
    const { AWS_ENDPOINT_URL_S3: endpoint, ...rest } = s3.env;
    expect(await outcome(url('plain1.csv'), { ...rest, AWS_ENDPOINT_URL: endpoint })).toEqual(ROWS);
    const google = { GS_ACCESS_KEY_ID: 'S3RVER', GS_SECRET_ACCESS_KEY: 'S3RVER', GS_ENDPOINT_URL: endpoint };
    expect(await outcome(`gs://${BUCKET}/plain1.csv`, google)).toEqual(ROWS);
  });

  test('Parquet and Arrow are kept beside while they are read', async () => {
    for (const name of ['users.parquet', 'users.arrow']) {
      const body = readFileSync(new URL(`../../fixtures/${name}`, import.meta.url));
      await s3.put(name, body);
      s3.cutAfter = (answer) => (answer % 2 === 0 ? 3000 : undefined);
      expect((await outcome(url(name))).length).toBeGreaterThan(10);
    }
  });

  test.each([0, 1, 4, 12, CSV.length - 1, CSV.length])('cut after %i bytes', async (bytes) => {
    let first: number | null = null;
    s3.cutAfter = (answer) => {
      first ??= answer;
      return answer === first ? bytes : undefined;
    };
    expect(await outcome(url('plain1.csv'))).toEqual(ROWS);
  });

  test('always cut at the start: given up as truncated', async () => {
    s3.cutAfter = () => 0;
    expect(await outcome(url('plain1.csv'))).toEqual(['SOURCE_TRUNCATED']);
  });

  test('another object after the cut', async () => {
    const large = `id,x\n${'1,a\n'.repeat(100_000)}`;
    await s3.put('changing.csv', large);
    s3.cutAfter = () => 1000;
    const options = { env: s3.env, retryForMs: 1000, readSize: 100 };
    const [location] = await expandSources([url('changing.csv')], options);
    const opening = openSource(location!, options);
    s3.cutAfter = () => 10;
    const source = await opening;
    await s3.put('changing.csv', large.replaceAll('a', 'b'));
    s3.cutAfter = null;
    expect((await readAll(source)).error?.code).toBe('SOURCE_CHANGED');
  });
});
