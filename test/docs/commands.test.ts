/**
 * Every command in README.md and docs/ runs. A block of ```sh is one script, run as a user would in a
 * folder with fixtures/, featurectl on the PATH and a Redis of its own. A line that ends in `# exit N` must
 * exit with N, every other with 0.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../support/redis-server.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

/** What sets the project itself up; the demo has a test of its own and npm test is what runs this. */
const SELF = new Set([
  'npm run demo',
  'npm test',
  'npm run check',
  'npm run bench',
  'npm ci',
  'npm run build',
]);

interface Script {
  readonly name: string;
  readonly commands: readonly { readonly line: string; readonly exit: number }[];
}

function scriptsOf(file: string): Script[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match, i) => ({
    name: `${file} block ${i + 1}`,
    commands: commandsOf(match[1] ?? ''),
  }));
}

function commandsOf(block: string): Script['commands'] {
  const lines = block.replaceAll('\\\n', ' ').split('\n');
  return lines
    .map((line) => {
      const [, command = '', exit = '0'] = /^(.*?)(?:\s+# exit (\d+).*)?$/.exec(line) ?? [];
      return { line: command.trim(), exit: Number(exit) };
    })
    .filter(({ line }) => line !== '' && !line.startsWith('#') && !SELF.has(line.replace(/\s+#.*$/, '')));
}

const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];
const scripts = pages.filter((name) => name.endsWith('.md')).flatMap(scriptsOf);

let redis: TestRedis;
let dir: string;
/** Serves the fixtures; a process, since each command is waited for. */
let files: ChildProcess;
let filesUrl: string;

beforeAll(async () => {
  redis = await startRedis();
  dir = mkdtempSync(join(tmpdir(), 'featurectl-docs-'));
  cpSync(join(ROOT, 'fixtures'), join(dir, 'fixtures'), { recursive: true });
  symlinkSync(join(ROOT, 'bin/featurectl.js'), join(dir, 'featurectl'));
  files = spawn(process.execPath, [join(ROOT, 'test/support/serve-folder.js'), join(dir, 'fixtures')]);
  const [port] = (await once(files.stdout as NodeJS.EventEmitter, 'data')) as [Buffer];
  filesUrl = `http://127.0.0.1:${String(port).trim()}`;
});

afterAll(async () => {
  files.kill();
  await redis.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe.each(scripts.filter((script) => script.commands.length > 0))('$name', ({ commands }) => {
  it.each(commands)('$line', ({ line, exit }) => {
    const env = {
      ...process.env,
      PATH: `${dir}:${process.env.PATH}`,
      REDIS_URL: redis.url,
      DATA_URL: filesUrl,
    };
    const done = spawnSync('bash', ['-o', 'pipefail', '-c', line], { cwd: dir, env, encoding: 'utf8' });
    expect(done.status, `${done.stdout}\n${done.stderr}`).toBe(exit);
  });
});

it('the README has commands to run', () => {
  expect(scripts.filter((script) => script.name.startsWith('README')).length).toBeGreaterThan(1);
});
