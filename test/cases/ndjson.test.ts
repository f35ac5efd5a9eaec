/** ndjson from the command line to Redis: schema, none, rejects that load again, compressions. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytes, type Desk, openDesk } from '../support/desk.ts';

const SCHEMA = `
name: users
key: "u:{id}"
ttl: 1h
features:
  big: int64
  price: { type: decimal, required: false }
  at: { type: timestamp, required: false }
  tags: { type: json, required: false }
  v: { type: "vector<float32>[2]", encoding: json, required: false }
  name: { type: string, required: false }
  ok: { type: bool, required: false }
`;

const GOOD = [
  '{"id":"a","big":9007199254740993,"price":1.10,"at":"2024-01-15T10:00:00+02:00","tags":{"k":[1, 2]},"v":[0.1,2],"name":"caf\\u00e9","ok":true}',
  '{"id":"b","big":1,"name":"","extra":{"not":"mapped"}}',
  '{"name":null,"big":-5,"id":7}',
];

let desk: Desk;
let schema: string;
beforeAll(async () => {
  desk = await openDesk();
  schema = await desk.file('s.yaml', SCHEMA);
});
afterAll(() => desk.close());

async function stored(): Promise<Record<string, Record<string, string>>> {
  const hashes = await desk.take();
  return Object.fromEntries(Object.entries(hashes).map(([key, { fields }]) => [key, { ...fields }]));
}

const EXPECTED = {
  'u:a': {
    big: '9007199254740993',
    price: '1.10',
    at: '2024-01-15T08:00:00Z',
    tags: '{"k":[1,2]}',
    v: '[0.1,2]',
    name: bytes('café'),
    ok: '1',
  },
  'u:b': { big: '1', name: '' },
  'u:7': { big: '-5' },
};

describe('with a schema', () => {
  it.each<[name: string, content: Buffer]>([
    ['users.ndjson', Buffer.from(GOOD.join('\n'))],
    ['users.jsonl', Buffer.from(`${GOOD.join('\n\n')}\n`)],
    ['users.ndjson.gz', gzipSync(GOOD.join('\n'))],
    ['users.jsonl.br', brotliCompressSync(GOOD.join('\n'))],
  ])('%s', async (name, content) => {
    const { code, stderr } = await desk.run(['ingest', await desk.file(name, content), '--schema', schema]);
    expect(code, stderr).toBe(0);
    expect(await stored()).toEqual(EXPECTED);
  });

  it('a required key that the head does not have is told before any write', async () => {
    const path = await desk.file('none.ndjson', '{"id":1,"bigg":2}\n');
    const { code, stderr } = await desk.run(['ingest', path, '--schema', schema]);
    expect([code, stderr.includes('did you mean')]).toEqual([2, true]);
    expect(await stored()).toEqual({});
  });

  it('no row at all is no error, also as the second file', async () => {
    const empty = await desk.file('empty.ndjson', '');
    expect((await desk.run(['ingest', empty, '--schema', schema])).code).toBe(0);
    expect((await desk.run(['ingest', empty, '--schema', schema, '--fail-on-empty'])).code).toBe(3);
    const users = await desk.file('users.ndjson', GOOD.join('\n'));
    const { code, stderr } = await desk.run(['ingest', users, empty, '--key', 'id', '--ttl', '1h']);
    expect(code, stderr).toBe(0);
    expect(Object.keys(await stored())).toHaveLength(3);
  });
});

it('without a schema every key is a feature, as it is written', async () => {
  const path = await desk.file(
    'any.ndjson',
    '{"id":1,"x":1.50,"y":[1, 2],"z":"t"}\n{"id":2,"z":null,"x":true}\n',
  );
  const { code, stderr } = await desk.run(['ingest', path, '--key', 'id', '--prefix', 'k:', '--ttl', '1h']);
  expect(code, stderr).toBe(0);
  expect(await stored()).toEqual({ 'k:1': { x: '1.50', y: '[1, 2]', z: 't' }, 'k:2': { x: 'true' } });
});

describe('rejects', () => {
  const BAD = [
    ...GOOD,
    '{"id":"c","big":"many","tags":[{"a":"x,\\"y\\""}],"name":"","v":[1,2]}',
    '{"id":"d","big":1,"big":2}',
    '{"id":"e","big":',
    '{"id":null,"big":3}',
  ];

  it('are a CSV that loads again once mended', async () => {
    const path = await desk.file('bad.ndjson', BAD.join('\n'));
    const rejects = desk.path('rejects.csv');
    const args = ['--schema', schema, '--max-errors', 'all'];
    const { code, stderr } = await desk.run(['ingest', path, ...args, '--rejects', rejects]);
    expect(code, stderr).toBe(1);
    expect(await stored()).toEqual(EXPECTED);
    const lines = (await desk.read('rejects.csv')).trimEnd().split('\n');
    expect(lines.map((line) => /,(read|map),([A-Z_]+),/.exec(line)?.[2] ?? 'header')).toEqual([
      'header',
      'INT',
      'DUPLICATE_KEY',
      'JSON',
      'KEY_NULL',
    ]);
    expect(lines[3]).toContain('the record: [""{\\""id\\"":\\""e\\"",\\""big\\"":""]');
    const mended = [lines[0], lines[1]?.replace('many', '12')].join('\n');
    expect((await desk.run(['ingest', await desk.file('mended.csv', mended), '--schema', schema])).code).toBe(
      0,
    );
    expect(await stored()).toEqual({
      'u:c': { big: '12', tags: '[{"a":"x,\\"y\\""}]', name: '', v: '[1,2]' },
    });
  });

  it('load nothing before they are mended', async () => {
    const rerun = await desk.run([
      'ingest',
      desk.path('rejects.csv'),
      '--schema',
      schema,
      '--max-errors',
      'all',
    ]);
    expect(rerun.code).toBe(1);
    expect(await stored()).toEqual({});
  });

  it('name the line, also behind blank ones', async () => {
    const path = await desk.file('lines.ndjson', `${GOOD[0]}\n\n\n{"id":\n`);
    const { code, stderr } = await desk.run(['validate', path, '--schema', schema]);
    expect([code, /lines\.ndjson:4: JSON/.test(stderr)], stderr).toEqual([1, true]);
  });
});
