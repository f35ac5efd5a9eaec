/** The folder rules: who may import whom. Files go in, violations come out. */
import { posix } from 'node:path';
import { importsOf } from './imports.ts';

interface Rule {
  readonly folders: readonly string[];
  readonly packages: readonly string[];
  /** Node's own modules; `all`, or the few that do no I/O. */
  readonly builtins: 'all' | readonly string[];
}

const EDGE = { folders: ['core'], builtins: 'all' } as const;

/** `main` and `cli` are src/main.ts and src/cli.ts or src/cli/. Each folder may import itself. */
const RULES: Readonly<Record<string, Rule>> = {
  main: { folders: ['cli', 'core'], packages: [], builtins: 'all' },
  cli: { folders: ['commands', 'core'], packages: ['commander', 'yaml'], builtins: 'all' },
  commands: {
    folders: ['core', 'schema', 'sources', 'redis', 'output', 'server'],
    packages: [],
    builtins: 'all',
  },
  core: { folders: [], packages: [], builtins: ['node:buffer', 'node:util'] },
  schema: { ...EDGE, packages: ['yaml', 'zod'] },
  sources: {
    ...EDGE,
    packages: ['csv-parse', 'parquet-wasm', 'apache-arrow', 'hysnappy', 'fzstd', '@aws-sdk/client-s3'],
  },
  redis: { ...EDGE, packages: ['ioredis'] },
  output: { ...EDGE, packages: ['ora', 'pino', 'prom-client'] },
  server: { ...EDGE, packages: ['fastify', '@fastify/swagger', 'prom-client'] },
};

/** `files`: path from the project root → source. One line for each import that is not allowed, or cycle. */
export function violations(files: ReadonlyMap<string, string>): string[] {
  const imports = new Map([...files].map(([path, source]) => [path, importsOf(path, source)]));
  const forbidden = [...imports].flatMap(([path, specifiers]) =>
    specifiers.flatMap((specifier) => {
      const why = whyForbidden(path, specifier, files);
      return why ? [`${path} imports ${specifier}: ${why}`] : [];
    }),
  );
  return [...forbidden, ...cycles(imports)];
}

function whyForbidden(path: string, specifier: string, files: ReadonlyMap<string, string>): string | null {
  const folder = folderOf(path);
  const rule = RULES[folder];
  if (!rule) return `${folder} is no folder of the design`;
  if (specifier.startsWith('node:')) return builtinProblem(folder, rule, specifier);
  if (!specifier.startsWith('.')) return packageProblem(folder, rule, specifier);
  const target = resolve(path, specifier);
  if (!files.has(target)) return 'there is no such file in src/';
  const to = folderOf(target);
  return to === folder || rule.folders.includes(to) ? null : `${folder} may not import ${to}`;
}

function builtinProblem(folder: string, rule: Rule, specifier: string): string | null {
  return rule.builtins === 'all' || rule.builtins.includes(specifier) ? null : `${folder} does no I/O`;
}

function packageProblem(folder: string, rule: Rule, specifier: string): string | null {
  const allowed = rule.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  return allowed ? null : `${folder} may not use this package`;
}

/** `src/redis/x.ts` → redis, `src/cli.ts` → cli. */
function folderOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '');
}

function resolve(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier);
}

/** Each cycle once, as the way around it. Type imports count: they bind the files together all the same. */
function cycles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) {
      found.push(`import cycle: ${[...way.slice(start), path].join(' → ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const specifier of imports.get(path) ?? []) {
      if (specifier.startsWith('.')) visit(resolve(path, specifier), [...way, path]);
    }
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}
