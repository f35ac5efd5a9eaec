/** Loads one small file with one small schema and gives the outcome as a user meets it. */
import type { Desk, StoredHash } from './desk.ts';
import type { RunResult } from './run.ts';

export interface LoadOptions {
  /** Type of feature x, or the whole `features:` block where it starts with a line end. */
  readonly x?: string;
  /** More lines at the top of the schema. */
  readonly more?: string;
  readonly key?: string;
  readonly ttl?: string;
  readonly name?: string;
  readonly flags?: readonly string[];
}

export interface Loaded extends RunResult {
  readonly stored: Record<string, StoredHash>;
  /** Field x (or the first) by the key without its prefix `k:`. */
  readonly x: Record<string, string | undefined>;
}

let count = 0;

/** Key `k:{id}`, feature `x`, TTL 1h unless said otherwise. Redis is empty afterwards. */
export async function load(desk: Desk, content: string | Buffer, options: LoadOptions = {}): Promise<Loaded> {
  count += 1;
  const file = await desk.file(options.name ?? `in-${count}.csv`, content);
  const schema = await desk.file(`schema-${count}.yaml`, schemaText(options));
  const result = await desk.run(['ingest', file, '--schema', schema, ...(options.flags ?? [])]);
  const stored = await desk.take();
  const x: Record<string, string | undefined> = Object.create(null);
  for (const [key, hash] of Object.entries(stored)) x[key.replace(/^k:/, '')] = hash.fields.x;
  return { ...result, stored, x };
}

export function schemaText(options: LoadOptions): string {
  const x = options.x ?? 'string';
  return [
    'name: test',
    `key: ${JSON.stringify(options.key ?? 'k:{id}')}`,
    `ttl: ${options.ttl ?? '1h'}`,
    options.more ?? '',
    x.startsWith('\n') ? `features:${x}` : `features:\n  x: ${x}`,
    '',
  ].join('\n');
}
