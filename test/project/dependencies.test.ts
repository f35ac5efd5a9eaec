/** Holds src/ to the folder rules, and proves on planted files that a breach would be found. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { violations } from './dependency-rules.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

function sourceFiles(): Map<string, string> {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const paths = names.filter((name) => name.endsWith('.ts')).map((name) => `src/${name}`);
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
}

test('src/ keeps the rules', () => {
  const files = sourceFiles();
  expect(files.size).toBeGreaterThan(10);
  expect(violations(files)).toEqual([]);
});

test('only main.ts sets the exit status', () => {
  const setters = [...sourceFiles()].filter(([, source]) => /\bprocess\s*\.\s*exit(Code)?\b/.test(source));
  expect(setters.map(([path]) => path).filter((path) => path !== 'src/main.ts')).toEqual([]);
});

const core = ['src/core/types.ts', 'export type A = 1;'] as const;

describe('what is allowed', () => {
  test.each([
    ['a folder imports core', 'src/redis/a.ts', "import type { A } from '../core/types.ts';"],
    ['a package at home', 'src/sources/a.ts', "import { parse } from 'csv-parse/sync';"],
    ['commander in a cli folder', 'src/cli/a.ts', "import { Command } from 'commander';"],
    ['a command imports what it wires', 'src/commands/a.ts', "import { A } from '../core/types.ts';"],
    [
      'text and comments are no imports',
      'src/core/a.ts',
      "// import 'ora'\nexport const a = \"import 'ora'\";",
    ],
  ])('%s', (_name, path, source) => expect(violations(new Map([core, [path, source]]))).toEqual([]));
});

describe('planted: found', () => {
  test.each([
    ['a sibling', 'src/redis/a.ts', "import '../output/b.ts';", 'redis may not import output'],
    [
      'a sibling by type',
      'src/schema/a.ts',
      "import type { B } from '../output/b.ts';",
      'schema may not import',
    ],
    [
      'a sibling re-exported',
      'src/redis/a.ts',
      "export * from '../output/b.ts';",
      'redis may not import output',
    ],
    ['a re-export by name', 'src/redis/a.ts', "export { B } from '../output/b.ts';", 'redis may not import'],
    ['a dynamic import', 'src/redis/a.ts', "await import('../output/b.ts');", 'redis may not import output'],
    [
      'an import type',
      'src/redis/a.ts',
      "type B = import('../output/b.ts').B;",
      'redis may not import output',
    ],
    [
      'a folder below imports one above',
      'src/redis/a.ts',
      "import '../commands/b.ts';",
      'may not import commands',
    ],
    ['core imports a folder', 'src/core/a.ts', "import '../output/b.ts';", 'core may not import output'],
    ['cli past the commands', 'src/cli/a.ts', "import '../output/b.ts';", 'cli may not import output'],
    ['main past cli', 'src/main.ts', "import './commands/b.ts';", 'main may not import commands'],
    ['core with a package', 'src/core/a.ts', "import { z } from 'zod';", 'core may not use this package'],
    ['core with I/O', 'src/core/a.ts', "import { open } from 'node:fs/promises';", 'core does no I/O'],
    ['ioredis elsewhere', 'src/commands/a.ts', "import { Redis } from 'ioredis';", 'commands may not use'],
    [
      'arrow elsewhere',
      'src/schema/a.ts',
      "import type { Table } from 'apache-arrow';",
      'schema may not use',
    ],
    ['ora elsewhere', 'src/commands/a.ts', "import ora from 'ora';", 'commands may not use'],
    ['zod elsewhere', 'src/redis/a.ts', "import { z } from 'zod/mini';", 'redis may not use'],
    ['commander elsewhere', 'src/main.ts', "import { Command } from 'commander';", 'main may not use'],
    [
      'a name that only starts alike',
      'src/output/a.ts',
      "import x from 'ora-classic';",
      'output may not use',
    ],
    ['require', 'src/redis/a.ts', "require('ora');", 'redis may not use'],
    ['import =', 'src/redis/a.ts', "import x = require('ora');", 'redis may not use'],
    ['a builtin without node:', 'src/redis/a.ts', "import 'fs';", 'redis may not use'],
    ['a computed import', 'src/redis/a.ts', "const x = 'ora'; await import(x);", 'computed'],
    ['a file that is not there', 'src/redis/a.ts', "import './no.ts';", 'no such file'],
    ['a folder of no rule', 'src/utils/a.ts', "import '../core/types.ts';", 'no folder of the design'],
  ])('%s', (_name, path, source, message) => {
    const files = new Map([
      core,
      ['src/output/b.ts', 'export type B = 1;'],
      ['src/commands/b.ts', 'export {};'],
      [path, source],
    ]);
    const found = violations(files);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(path);
    expect(found[0]).toContain(message);
  });

  test('a cycle, through files and by type', () => {
    const files = new Map([
      ['src/core/a.ts', "import './b.ts';"],
      ['src/core/b.ts', "import type { C } from './c.ts';"],
      ['src/core/c.ts', "import './b.ts';"],
    ]);
    expect(violations(files)).toEqual(['import cycle: src/core/b.ts → src/core/c.ts → src/core/b.ts']);
    expect(violations(new Map([['src/core/a.ts', "import './a.ts';"]]))).toHaveLength(1);
  });
});
