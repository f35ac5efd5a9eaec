/** dist/ has a method of ioredis for few commands: nothing may be sent by another one. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
const IOREDIS = join(ROOT, 'node_modules/ioredis/built');

const { METHODS }: { METHODS: readonly string[] } = await import(
  new URL('../../scripts/lean-ioredis.js', import.meta.url).href
);
const require = createRequire(join(IOREDIS, 'index.js'));
const { list }: { list: readonly string[] } = require('@ioredis/commands');

function filesIn(directory: string, ending: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(directory, name));
}

/** Of `client.hgetall(…)` and the like, those that Redis has as commands. */
function commandsSentIn(files: readonly string[]): string[] {
  const calls = files.flatMap((file) => {
    const code = readFileSync(file, 'utf8').replace(/^\s*\*.*$/gm, '');
    return [...code.matchAll(/\b(?:this|self|client|redis|pipeline)\s*\.(\w+?)(?:Buffer)?\(/g)];
  });
  return [...new Set(calls.map(([, name]) => name ?? ''))].filter((name) => list.includes(name));
}

it.each<[string, readonly string[]]>([
  ['our code', filesIn(join(ROOT, 'src/redis'), '.ts')],
  [
    'ioredis, all that makes and keeps a connection',
    [
      join(IOREDIS, 'Redis.js'),
      ...filesIn(join(IOREDIS, 'redis'), '.js'),
      ...filesIn(join(IOREDIS, 'connectors'), '.js'),
    ],
  ],
])('%s', (_whose, files) => {
  const sent = commandsSentIn(files);
  expect(sent).not.toEqual([]);
  expect(sent.filter((name) => !METHODS.includes(name))).toEqual([]);
});
