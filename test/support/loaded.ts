/** Which packages a run of the built program loads. */
import { spawnSync } from 'node:child_process';

const ENTRY = new URL('../../bin/featurectl.js', import.meta.url).pathname;

/** Tells every package of which code is loaded on a pipe of its own; in dist/ a comment says where a part comes from. */
const HOOK = `
  import { readFileSync, writeSync } from 'node:fs';
  export async function load(url, context, next) {
    const text = url.includes('/dist/') && !url.includes('/node_modules/') ? readFileSync(new URL(url), 'utf8') : url;
    for (const [, name] of text.matchAll(/\\bnode_modules\\/((?:@[^/]+\\/)?[^/]+)\\//g)) writeSync(3, name + '\\n');
    return next(url, context);
  }`;

const asUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

export function loadedPackages(argv: readonly string[], env: NodeJS.ProcessEnv = {}): readonly string[] {
  const register = `import { register } from 'node:module'; register(${JSON.stringify(asUrl(HOOK))});`;
  const done = spawnSync(process.execPath, ['--import', asUrl(register), ENTRY, ...argv], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`${argv.join(' ')} exited with ${done.status}: ${done.stderr}`);
  return [...new Set(String(done.output[3]).split('\n'))].filter((name) => name !== '').sort();
}
