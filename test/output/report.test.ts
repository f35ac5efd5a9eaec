import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FINGERPRINT_HEAD_BYTES, fingerprint, NO_FINGERPRINT } from '../../src/output/fingerprint.ts';
import { redactOptions, redactUrls } from '../../src/output/redact.ts';
import { buildReport, reportText } from '../../src/output/report.ts';
import { assertWritable, writeWhole } from '../../src/output/whole-file.ts';
import { someFacts } from './facts.ts';
import { validate } from './json-schema.ts';

const schema = JSON.parse(readFileSync('docs/report.schema.json', 'utf8'));

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'featurectl-report-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function asJson(value: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value));
}

describe('the report keeps its schema', () => {
  test.each([
    ['a run with a bit of everything', someFacts()],
    ['a run that ended at once', someFacts({ plan: null, sources: [], firstFailures: [], options: {} })],
    ['a fatal run', someFacts({ error: { code: 'REDIS_LOST', message: 'gone' }, exitCode: 4 })],
    ['a clock set back', someFacts({ endedAt: new Date(0) })],
  ])('%s', (_name, facts) => expect(validate(schema, asJson(buildReport(facts)))).toEqual([]));

  test('and the check can fail', () => {
    const good = asJson(buildReport(someFacts()));
    const { run_id, ...without } = good;
    expect(run_id).toBe('run-1');
    expect(validate(schema, without)).toEqual(['$: no run_id']);
    expect(validate(schema, { ...good, extra: 1 })).toEqual(['$: unknown extra']);
    expect(validate(schema, { ...good, retries: 'two' })).toEqual(['$.retries: not integer']);
    expect(validate(schema, { ...good, counts: { read: -1 } })).toHaveLength(5);
    expect(validate(schema, { ...good, write: 1 })).toEqual(['$.write: not object,null']);
  });

  test('every property is required, and the schema names no other', () => {
    expect(Object.keys(schema.properties)).toEqual(schema.required);
    expect(Object.keys(asJson(buildReport(someFacts())))).toEqual(schema.required);
  });
});

test('values', () => {
  expect(buildReport(someFacts())).toMatchObject({
    schema_version: 1,
    started_at: '2024-01-15T10:00:00.000Z',
    seconds: 20.5,
    rows_per_second: 48_780,
    bytes_read: 2048,
    failures_by_code: { FLOAT: 2, INT: 10, WRONGTYPE: 1 },
    skipped_by_code: { empty: 4 },
    write: { mode: 'merge', path: 'pipeline', why: 'asked for', warnings: [] },
    server_version: '7.2.5',
  });
});

describe('no secrets', () => {
  test.each([
    ['redis://app:s3cret@db:6379/0', 'redis://app:***@db:6379/0'],
    ['rediss://:s3/cr@et@db', 'rediss://:***@db'],
    ['unix://u:s3cret@/run/redis.sock', 'unix://u:***@/run/redis.sock'],
    ['redis://db:6379', 'redis://db:6379'],
    ['https://token@host/a@b', 'https://***@host/a@b'],
    ['https://u:p@host/a', 'https://u:***@host/a'],
    ['https://h/a.csv?X-Amz-Signature=abc&v=1&sig=x', 'https://h/a.csv?X-Amz-Signature=***&v=1&sig=***'],
    ['no route to redis://a:b@c or redis://d:e@f', 'no route to redis://a:***@c or redis://d:***@f'],
    ['features:user:{user_id}', 'features:user:{user_id}'],
    ['mail@example.org', 'mail@example.org'],
  ])('%s', (text, masked) => expect(redactUrls(text)).toBe(masked));

  test('options by name, nested too; what only looks like one stays', () => {
    const options = {
      redisPassword: 'a',
      token: 'b',
      tokenFile: '/t',
      tlsKey: '/k',
      key: 'f:{id}',
      maxErrors: Number.POSITIVE_INFINITY,
      nested: { password: 'c', urls: ['redis://x:y@z'] },
    };
    expect(redactOptions(options)).toEqual({
      redisPassword: '***',
      token: '***',
      tokenFile: '/t',
      tlsKey: '/k',
      key: 'f:{id}',
      maxErrors: 'Infinity',
      nested: { password: '***', urls: ['redis://x:***@z'] },
    });
  });

  test('in every text of a report', () => {
    const url = 'redis://u:s3cret@h';
    const facts = someFacts();
    const [source] = facts.sources;
    const report = buildReport({
      ...facts,
      error: { code: 'REDIS_CONNECT', message: url },
      sources: source ? [{ ...source, name: url }] : [],
      firstFailures: facts.firstFailures.map((failure) => ({ ...failure, source: url })),
      plan: { mode: 'merge', path: 'pipeline', why: url, server: null, warnings: [url] },
    });
    expect(JSON.stringify(report)).not.toContain('s3cret');
  });
});

describe('written', () => {
  const report = buildReport(someFacts());
  const writeReport = (path: string, stdout: NodeJS.WritableStream): Promise<void> =>
    writeWhole('the report', path, reportText(report), stdout);

  test('to a file, in place of an old one, with nothing left beside it', async () => {
    const path = join(dir, 'report.json');
    writeFileSync(path, 'old');
    await assertWritable('the report', path);
    expect(readFileSync(path, 'utf8')).toBe('old');
    await writeReport(path, new PassThrough());
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(asJson(report));
    expect(readdirSync(dir)).toEqual(['report.json']);
  });

  test('through a symbolic link, which stays one', async () => {
    writeFileSync(join(dir, 'real.json'), '');
    symlinkSync('real.json', join(dir, 'link.json'));
    await writeReport(join(dir, 'link.json'), new PassThrough());
    expect(lstatSync(join(dir, 'link.json')).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(join(dir, 'real.json'), 'utf8'))).toEqual(asJson(report));
  });

  test("to stdout for '-', as one JSON text", async () => {
    const stdout = new PassThrough();
    await writeReport('-', stdout);
    stdout.end();
    expect(JSON.parse(await readText(stdout))).toEqual(asJson(report));
  });

  test('to a device', async () => {
    await assertWritable('the report', '/dev/null');
    await writeReport('/dev/null', new PassThrough());
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('a stdout that is gone is an OUTPUT error', async () => {
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error('gone')) });
    await expect(writeReport('-', stdout)).rejects.toMatchObject({ code: 'OUTPUT' });
  });

  test.each([
    ['no directory', () => join(dir, 'no', 'report.json'), 'ENOENT'],
    ['a directory', () => dir, 'EISDIR'],
    ['a file as directory', () => join(dir, 'file', 'report.json'), 'ENOTDIR'],
  ])('%s: told before the run and after it', async (_name, target, code) => {
    writeFileSync(join(dir, 'file'), '');
    const told = { code: 'OUTPUT', message: expect.stringContaining(code) };
    await expect(assertWritable('the report', target())).rejects.toMatchObject(told);
    await expect(writeReport(target(), new PassThrough())).rejects.toMatchObject(told);
  });

  // Root may write anywhere, so the case cannot be made there.
  test.skipIf(process.getuid?.() === 0)('a file in a directory that takes no new ones', async () => {
    const closed = join(dir, 'closed');
    mkdirSync(closed);
    writeFileSync(join(closed, 'report.json'), 'old');
    chmodSync(closed, 0o500);
    await assertWritable('the report', join(closed, 'report.json'));
    await writeReport(join(closed, 'report.json'), new PassThrough());
    chmodSync(closed, 0o700);
    expect(JSON.parse(readFileSync(join(closed, 'report.json'), 'utf8'))).toEqual(asJson(report));
  });
});

describe('a fingerprint', () => {
  test('of a file: size, time, hash of the first 64 KiB', async () => {
    const path = join(dir, 'a.csv');
    const head = 'x'.repeat(FINGERPRINT_HEAD_BYTES);
    writeFileSync(path, `${head}tail`);
    utimesSync(path, new Date('2024-01-01T00:00:00Z'), new Date('2024-01-02T00:00:00Z'));
    expect(await fingerprint(path)).toEqual({
      bytes: FINGERPRINT_HEAD_BYTES + 4,
      modifiedAt: '2024-01-02T00:00:00.000Z',
      headSha256: createHash('sha256').update(head).digest('hex'),
    });
  });

  test.each(['-', 'https://host/a.csv', 's3://bucket/a', '/dev/null', 'no-such-file'])(
    'none of %s',
    async (name) => {
      expect(await fingerprint(name)).toEqual(NO_FINGERPRINT);
    },
  );
});
