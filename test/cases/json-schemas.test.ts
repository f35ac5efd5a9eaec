/** What `verify` and `check` give as JSON keeps the schemas in docs/, whatever they find. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { validate } from '../output/json-schema.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';

type Json = Readonly<Record<string, unknown>>;
const schemaOf = (command: string): Json => JSON.parse(readFileSync(`docs/${command}.schema.json`, 'utf8'));

let desk: Desk;
let schema: string;
let file: string;
beforeAll(async () => {
  desk = await openDesk();
  schema = await desk.file(
    's.yaml',
    schemaText({ more: 'event_time: at', x: '\n  x: int64\n  at: timestamp' }),
  );
  file = await desk.file('s.csv', 'id,x,at\n1,5,2024-01-15T08:00:00Z\n2,,2024-01-15T08:00:00Z\n3,7,\n4,y,\n');
});
afterAll(() => desk.close());
beforeEach(async () => {
  await desk.client.flushall();
  await desk.run(['ingest', file, '--schema', schema, '--max-errors', 'all', '--quiet']);
});

const nothing = async (): Promise<void> => {};
async function damage(): Promise<void> {
  const { client } = desk;
  await client.hset('k:1', 'x', Buffer.from([0xff]), 'more', '1');
  await client.persist('k:2');
  await client.del('k:3');
  await client.set('k:3', 'text');
}
const erase = (): Promise<unknown> => desk.client.flushall();

interface Row {
  readonly name: string;
  readonly prepare: () => Promise<unknown>;
  readonly flags: readonly string[];
  readonly code: number;
}

const VERIFY: readonly Row[] = [
  { name: 'all is as it should be', prepare: nothing, flags: [], code: 0 },
  { name: 'a bit of everything', prepare: damage, flags: [], code: 1 },
  { name: 'nothing is there', prepare: erase, flags: [], code: 1 },
  { name: 'fields of others', prepare: damage, flags: ['--mode', 'replace'], code: 1 },
  { name: 'a sample', prepare: damage, flags: ['--sample', '2', '--seed', '7'], code: 1 },
  { name: 'none shown', prepare: damage, flags: ['--show', '0'], code: 1 },
];

const CHECK: readonly Row[] = [
  { name: 'all is well', prepare: nothing, flags: [], code: 0 },
  { name: 'a bit of everything', prepare: damage, flags: ['--max-no-ttl', '0'], code: 1 },
  { name: 'nothing is there', prepare: erase, flags: [], code: 1 },
  { name: 'a sample', prepare: nothing, flags: ['--sample', '1'], code: 0 },
  {
    name: 'thresholds that are broken',
    prepare: nothing,
    flags: ['--max-null-rate', '1%', '--max-age', '1h', '--min-ttl', '2h', '--min-count', '9'],
    code: 1,
  },
];

async function verify(flags: readonly string[]): Promise<{ code: number; json: Json }> {
  const report = desk.path('report.json');
  const argv = ['verify', file, '--schema', schema, '--json', '--report', report, ...flags];
  const { code, stdout } = await desk.run(argv);
  const json = JSON.parse(stdout);
  expect(JSON.parse(await desk.read('report.json'))).toEqual(json);
  return { code, json };
}

async function check(flags: readonly string[]): Promise<{ code: number; json: Json }> {
  const { code, stdout } = await desk.run(['check', '--schema', schema, '--json', ...flags]);
  return { code, json: JSON.parse(stdout) };
}

describe.each([
  { command: 'verify', rows: VERIFY, run: verify },
  { command: 'check', rows: CHECK, run: check },
])('$command', ({ command, rows, run }) => {
  it.each(rows)('$name', async ({ prepare, flags, code }) => {
    await prepare();
    const done = await run(flags);
    expect(done.code).toBe(code);
    expect(done.json.exit_code).toBe(code);
    expect(validate(schemaOf(command), done.json)).toEqual([]);
  });

  it('every property is required and written, and the check can fail', async () => {
    await damage();
    const form = schemaOf(command);
    const { json } = await run([]);
    expect(Object.keys(form.properties as object)).toEqual(form.required);
    expect(Object.keys(json)).toEqual(form.required);
    expect(validate(form, { ...json, more: 1 })).toEqual(['$: unknown more']);
    expect(validate(form, { ...json, exit_code: 4 })).toEqual(['$.exit_code: not one of 0,1']);
  });
});

it('check --entities tells of entities without a key', async () => {
  const entities = await desk.file('entities.txt', '1\n2\n99\n');
  const { json } = await check(['--entities', entities]);
  expect(json.missing).toBe(1);
  expect(validate(schemaOf('check'), json)).toEqual([]);
});
