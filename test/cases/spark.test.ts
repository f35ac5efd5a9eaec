/** What Spark writes: folders of part files, CSV without a header, quotes escaped by a backslash. */
import { mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { load } from '../support/load.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

const ROWS = 'user_id,spend\nu1,0.5\nu2,1.5\n';
const PART = 'part-00000-5c1a9a4e-2b1f-4d0e-8a55-0c1de3a8a1b2-c000';

describe('a draft is named after what stays the same from run to run', () => {
  it.each([
    ['a folder', 'user_spend', ['_SUCCESS', `${PART}.csv`], 'user_spend', 'user_spend'],
    ['a folder with a slash at its end', 'Daily-Spend', ['a.csv'], 'Daily-Spend/', 'daily_spend'],
    ['a folder of partitions', 'spend', [`day=2026-11-01/${PART}.csv`], 'spend', 'spend'],
    ['a part file', 'clicks', [`${PART}.csv`], `clicks/${PART}.csv`, 'clicks'],
    ['a pattern', 'views', [`day=2026-11-01/${PART}.csv`], 'views/*/part-*.csv', 'views'],
    [
      'a file of another name in a folder',
      'more',
      ['Users 2.snappy.csv'],
      'more/Users 2.snappy.csv',
      'users_2',
    ],
  ])('%s', async (_, folder, files, source, name) => {
    for (const file of files) {
      await mkdir(desk.path(`${folder}/${file}`.replace(/\/[^/]*$/, '')), { recursive: true });
      await desk.file(`${folder}/${file}`, file === '_SUCCESS' ? '' : ROWS);
    }
    const { code, stdout, stderr } = await desk.run(['infer', desk.path(source)]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`\nname: ${name}\nkey: "features:${name}:{user_id}"`);
  });
});

describe('no header', () => {
  const advice = 'write a header line (Spark: .option("header", true))';

  it('infer says that the first line holds values, in the draft and beside it', async () => {
    const file = await desk.file('bare.csv', '1000,0.5,x0\n1001,1.5,x1\n');
    const { code, stdout, stderr } = await desk.run(['infer', file]);
    expect(code, stderr).toBe(0);
    const warning = `the first line names columns "1000", "0.5", which look like values; if it is a row: ${advice}`;
    expect(stdout).toContain(`# WARNING: ${warning}\n`);
    expect(stderr).toContain(`featurectl: ${warning}\n`);
  });

  it('infer says nothing of a header that is one', async () => {
    const file = await desk.file('headed.csv', ROWS);
    expect((await desk.run(['infer', file])).stderr).toBe('');
  });

  it('ingest says so where it misses its columns', async () => {
    const { code, stderr } = await load(desk, 'u1,0.5\nu2,1.5\n', { x: 'float64' });
    expect(code).toBe(2);
    expect(stderr).toContain(`"u1", "0.5"; if the first line is a row: ${advice}`);
  });
});

describe('quotes escaped by a backslash', () => {
  it.each([
    ['at the start', '"[\\"a\\",\\"b\\"]"'],
    ['before a delimiter', '"say \\"hi\\", you"'],
    ['that close the field by chance', '"a\\",b"'],
  ])('%s: what to write instead', async (_, cell) => {
    const { code, stderr } = await load(desk, `id,x\n1,${cell}\n`);
    expect(code).toBe(4);
    expect(stderr).toMatch(
      /line 2, field [23]: .*; a backslash escapes nothing: .*Spark: \.option\("escape"/,
    );
  });

  it('a backslash is not blamed for another fault', async () => {
    const { stderr } = await load(desk, 'id,x\n1,"C:\\dir" x\n');
    expect(stderr).toMatch(/CSV_QUOTE/);
    expect(stderr).not.toMatch(/backslash/);
  });
});
