/** argv and environment → typed options, and what a wrong command line answers. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Handlers, runCli } from '../../src/cli/program.ts';
import type { GetOptions, IngestOptions, ServeOptions } from '../../src/commands/options.ts';

interface Parsed {
  readonly code: number;
  readonly ingest: IngestOptions | null;
  readonly get: GetOptions | null;
  readonly serve: ServeOptions | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function parse(argv: string[], env: NodeJS.ProcessEnv = {}): Promise<Parsed> {
  const seen: { ingest: IngestOptions | null; get: GetOptions | null; serve: ServeOptions | null } = {
    ingest: null,
    get: null,
    serve: null,
  };
  const handlers: Handlers = {
    ingest: async (options) => {
      seen.ingest = options;
      return 0;
    },
    get: async (options) => {
      seen.get = options;
      return 0;
    },
    serve: async (options) => {
      seen.serve = options;
      return 0;
    },
  };
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const io = {
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    env,
    signal: new AbortController().signal,
  };
  const code = await runCli(argv, io, handlers);
  return { code, ...seen, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

const SCHEMA = ['ingest', 'a.csv', '--schema', 's.yaml'];

describe('ingest', () => {
  it('has the documented defaults', async () => {
    const { ingest } = await parse(SCHEMA);
    expect(ingest).toMatchObject({
      sources: ['a.csv'],
      reading: { format: null, encoding: null, delimiter: null, maxRecordSize: 1_048_576 },
      connection: { redis: 'redis://127.0.0.1:6379', retryForMs: 60_000 },
      writing: {
        mode: 'merge',
        write: 'auto',
        chunkRows: 1000,
        chunkBytes: 262_144,
        inFlight: 16,
        connections: 1,
        rate: null,
      },
      budget: { kind: 'count', max: 0 },
      rejects: null,
      report: null,
      dryRun: false,
      quiet: false,
    });
  });

  it.each([
    [['--chunk-rows', '50'], { writing: { chunkRows: 50 } }],
    [['--chunk-bytes', '1MiB'], { writing: { chunkBytes: 1_048_576 } }],
    [['--in-flight', '2'], { writing: { inFlight: 2 } }],
    [['--connections', '3'], { writing: { connections: 3 } }],
    [['--rate', '50000/s'], { writing: { rate: 50_000 } }],
    [['--mode', 'newer'], { writing: { mode: 'newer' } }],
    [['--write', 'pipeline'], { writing: { write: 'pipeline' } }],
    [['--retry-for', '5m'], { connection: { retryForMs: 300_000 } }],
    [['--sentinel', 'a:1,b:2', '--sentinel-name', 'm'], { connection: { sentinels: ['a:1', 'b:2'] } }],
    [['--max-errors', '0.5%'], { budget: { kind: 'share', max: 0.005 } }],
    [['--rejects', 'bad.csv'], { rejects: 'bad.csv' }],
    [['--report', '-'], { report: '-' }],
    [['--dry-run'], { dryRun: true }],
    [['--fail-on-empty'], { failOnEmpty: true }],
    [['--quiet'], { quiet: true }],
    [['--log', 'json'], { log: 'json' }],
    [['--progress-interval', '500ms'], { progressIntervalMs: 500 }],
    [['--format', 'tsv'], { reading: { format: 'tsv' } }],
    [['--encoding', 'latin1'], { reading: { encoding: 'latin1' } }],
    [['--delimiter', '\\t'], { reading: { delimiter: '\t' } }],
    [['--delimiter', ';'], { reading: { delimiter: ';' } }],
    [['--delimiter', '||'], { reading: { delimiter: '||' } }],
    [['--max-record-size', '2MiB'], { reading: { maxRecordSize: 2_097_152 } }],
  ])('%j', async (flags, options) => {
    expect((await parse([...SCHEMA, ...flags])).ingest).toMatchObject(options);
  });

  it('takes key, prefix and ttl instead of a schema', async () => {
    const { ingest } = await parse([
      ...['ingest', 'a.csv', '--key', 'country,user_id', '--prefix', 'f:', '--ttl', '24h'],
      ...[
        '--ttl-jitter',
        '10%',
        '--timezone',
        'UTC',
        '--allow-nonfinite',
        '--null-token',
        'NULL',
        '--null-token',
        '',
      ],
    ]);
    expect(ingest?.schema).toEqual({
      file: null,
      key: ['country', 'user_id'],
      prefix: 'f:',
      ttl: '24h',
      ttlJitter: '10%',
      timezone: 'UTC',
      allowNonfinite: true,
      nullTokens: ['NULL', ''],
    });
  });

  it.each([
    [[], /--schema FILE, or --key/],
    [['--key', 'id'], /--schema FILE, or --key/],
    [['--schema', 's.yaml', '--ttl', '1h'], /--ttl: cannot go with --schema/],
  ])('refuses the schema options %j', async (flags, message) => {
    await expect(parse(['ingest', 'a.csv', ...flags])).rejects.toThrow(message);
  });

  it.each([
    [['--chunk-rows', '0'], /--chunk-rows.*whole number from 1/],
    [['--chunk-bytes', 'big'], /--chunk-bytes.*such as 256KiB/],
    [['--rate', '0'], /--rate.*50000\/s/],
    [['--max-errors', '-3'], /--max-errors.*0\.5%/],
    [['--delimiter', '"'], /--delimiter.*without quotes/],
    [['--mode', 'append'], /--mode.*merge, replace, newer/],
    [['--retry-for', '60'], /--retry-for.*60s/],
    [['--progress-interval', '500w'], /--progress-interval.*24d/],
    [['--chunk-row', '5'], /unknown option '--chunk-row'/],
  ])('answers %j with exit 2 and says what it takes', async (flags, message) => {
    const { code, stderr, ingest } = await parse([...SCHEMA, ...flags]);
    expect(ingest).toBeNull();
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

it('validate is ingest --dry-run that goes on to the end', async () => {
  expect((await parse(['validate', 'a.csv', '--schema', 's.yaml'])).ingest?.budget.max).toBe(Infinity);
  expect((await parse(['validate', 'a.csv', '--schema', 's.yaml'])).ingest?.dryRun).toBe(true);
});

it('get', async () => {
  const { get } = await parse(['get', 'u1', 'u2', '--schema', 's.yaml', '--json']);
  expect(get).toMatchObject({ entities: ['u1', 'u2'], schemaFile: 's.yaml', prefix: '', json: true });
});

describe('serve', () => {
  const SERVE = ['serve', '--schema', 's.yaml'];
  const defaults = {
    schemaFiles: ['s.yaml'],
    host: '127.0.0.1',
    port: 8000,
    typed: false,
    staleAfterMs: null,
    tokenFile: null,
    httpsCert: null,
    httpsKey: null,
    bodyLimit: 1_048_576,
    maxBatch: 1000,
    maxInFlight: 1000,
    requestTimeoutMs: 10_000,
    redisTimeoutMs: 1000,
    shutdownGraceMs: 10_000,
    readFrom: 'master',
    workers: 1,
    quiet: false,
    log: 'text',
  };

  it('has the documented defaults', async () => {
    expect((await parse(SERVE)).serve).toEqual({ ...defaults, connection: expect.anything() });
  });

  const rows: [string[], Partial<Record<keyof ServeOptions, unknown>>][] = [
    [['--schema', 'a.yaml', 'b.yaml'], { schemaFiles: ['s.yaml', 'a.yaml', 'b.yaml'] }],
    [['--host', '0.0.0.0'], { host: '0.0.0.0' }],
    [['--port', '0'], { port: 0 }],
    [['--typed'], { typed: true }],
    [['--stale-after', '90m'], { staleAfterMs: 5_400_000 }],
    [['--token-file', 't'], { tokenFile: 't' }],
    [['--https-cert', 'c.pem', '--https-key', 'k.pem'], { httpsCert: 'c.pem', httpsKey: 'k.pem' }],
    [['--body-limit', '64KiB'], { bodyLimit: 65_536 }],
    [['--max-batch', '5'], { maxBatch: 5 }],
    [['--max-in-flight', '7'], { maxInFlight: 7 }],
    [['--request-timeout', '300ms'], { requestTimeoutMs: 300 }],
    [['--redis-timeout', '50ms'], { redisTimeoutMs: 50 }],
    [['--shutdown-grace', '0s'], { shutdownGraceMs: 0 }],
    [['--read-from', 'replica'], { readFrom: 'replica' }],
    [['--workers', '4'], { workers: 4 }],
    [['--quiet'], { quiet: true }],
    [['--log', 'json'], { log: 'json' }],
  ];

  it.each(rows)('%j', async (flags, options) => {
    expect((await parse([...SERVE, ...flags])).serve).toMatchObject({ ...defaults, ...options });
  });

  it('every flag of its own has a row', async () => {
    const { stdout } = await parse(['serve', '--help']);
    const own = stdout.slice(0, stdout.indexOf('--redis '));
    const named = [...own.matchAll(/^ {2}(?:-s, )?(--[a-z-]+)/gm)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(15);
    expect(rows.flatMap(([flags]) => flags)).toEqual(expect.arrayContaining(named));
  });

  it('the connection, by flag or environment', async () => {
    const { serve } = await parse([...SERVE, '--sentinel', 'a:1', '--sentinel-name', 'm'], {
      REDIS_URL: 'redis://a',
    });
    expect(serve?.connection).toMatchObject({ redis: 'redis://a', sentinels: ['a:1'], sentinelName: 'm' });
  });

  it.each([
    [['--port', '65536'], /--port.*from 0 to 65535/],
    [['--stale-after', '0s'], /--stale-after/],
    [['--body-limit', '1'], /--body-limit/],
    [['--max-batch', '0'], /--max-batch.*whole number from 1/],
    [['--max-in-flight', '0'], /--max-in-flight.*whole number from 1/],
    [['--request-timeout', '10'], /--request-timeout.*such as/],
    [['--redis-timeout', '1ms'], /--redis-timeout/],
    [['--shutdown-grace', 'x'], /--shutdown-grace/],
    [['--read-from', 'any'], /--read-from.*master, replica/],
    [['--workers', '0'], /--workers.*whole number from 1/],
    [['--log', 'xml'], /--log.*text, json/],
    [['--bodylimit', '1'], /unknown option '--bodylimit'/],
  ])('answers %j with exit 2 and says what it takes', async (flags, message) => {
    const { code, stderr, serve } = await parse([...SERVE, ...flags]);
    expect(serve).toBeNull();
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('asks for a schema', async () => {
    await expect(parse(['serve'])).rejects.toThrow(/--schema FILE/);
  });
});

it.each([
  [{}, 'redis://127.0.0.1:6379'],
  [{ REDIS_URL: 'redis://a' }, 'redis://a'],
  [{ REDIS_URL: 'redis://a', FEATURECTL_REDIS_URL: 'redis://b' }, 'redis://b'],
])('the address comes from %j', async (env, url) => {
  expect((await parse(SCHEMA, env)).ingest?.connection.redis).toBe(url);
  expect((await parse([...SCHEMA, '--redis', 'redis://c'], env)).ingest?.connection.redis).toBe('redis://c');
});

it('a password in the environment does not show in --help', async () => {
  const { stdout, code } = await parse(['ingest', '--help'], { REDIS_URL: 'redis://u:secret@h' });
  expect(code).toBe(0);
  expect(stdout).toContain('--redis');
  expect(stdout).not.toContain('secret');
});

it.each([
  [['--version'], /^\d+\.\d+\.\d+\n$/],
  [['--help'], /Exit codes/],
])('%j', async (argv, text) => {
  const { code, stdout } = await parse(argv);
  expect(code).toBe(0);
  expect(stdout).toMatch(text);
});

it.each([
  ['nosuch', '--help'],
  ['nosuch', '-h'],
  ['nosuch', 'users.csv', '--help'],
  ['help', 'nosuch'],
])('%s %s: there is no such command, whatever help is asked for', async (...argv) => {
  const { code, stdout, stderr } = await parse(argv);
  expect(stderr).toMatch(/unknown command 'nosuch'/);
  expect([code, stdout]).toEqual([2, '']);
});

it.each([[[]], [['injest']], [['ingest']]])('%j is a usage error', async (argv) => {
  expect((await parse(argv)).code).toBe(2);
});

describe('--help', () => {
  const commands = ['ingest', 'validate', 'infer', 'plan', 'get', 'verify', 'check', 'serve', 'completion'];

  it.each(commands)('%s has examples of itself', async (name) => {
    const { stdout, code } = await parse([name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples?\\b[\\s\\S]*\\bfeaturectl ${name} `));
  });

  it('names all commands', async () => {
    const { stdout } = await parse(['--help']);
    const named = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[|<)/gm)].map(([, name]) => name);
    expect(named.filter((name) => name !== 'help')).toEqual(expect.arrayContaining(commands));
    expect(named.length).toBe(commands.length + 1);
  });
});
