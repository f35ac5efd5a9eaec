/** Folders of part files: columns that only some files have, and those that only names of folders have. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

const FLAGS = ['--key', 'id', '--prefix', 'k:', '--ttl', '1h'];

async function folder(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(desk.path(`${name}/${file}`)), { recursive: true });
    await desk.file(`${name}/${file}`, content);
  }
  return desk.path(name);
}

function schemaOf(...features: string[]): string {
  return schemaText({ x: features.map((feature) => `\n  ${feature}`).join('') });
}

describe('a column that the first source does not have, without a schema', () => {
  it.each([
    ['csv', { 'a.csv': 'id,x\n1,2\n', 'b.csv': 'id,x,y\n2,3,4\n', 'c.csv': 'id,x,y\n3,4,5\n' }],
    ['ndjson', { 'a.ndjson': '{"id":1,"x":2}\n', 'b.ndjson': '{"id":2,"x":3,"y":4}\n' }],
  ])('%s: is not stored, and said once', async (form, files) => {
    const { code, stderr } = await desk.run(['ingest', await folder(`more-${form}`, files), ...FLAGS]);
    expect(code, stderr).toBe(0);
    expect(
      stderr.match(/column "y" is not stored: .*first source, which does not have it; draft/g),
    ).toHaveLength(1);
    expect((await desk.take())['k:2']?.fields).toEqual({ x: '3' });
  });

  it('a mended rejects file beside its source has none', async () => {
    const mended = 'id,x,_source,_line,_stage,_code,_column,_reason\n2,3,a.csv,3,map,INT,x,bad\n';
    const files = await folder('mended', { 'a.csv': 'id,x\n1,2\n', 'b.csv': mended });
    expect((await desk.run(['ingest', files, ...FLAGS])).stderr).not.toMatch(/not stored/);
    await desk.take();
  });
});

describe('a later file that does not fit: nothing is written of those before it', () => {
  const good = 'id,x\n1,2\n';
  it.each([
    ['a column is missing', { 'a.csv': good, 'b.csv': 'id,z\n2,3\n' }, 2, 'COLUMN'],
    ['it is of another format', { 'a.csv': good, 'b.csv': 'PK\u0003\u0004....' }, 4, 'SOURCE_FORMAT'],
    ['it is no Parquet file', { 'a.csv': good, 'b.parquet': 'PAR1....' }, 4, 'SOURCE_'],
  ])('%s', async (name, files, exit, error) => {
    const schema = await desk.file('x.yaml', schemaOf('x: int64'));
    const { code, stderr } = await desk.run(['ingest', await folder(name, files), '--schema', schema]);
    expect({ code, stderr }).toMatchObject({ code: exit, stderr: expect.stringContaining(`[${error}`) });
    expect(stderr).toContain(Object.keys(files)[1]);
    expect(await desk.take()).toEqual({});
  });
});

describe('a column that only names of folders have', () => {
  const TWO = { 'day=2026-11-01/a.csv': 'id,x\n1,2\n', 'day=2026-11-02/a.csv': 'id,x\n2,3\n' };
  const warning =
    'column "day" stands only in names of folders (day=…), which are not read: it is not stored; ';
  const times = (text: string): number => text.split(warning).length - 1;

  it('the key or a feature needs it: the message says that the folder has it', async () => {
    const days = await folder('needed', TWO);
    const advice =
      /; the folder "day=2026-11-01" has it, but names of folders are not read: write it into the file/;
    const schema = await desk.file('day.yaml', schemaOf('day: date'));
    const one = await desk.run(['ingest', days, '--schema', schema]);
    expect(one.code).toBe(2);
    expect(one.stderr).toMatch(/expected a column "day" \(feature day\), found only "id", "x"; the folder/);
    expect(one.stderr).toMatch(advice);
    const many = await desk.file('many.yaml', schemaOf('day: date', 'y: int64'));
    expect((await desk.run(['ingest', days, '--schema', many])).stderr).toMatch(advice);
  });

  it('a feature may lack it, or there is no schema: said once', async () => {
    const days = await folder('lacking', TWO);
    const schema = await desk.file('may.yaml', schemaOf('x: int64', 'day: { type: date, required: false }'));
    for (const flags of [['--schema', schema], FLAGS]) {
      const { code, stderr } = await desk.run(['ingest', days, ...flags]);
      expect(code, stderr).toBe(0);
      expect(times(stderr), stderr).toBe(1);
      await desk.take();
    }
  });

  it('infer says so', async () => {
    const { stdout, stderr } = await desk.run(['infer', await folder('drafted', TWO)]);
    expect(times(stdout)).toBe(1);
    expect(times(stderr)).toBe(1);
  });

  it('nobody asked for it, or the file has it too: nothing is said', async () => {
    const schema = await desk.file('x.yaml', schemaOf('x: int64'));
    expect(times((await desk.run(['ingest', await folder('other', TWO), '--schema', schema])).stderr)).toBe(
      0,
    );
    await desk.take();
    const both = await folder('both', { 'day=2026-11-01/a.csv': 'id,day\n1,2026-11-01\n' });
    expect(times((await desk.run(['ingest', both, ...FLAGS])).stderr)).toBe(0);
    await desk.take();
  });
});

describe('infer of a folder', () => {
  it('passes over parts without a row, as Spark writes them', async () => {
    const files = { 'a.csv': 'id,x\n', 'b.csv': 'id,x\nu1,2\nu2,3\n', 'c.csv': 'id,x\nu3,3\n' };
    const { stdout } = await desk.run(['infer', await folder('parts', files)]);
    expect(stdout).toMatch(/ from b\.csv: 2 rows/);
    expect(stdout).toMatch(/x: int64/);
    expect(stdout).toContain('# only the first with rows of 3 files was looked at');
  });

  it('without a row in any, gives the columns', async () => {
    const { code, stdout } = await desk.run([
      'infer',
      await folder('bare', { 'a.csv': 'id,x\n', 'b.csv': 'id,x\n' }),
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ {2}x: \{ type: string, required: false \}/);
  });
});

describe('files in a folder whose names say nothing of their kind', () => {
  const files = {
    'a.csv': 'id,x\n1,2\n',
    'part-1': 'id,x\n2,3\n',
    'deep/x.dat': 'id,x\n3,4\n',
    _SUCCESS: '',
  };

  it('are named, and not read', async () => {
    const place = await folder('kinds', files);
    const { code, stderr } = await desk.run(['ingest', place, ...FLAGS]);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(
      `${place}: 2 files are not read, since their names end in no known kind: ${place}/deep/x.dat, ${place}/part-1; name what is data, or give --format`,
    );
    expect(Object.keys(await desk.take())).toEqual(['k:1']);
  });

  it('are read with --format', async () => {
    const place = await folder('kinds-named', files);
    const { code, stderr } = await desk.run(['ingest', place, ...FLAGS, '--format', 'csv']);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('not read');
    expect(Object.keys(await desk.take()).sort()).toEqual(['k:1', 'k:2', 'k:3']);
  });
});
