/** Takes secrets out of what is written for others to read. */

import { MASK, redactUrls } from '../core/redact-urls.ts';

export { redactUrls };

/** Options whose value is a secret itself; `tlsKey` and `tokenFile` are paths, `key` is a template. */
const SECRET_NAME = /(?:password|passphrase|secret|token|credentials?|api[_-]?key)$/i;

/** Named like a secret, and none: the CSV texts that mean null. */
const NO_SECRET = /^null[_-]?tokens?$/i;

/** A copy of plain JSON data in which secrets are masked: by option name, and in URLs. */
export function redactOptions(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, redactValue(name, value)]));
}

/** One option's text. */
export function redactOption(name: string, value: string): string {
  return SECRET_NAME.test(name) && !NO_SECRET.test(name) ? MASK : redactUrls(value);
}

function redactValue(name: string, value: unknown): unknown {
  if (typeof value === 'string') return redactOption(name, value);
  if (Array.isArray(value)) return value.map((item) => redactValue(name, item));
  if (typeof value === 'object' && value !== null) return redactOptions({ ...value });
  // JSON has no such numbers, and null would read as "not set".
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
