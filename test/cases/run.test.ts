/** A run as Airflow, cron and a person at a terminal meet it. */
import { spawnSync } from 'node:child_process';
import { appendFile, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../support/desk.ts';
import { load, schemaText } from '../support/load.ts';
import { start } from '../support/spawn.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterEach(async () => {
  await desk.client.flushall();
});
afterAll(() => desk.close());

const rowsOf = (count: number): string =>
  `id,x\n${Array.from({ length: count }, (_, i) => `${i},v${i}`).join('\n')}\n`;

async function schema(x = 'string'): Promise<string> {
  return desk.file(`s-${x}.yaml`, schemaText({ x }));
}

describe('--dry-run', () => {
  it('gives the same rejects and exit code, and Redis hears no command of it', async () => {
    const file = await desk.file('dry.csv', 'id,x\n1,5\n2,no\n,7\n3,8\n');
    const argv = ['ingest', file, '--schema', await schema('int64'), '--max-errors', 'all', '--rejects'];
    const wet = await desk.run([...argv, desk.path('wet-rejects.csv')]);
    const heard: string[][] = [];
    const monitor = await desk.client.monitor();
    monitor.on('monitor', (_time: string, args: string[]) => heard.push(args));
    const dry = await desk.run([...argv, desk.path('dry-rejects.csv'), '--dry-run']);
    await desk.client.ping();
    monitor.disconnect();
    expect(dry.code).toBe(wet.code);
    expect(await desk.read('dry-rejects.csv')).toBe(await desk.read('wet-rejects.csv'));
    expect(heard.filter(([name]) => name?.toLowerCase() !== 'ping')).toEqual([]);
  });

  it('validate needs no Redis', async () => {
    const file = await desk.file('alone.csv', rowsOf(3));
    const { code, stderr } = await desk.run(['validate', file, '--schema', await schema()], {
      env: { REDIS_URL: 'redis://127.0.0.1:1' },
    });
    expect(code, stderr).toBe(0);
  });
});

describe('--rejects', () => {
  it('mended, loads only its rows', async () => {
    const rejects = desk.path('mend.csv');
    const options = { x: 'int64', flags: ['--max-errors', 'all', '--rejects', rejects] };
    const first = await load(desk, 'id,x\n1,5\n2,no\n3,""\n4,8\n', options);
    expect({ code: first.code, x: first.x }).toEqual({ code: 1, x: { 1: '5', 4: '8' } });
    const text = await desk.read('mend.csv');
    const mended = await desk.file('mended.csv', text.replace('2,no', '2,6').replace('3,""', '3,7'));
    const { code, stderr } = await desk.run(['ingest', mended, '--schema', await schema('int64')]);
    expect(code, stderr).toBe(0);
    expect(Object.keys(await desk.take())).toEqual(['k:2', 'k:3']);
  });

  it('mended, loads without a schema too, and its underscore columns are no features', async () => {
    const rejects = desk.path('bare.csv');
    await load(desk, 'id,x\n1,5\n2,no\n', {
      x: 'int64',
      flags: ['--max-errors', 'all', '--rejects', rejects],
    });
    const { code, stderr } = await desk.run([
      'ingest',
      rejects,
      '--key',
      'id',
      '--prefix',
      'k:',
      '--ttl',
      '1h',
    ]);
    expect(code, stderr).toBe(0);
    expect(Object.keys((await desk.take())['k:2']?.fields ?? {})).toEqual(['x']);
  });

  it('a path that cannot be written is fatal before the first write', async () => {
    const { code, stored, stderr } = await load(desk, rowsOf(3), {
      flags: ['--rejects', '/nowhere/bad.csv'],
    });
    expect({ code, stored }).toEqual({ code: 4, stored: {} });
    expect(stderr).toMatch(/nowhere.*OUTPUT/s);
  });

  it('a full disk is fatal, with what was written reported', async () => {
    const text = `id,x\n${Array.from({ length: 3000 }, (_, i) => `${i},${i % 2 ? 'no' : i}`).join('\n')}\n`;
    const { code, stderr, stored } = await load(desk, text, {
      x: 'int64',
      flags: ['--max-errors', 'all', '--rejects', '/dev/full'],
    });
    expect(code).toBe(4);
    expect(stderr).toMatch(/ENOSPC/);
    const written = Number(/written\s+([\d,]+)/.exec(stderr)?.[1]?.replace(',', ''));
    expect(Object.keys(stored)).toHaveLength(written);
  });

  it('keeps what an earlier run left until Redis is reached', async () => {
    const rejects = desk.path('earlier.csv');
    await load(desk, 'id,x\n1,no\n', { x: 'int64', flags: ['--max-errors', 'all', '--rejects', rejects] });
    const before = await desk.read('earlier.csv');
    expect(before).toContain('1,no');
    const away = ['--redis', 'redis://127.0.0.1:1', '--retry-for', '0ms'];
    const { code } = await load(desk, rowsOf(3), { flags: ['--rejects', rejects, ...away] });
    expect(code).toBe(4);
    expect(await desk.read('earlier.csv')).toBe(before);
  });

  it('is not there after a run without rejects', async () => {
    const rejects = desk.path('none.csv');
    await load(desk, rowsOf(3), { flags: ['--rejects', rejects] });
    await expect(stat(rejects)).rejects.toThrow(/ENOENT/);
  });
});

describe('outputs never overwrite what the run reads', () => {
  it.each([
    ['--rejects', 'the source', 'own.csv'],
    ['--report', 'the source', 'own.csv'],
    ['--rejects', '--schema', 's-string.yaml'],
    ['--report', '--schema', 's-string.yaml'],
    ['--report', 'the source', 'link.csv'],
  ])('%s on %s: exit 2, the file as it was', async (flag, _role, name) => {
    const schemaFile = await schema();
    const source = await desk.file('own.csv', 'id,x\n1,a\n2\n');
    await symlink(source, desk.path('link.csv')).catch(() => {});
    const before = await desk.read(name);
    const argv = ['ingest', source, '--schema', schemaFile, '--max-errors', 'all', flag, desk.path(name)];
    const { code, stderr } = await desk.run(argv);
    expect(code).toBe(2);
    expect(stderr).toMatch(/would overwrite it/);
    expect(await desk.read(name)).toBe(before);
    expect(await desk.take()).toEqual({});
  });

  it('--rejects and --report of one name: exit 2', async () => {
    const out = desk.path('one.out');
    const { code, stored } = await load(desk, 'id,x\n1,a\n', { flags: ['--rejects', out, '--report', out] });
    expect({ code, stored }).toEqual({ code: 2, stored: {} });
  });
});

describe('a source that changes while it is read', () => {
  const text = rowsOf(60_000);

  it.each([
    ['cut', (path: string) => truncate(path, 100_000)],
    ['rewritten', (path: string) => writeFile(path, text.replaceAll(',v', ',w'))],
    ['appended to', (path: string) => appendFile(path, 'more,rows\n')],
  ])('%s: exit 4, says so, and no value is half written', async (_how, change) => {
    const file = await desk.file('changing.csv', text);
    const argv = [
      'ingest',
      file,
      '--schema',
      await schema(),
      '--rate',
      '100000',
      '--progress-interval',
      '50ms',
    ];
    const run = start(argv, { REDIS_URL: desk.redis.url });
    await run.shows(/\d,\d{3} rows/);
    await change(file);
    const { code, stderr } = await run.done;
    expect(code, stderr).toBe(4);
    expect(stderr).toMatch(/SOURCE_CHANGED/);
    for (const [key, hash] of Object.entries(await desk.take())) {
      expect(hash.fields.x?.slice(1)).toBe(key === 'k:more' ? 'ows' : key.slice(2));
    }
  });
});

describe('several files', () => {
  it('are one run, in sorted order', async () => {
    await desk.file('part-2.csv', 'id,x\n1,second\n');
    await desk.file('part-1.csv', 'id,x\n1,first\n2,other\n');
    const { code, stderr } = await desk.run(['ingest', desk.path('part-*.csv'), '--schema', await schema()]);
    expect(code, stderr).toBe(0);
    const stored = await desk.take();
    expect(stored['k:1']?.fields.x).toBe('second');
    expect(stderr).toMatch(/read\s+3\n/);
  });

  it('a column missing in the second is found before any write', async () => {
    const one = await desk.file('one.csv', 'id,x\n1,a\n');
    const two = await desk.file('two.csv', 'id,y\n2,b\n');
    const { code, stderr } = await desk.run(['ingest', one, two, '--schema', await schema()]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/two\.csv.*expected a column "x".*COLUMN/s);
    expect(Object.keys(await desk.take())).toEqual([]);
  });
});

describe('--report', () => {
  it('on stdout is the only thing there, and its counts add up', async () => {
    const { code, stdout } = await load(desk, 'id,x\n1,5\n2,no\n3,\n4,6\n', {
      x: 'int64',
      flags: ['--report', '-', '--max-errors', '1'],
    });
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(code).toBe(1);
    expect(report).toMatchObject({
      schema_version: 1,
      exit_code: 1,
      counts: { read: 4, written: 2, rejected: 1, failed: 0, skipped: 1 },
      failures_by_code: { INT: 1 },
      skipped_by_code: { empty: 1 },
      error: null,
    });
    expect(report.write).toMatchObject({ mode: 'merge', path: 'restore' });
  });

  it('is written when the run fails, too, without the password', async () => {
    const file = await desk.file('lost.csv', rowsOf(3));
    const report = desk.path('lost.json');
    const { code, stderr } = await desk.run(
      ['ingest', file, '--schema', await schema(), '--report', report, '--retry-for', '100ms'],
      { env: { REDIS_URL: 'redis://user:hunter2@127.0.0.1:1' } },
    );
    expect(code).toBe(4);
    expect(stderr).not.toContain('hunter2');
    const text = await readFile(report, 'utf8');
    expect(text).not.toContain('hunter2');
    expect(JSON.parse(text)).toMatchObject({ exit_code: 4, error: { code: 'REDIS_CONNECT' } });
  });
});

describe('--quiet', () => {
  it('prints nothing on success', async () => {
    const { code, stdout, stderr } = await load(desk, rowsOf(2000), { flags: ['--quiet'] });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('prints one message on failure', async () => {
    const file = await desk.file('quiet.csv', 'id,x\n1,a\n');
    const { code, stdout, stderr } = await desk.run([
      'ingest',
      file,
      '--key',
      'nope',
      '--ttl',
      '1h',
      '--quiet',
    ]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('--max-errors', () => {
  const text = `id,x\n${Array.from({ length: 2000 }, (_, i) => `${i},${i % 100 === 50 ? 'no' : i}`).join('\n')}\n`;

  it.each([
    ['0', 3],
    ['19', 3],
    ['20', 1],
    ['2%', 1],
    ['0.5%', 3],
    ['all', 1],
  ])('%s with 20 bad rows of 2000: exit %i', async (budget, exit) => {
    expect((await load(desk, text, { x: 'int64', flags: ['--max-errors', budget] })).code).toBe(exit);
  });
});

describe('a process', () => {
  it('reads stdin', async () => {
    const argv = ['ingest', '-', '--format', 'csv', '--schema', await schema()];
    const { code, stderr } = await start(argv, { REDIS_URL: desk.redis.url }, rowsOf(10)).done;
    expect(code, stderr).toBe(0);
    expect(Object.keys(await desk.take())).toHaveLength(10);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s settles what is on the way and exits %i', async (signal, exit) => {
    const file = await desk.file('slow.csv', rowsOf(20_000));
    const argv = ['ingest', file, '--schema', await schema(), '--rate', '2000', '--report', '-'];
    const run = start([...argv, '--progress-interval', '100ms'], { REDIS_URL: desk.redis.url });
    await run.shows(/\d{3} rows/);
    run.child.kill(signal);
    const { code, stdout, stderr } = await run.done;
    expect(code, stderr).toBe(exit);
    const { counts } = JSON.parse(stdout) as { counts: Record<string, number> };
    expect(counts.read).toBeLessThan(20_000);
    expect(counts.written).toBeGreaterThan(0);
    const stored = Object.keys(await desk.take()).length;
    expect(stored).toBe(counts.written);
    expect(counts.failed).toBe(0);
    expect(counts.read).toBe(counts.written);
  });

  it('a second signal ends it at once', async () => {
    const file = await desk.file('stuck.csv', rowsOf(5000));
    await desk.client.call('CLIENT', 'PAUSE', '8000', 'WRITE');
    const run = start(['ingest', file, '--schema', await schema(), '--progress-interval', '50ms'], {
      REDIS_URL: desk.redis.url,
    });
    await run.shows(/rows/);
    run.child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = Date.now();
    run.child.kill('SIGINT');
    const { code } = await run.done;
    expect(code).toBe(130);
    expect(Date.now() - before).toBeLessThan(2000);
    await desk.client.call('CLIENT', 'UNPAUSE');
  });

  it('goes on without its stderr, and fails when its results are lost', async () => {
    const file = await desk.file('full.csv', rowsOf(3000));
    const entry = new URL('../../bin/featurectl.js', import.meta.url).pathname;
    const command = `${process.execPath} ${entry} ingest ${file} --schema ${await schema()}`;
    const sh = (line: string) =>
      spawnSync('sh', ['-c', line], {
        env: { PATH: process.env.PATH, REDIS_URL: desk.redis.url },
        encoding: 'utf8',
      });
    expect(sh(`${command} --progress-interval 10ms 2>/dev/full`).status).toBe(0);
    expect(Object.keys(await desk.take())).toHaveLength(3000);
    const lost = sh(`${command} --report - >/dev/full`);
    expect(lost.status).toBe(4);
    expect(lost.stderr).toMatch(/OUTPUT/);
    expect(sh(`${process.execPath} ${entry} get 1 --prefix k: >/dev/full`).status).toBe(4);
  });

  it('a pipe that nobody reads is no rejects file', async () => {
    spawnSync('mkfifo', [desk.path('unread')]);
    const { code, stderr } = await load(desk, rowsOf(1), { flags: ['--rejects', desk.path('unread')] });
    expect(code).toBe(4);
    expect(stderr).toMatch(/named pipe.*OUTPUT/s);
  });

  it('a pipe that nobody writes is waited for, and left at a signal', async () => {
    spawnSync('mkfifo', [desk.path('unwritten')]);
    const argv = ['ingest', desk.path('unwritten'), '--format', 'csv', '--schema', await schema()];
    const run = start([...argv, '--progress-interval', '50ms'], { REDIS_URL: desk.redis.url });
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(run.child.exitCode).toBeNull();
    run.child.kill('SIGTERM');
    expect((await run.done).code).toBe(143);
  });

  it('reads a named pipe', async () => {
    spawnSync('mkfifo', [desk.path('pipe')]);
    const argv = ['ingest', desk.path('pipe'), '--format', 'csv', '--schema', await schema()];
    const run = start(argv, { REDIS_URL: desk.redis.url });
    await writeFile(desk.path('pipe'), rowsOf(5000));
    const { code, stderr } = await run.done;
    expect(code, stderr).toBe(0);
    expect(Object.keys(await desk.take())).toHaveLength(5000);
  });

  it('100 MiB behind a quote that is never closed: names its line, in bounded memory', async () => {
    const text = Buffer.concat([Buffer.from('id,x\n1,a\n2,"'), Buffer.alloc(100 * 1024 * 1024, 'y\n')]);
    const file = await desk.file('unclosed.csv', text);
    const hook = new URL('../../bench/rusage-hook.js', import.meta.url).href;
    const entry = new URL('../../bin/featurectl.js', import.meta.url).pathname;
    const argv = ['--import', hook, entry, 'ingest', file, '--schema', await schema()];
    const done = spawnSync(process.execPath, argv, {
      env: { PATH: process.env.PATH, REDIS_URL: desk.redis.url },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      encoding: 'utf8',
    });
    expect(done.status).toBe(4);
    expect(done.stderr).toMatch(/line 3\b.*CSV_SIZE/s);
    expect(Object.keys(await desk.take())).toEqual(['k:1']);
    expect((JSON.parse(done.output[3] ?? '{}') as { rss: number }).rss).toBeLessThan(150);
  });

  it('outlives a reader that goes away', async () => {
    await load(desk, rowsOf(1));
    const entities = Array.from({ length: 3000 }, (_, i) => String(i)).join(' ');
    const entry = new URL('../../bin/featurectl.js', import.meta.url).pathname;
    const command = `${process.execPath} ${entry} get ${entities} --prefix k: | head -n 1`;
    const done = spawnSync('sh', ['-c', command], {
      env: { PATH: process.env.PATH, REDIS_URL: desk.redis.url },
      encoding: 'utf8',
    });
    expect(done.stdout).toMatch(/k:0/);
    expect(done.stderr).toBe('');
  });
});
