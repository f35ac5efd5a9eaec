/** Nothing but featurectl writes to stderr: the package that talks to Redis would, for a password that is not asked for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.js';
import { type Desk, openDesk } from '../support/desk.ts';
import { type Running, start } from '../support/spawn.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const [source, schema] = [`${ROOT}fixtures/users.csv`, `${ROOT}fixtures/users.yaml`];

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

const url = (): string => desk.redis.url.replace('//', '//:secret@');
const run = (...argv: string[]): Running => start(argv, { REDIS_URL: url() });
const ODD = /^featurectl: Redis at \S+ asks for no password, and one was given: .*\n/;

describe('a password that Redis does not ask for', () => {
  it.each([
    ['ingest', ['ingest', source, '--schema', schema, '--quiet']],
    [
      'ingest with several connections',
      ['ingest', source, '--schema', schema, '--quiet', '--connections', '3'],
    ],
    ['get', ['get', 'user_0001', '--schema', schema]],
    ['verify', ['verify', source, '--schema', schema]],
    ['check', ['check', '--schema', schema]],
  ])('%s writes nothing on stderr', async (_name, argv) => {
    const { code, stderr } = await run(...argv).done;
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('ingest says so once', async () => {
    const { stderr } = await run('ingest', source, '--schema', schema, '--connections', '3').done;
    expect(stderr).toMatch(ODD);
    expect(stderr.match(/password/g)).toHaveLength(1);
    expect(stderr).not.toMatch(/WARN|secret/);
  });

  it('ingest --log json: a line like the others', async () => {
    const { stderr } = await run('ingest', source, '--schema', schema, '--log', 'json').done;
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ message }) => /asks for no password/.test(message))).toMatchObject([
      { level: 'warn', event: 'note' },
    ]);
  });

  it.each([
    ['--quiet', false],
    ['--log=json', true],
  ])('serve %s', async (flag, isTold) => {
    const port = await freePort();
    const running = run('serve', '--schema', schema, '--port', String(port), flag);
    for (let i = 0; i < 400; i += 1) {
      const isUp = await fetch(`http://127.0.0.1:${port}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isUp) break;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    running.child.kill('SIGTERM');
    const { code, stderr } = await running.done;
    expect(code).toBe(0);
    if (!isTold) return expect(stderr).toBe('');
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const levelOf = (text: RegExp): unknown => lines.find(({ message }) => text.test(message))?.level;
    expect(levelOf(/asks for no password/)).toBe('warn');
    expect(levelOf(/^connected to/)).toBe('info');
    expect(levelOf(/^listening on/)).toBe('info');
    expect(levelOf(/^shutting down/)).toBe('info');
    return expect(lines.filter(({ message }) => /password/.test(message))).toHaveLength(1);
  });
});
