/** An entity and its features as a small table for a person. */
import { formatSeconds, printable } from './format.ts';

export interface ShownEntity {
  readonly key: string;
  readonly found: boolean;
  readonly ttl_seconds: number | null;
  readonly age_seconds: number | null;
  readonly features: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

/** Ends with a line break. */
export function formatEntity(entity: ShownEntity): string {
  const key = printable(entity.key);
  if (entity.error !== undefined) return `${key}  cannot be read: ${printable(entity.error)}\n`;
  if (!entity.found) return `${key}  not found\n`;
  const ttl = entity.ttl_seconds === null ? 'no TTL' : `TTL ${formatSeconds(entity.ttl_seconds)}`;
  const age = entity.age_seconds === null ? '' : `  age ${formatSeconds(entity.age_seconds)}`;
  const names = Object.keys(entity.features).map(printable);
  const width = Math.max(...names.map((name) => name.length));
  const lines = Object.values(entity.features).map((value, i) => {
    return `  ${(names[i] ?? '').padEnd(width)}  ${printable(shown(value))}\n`;
  });
  return `${key}  ${ttl}${age}\n${lines.join('')}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
