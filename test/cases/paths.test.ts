/** Every flag that takes a path, with everything that can be wrong with one: what it says tells what to do. */
import { randomBytes } from 'node:crypto';
import { mkdir, symlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { certificates } from '../support/certificates.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { schemaText } from '../support/load.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
  await desk.file('d.csv', 'id,x\n1,2\n');
  await desk.file('s.yaml', schemaText({ x: 'int64' }));
  await desk.file('empty', '');
  await desk.file('binary', Buffer.concat([Buffer.from([0, 1, 0xff]), randomBytes(3000)]));
  await desk.file('text', 'hello world\n');
  await mkdir(desk.path('directory'));
  await symlink('loop', desk.path('loop'));
  await mkdir(desk.path('more'));
  const { cert, key } = certificates(desk.path('more')).client;
  await desk.file('cert.pem', cert);
  await desk.file('key.pem', key);
});
afterAll(() => desk.close());

/** What a system or a library says by itself. */
const RAW =
  /\b(?:ENOENT|EISDIR|ENOTDIR|ELOOP|ENAMETOOLONG|EACCES): |routines|illegal operation|node:|at \S+ \(|\[INTERNAL\]/;

const NO_FILE = ['missing', 'directory', 'd.csv/below', 'loop', 'n'.repeat(300)];
const NO_CONTENT = ['empty', 'binary', 'text'];
/** Outputs may lie where nothing is yet; what is there already is the other tests' part. */
const NO_PLACE = ['missing/below', 'directory', 'd.csv/below', 'loop', 'n'.repeat(300)];

interface Use {
  readonly command: string;
  readonly flag: string;
  readonly argv: (path: string) => readonly string[];
  readonly bad: readonly string[];
}

const load = ['ingest', 'd.csv', '--schema', 's.yaml'];
const tls = ['get', '1', '--redis', 'rediss://127.0.0.1:1'];
const serve = ['serve', '--port', '0', '--schema', 's.yaml'];

const USES: readonly Use[] = [
  ...['', 'csv', 'parquet', 'arrow', 'ndjson'].map((format) => ({
    command: 'ingest',
    flag: `SOURCE ${format}`,
    argv: (path: string) => [
      'ingest',
      path,
      '--schema',
      's.yaml',
      ...(format === '' ? [] : ['--format', format]),
    ],
    // An empty ndjson file has no rows, which is no mistake.
    bad: [...NO_FILE, ...NO_CONTENT.filter((bad) => format !== 'ndjson' || bad !== 'empty')],
  })),
  use('infer', 'SOURCE', (path) => ['infer', path], [...NO_FILE, ...NO_CONTENT]),
  use('plan', 'SOURCE', (path) => ['plan', path, '--shards', '2'], [...NO_FILE, ...NO_CONTENT]),
  use('verify', 'SOURCE', (path) => ['verify', path, '--schema', 's.yaml'], [...NO_FILE, ...NO_CONTENT]),
  use('ingest', '--schema', (path) => ['ingest', 'd.csv', '--schema', path], [...NO_FILE, ...NO_CONTENT]),
  use('get', '--schema', (path) => ['get', '1', '--schema', path], [...NO_FILE, ...NO_CONTENT]),
  use('check', '--schema', (path) => ['check', '--schema', path], [...NO_FILE, ...NO_CONTENT]),
  use('serve', '--schema', (path) => ['serve', '--schema', path], [...NO_FILE, ...NO_CONTENT]),
  // A file of options may say nothing.
  use('ingest', '--config', (path) => [...load, '--config', path], [...NO_FILE, 'binary', 'text']),
  use('ingest', '--shard', (path) => ['ingest', '--schema', 's.yaml', '--shard', `${path}:1`], [
    ...NO_FILE,
    ...NO_CONTENT,
  ]),
  use('check', '--entities', (path) => ['check', '--schema', 's.yaml', '--entities', path], NO_FILE),
  use('get', '--tls-ca', (path) => [...tls, '--tls-ca', path], [...NO_FILE, ...NO_CONTENT]),
  use('get', '--tls-cert', (path) => [...tls, '--tls-cert', path], [...NO_FILE, ...NO_CONTENT]),
  use('get', '--tls-key', (path) => [...tls, '--tls-key', path], [...NO_FILE, ...NO_CONTENT]),
  use('serve', '--https-cert', (path) => [...serve, '--https-cert', path, '--https-key', 'key.pem'], [
    ...NO_FILE,
    ...NO_CONTENT,
  ]),
  use('serve', '--https-key', (path) => [...serve, '--https-cert', 'cert.pem', '--https-key', path], [
    ...NO_FILE,
    ...NO_CONTENT,
  ]),
  use('serve', '--token-file', (path) => [...serve, '--token-file', path], [
    ...NO_FILE,
    'empty',
    'binary',
    'text',
  ]),
  use('ingest', '--rejects', (path) => [...load, '--rejects', path], [...NO_PLACE, 'binary', 'text']),
  use('ingest', '--checkpoint', (path) => [...load, '--checkpoint', path], [...NO_PLACE, ...NO_CONTENT]),
  use('ingest', '--report', (path) => [...load, '--report', path], NO_PLACE),
  use('ingest', '--report-html', (path) => [...load, '--report-html', path], NO_PLACE),
  use('ingest', '--metrics', (path) => [...load, '--metrics', path], NO_PLACE),
  use('verify', '--report', (path) => ['verify', 'd.csv', '--schema', 's.yaml', '--report', path], NO_PLACE),
];

function use(
  command: string,
  flag: string,
  argv: (path: string) => readonly string[],
  bad: readonly string[],
): Use {
  return { command, flag, argv, bad };
}

describe.each(USES)('$command $flag', ({ argv, bad }) => {
  it.each(bad)('%s', async (name) => {
    const isOwn = (word: string): boolean => /^(?:d\.csv|[a-z]+\.(?:yaml|pem))$/.test(word);
    const words = argv(desk.path(name)).map((word) => (isOwn(word) ? desk.path(word) : word));
    const { code, stderr } = await desk.run(words);
    expect([2, 4]).toContain(code);
    expect(stderr).not.toMatch(RAW);
    expect(stderr).toContain(name);
    // Where it is, what is wrong, and then what to do.
    expect(stderr).toMatch(/(?:;|\bor) .+\[[A-Z_]+\]\n$/s);
    expect(stderr.slice(stderr.lastIndexOf('featurectl: ')).split('\n').length).toBeLessThan(6);
  });
});

it('a key that is not that of the certificate', async () => {
  await desk.file('other.pem', certificates(desk.path('more')).client.key);
  const flags = ['--tls-cert', desk.path('cert.pem'), '--tls-key', desk.path('other.pem')];
  const { code, stderr } = await desk.run([...tls, ...flags]);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /--tls-cert and --tls-key: expected the key of the certificate, found that of another;/,
  );
});

it('walks every flag that takes a file', () => {
  const walked = new Set(USES.map(({ flag }) => flag));
  const io = { stdout: process.stdout, stderr: process.stderr, env: {}, signal: AbortSignal.abort() };
  const unused = { ingest: async () => 0, get: async () => 0, serve: async () => 0 };
  const { commands } = buildProgram(io, unused, () => {});
  const taking = commands.flatMap((command) => command.options).filter(({ flags }) => /<file/i.test(flags));
  expect(taking.length).toBeGreaterThan(10);
  for (const { long } of taking) expect(walked).toContain(long);
});

/** What the parser says is of its grammar; with the line of the file and what to do it is of the user's. */
describe('YAML that does not read', () => {
  it.each<[string, string, number, RegExp]>([
    ['a tab', 'name: t\n\tkey: x\n', 2, /expected spaces before a key, found a tab; indent by spaces/],
    ['a list left open', 'a: [1, 2\nb: 3\n', 2, /expected (?:\] at the end|.*), found none; close it/],
    ['a map left open', 'a: {b: 1\nc: 2\n', 2, /expected \} at the end of what is opened above/],
    ['a quote left open', 'name: t\nkey: "abc\nttl: 1h\n', 4, /expected a closing quote, found the end/],
    ['a key twice', 'name: a\nname: b\n', 2, /expected each key once, .*leave one .*the line is: name: b/],
    ['two pairs in a line', 'name: a: b\n', 1, /expected one "key: value" a line, found two; put a value/],
    ['columns that differ', 'features:\n    x: int64\n   y: int64\n', 3, /begin in the same column.*align/],
    ['a backslash', 'name: "C:\\data"\n', 1, /expected \\\\ for a backslash within "…"/],
    ['a percent sign', 'name: %x\n', 1, /put it in quotes/],
    ['two documents', 'name: a\n---\nname: b\n', 2, /found a second one after ---/],
    [
      'a key that begins with a brace',
      'name: n\nkey: {u}:x\n',
      2,
      /put a text that begins with a brace in quotes/,
    ],
    ['a line without a colon', 'name: a\nkey\nttl: 1h\n', 2, /a line without a colon; add ": "/],
    ['a bare star', 'name: *\n', 1, /found a bare \*; put it in quotes/],
  ])('%s, in the schema and in the options', async (_, text, line, message) => {
    const file = await desk.file('broken.yaml', text);
    for (const argv of [
      ['ingest', desk.path('d.csv'), '--schema', file],
      ['ingest', desk.path('d.csv'), '--schema', desk.path('s.yaml'), '--config', file],
    ]) {
      const { code, stderr } = await desk.run(argv);
      expect(code).toBe(2);
      expect(stderr).toMatch(message);
      expect(stderr).toContain(`broken.yaml:${line}: `);
      expect(stderr).not.toMatch(/implicit|flow (?:map|seq)|mapping|compact|token|^\s*\^/im);
    }
  });

  it('an alias of nothing', async () => {
    const file = await desk.file('alias.yaml', 'name: *x\nkey: "k:{id}"\nttl: 1h\n');
    const argv = ['ingest', desk.path('d.csv'), '--schema'];
    const schema = await desk.run([...argv, file]);
    expect(schema.stderr).toMatch(
      /expected an anchor &x before its alias \*x, found none; a text that begins/,
    );
    const config = await desk.run([...argv, desk.path('s.yaml'), '--config', file]);
    expect(config.stderr).toMatch(/alias\.yaml:1: name: .*found an alias \(\*x\); write the value itself/);
  });
});
