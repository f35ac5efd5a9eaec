/** docs/serving.md: its examples run against a server, and its table of problems is the catalogue. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../src/server/problems.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { spawnAsync } from './spawn-async.ts';
import { type Served, serve } from './support.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const text = readFileSync(`${ROOT}docs/serving.md`, 'utf8');

const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1] ?? '',
  );

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

let desk: Desk;
let server: Served;

beforeAll(async () => {
  desk = await openDesk();
  const schema = `${ROOT}fixtures/users.yaml`;
  const { code, stderr } = await desk.run(['ingest', `${ROOT}fixtures/users.csv`, '--schema', schema]);
  expect(code, stderr).toBe(0);
  server = await serve(desk, ['--schema', schema]);
});
afterAll(async () => {
  await server.stop();
  await desk.close();
});

const here = (script: string): string => script.replaceAll('localhost:8000', `127.0.0.1:${server.port}`);

describe('examples', () => {
  it.skipIf(!has('curl'))('curl', async () => {
    const [script = ''] = blocks('bash');
    const { code, stdout } = await spawnAsync('bash', [
      '-e',
      '-c',
      here(script).replaceAll(/(?<=\S)\n(?=curl)/g, '\necho\n'),
    ]);
    expect(code).toBe(0);
    const [single, batch, some] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(single).toMatchObject({
      entity_key: 'user_0001',
      found: true,
      features: { total_purchases: '46' },
    });
    expect(batch).toMatchObject({ missing: ['nobody'], results: [{ found: true }, { found: false }] });
    expect(some.features).toEqual({ churn_score: 0.9436, total_purchases: 46 });
  });

  it.skipIf(!has('python3'))('python', async () => {
    const [script = ''] = blocks('python');
    const { code, stdout, stderr } = await spawnAsync('python3', ['-c', here(script)]);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe('user_0001 0.9436\nuser_0002 0.6415\nnobody None\n');
  });
});

it('the table of problems is the catalogue', () => {
  const rows = [...text.matchAll(/^\| ([A-Z_]+) \| (\d+) \| (.*) \|$/gm)].map(([, code, status, meaning]) => [
    code,
    Number(status),
    meaning,
  ]);
  expect(rows).toEqual(
    Object.entries(PROBLEMS).map(([code, { status, meaning }]) => [code, status, meaning]),
  );
});
