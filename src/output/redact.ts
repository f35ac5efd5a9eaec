/** Takes secrets out of what is written for others to read. */

const MASK = '***';

/** Options whose value is a secret itself; `tlsKey` and `tokenFile` are paths, `key` is a template. */
const SECRET_NAME = /(?:password|passphrase|secret|token|credentials?|api[_-]?key)$/i;

/** Named like a secret, and none: the CSV texts that mean null. */
const NO_SECRET = /^null[_-]?tokens?$/i;

const SECRET_PARAMETER =
  /([?&][^=&#\s]*(?:sig|signature|token|secret|password|key|credential)[^=&#\s]*=)[^&#\s]*/gi;

/**
 * Masks the password of every URL in the text, and the parameters that sign or open one (presigned links).
 * A Redis password may hold "/" or "@" unescaped, so there everything up to the last "@" goes.
 */
export function redactUrls(text: string): string {
  return text
    .replace(/\b((?:rediss?|unix)(?:\+[a-z]+)?:\/\/)([^\s"'<>]*)@/gi, maskUser)
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)([^\s"'<>/?#@]*)@/gi, maskUser)
    .replace(SECRET_PARAMETER, `$1${MASK}`);
}

function maskUser(_all: string, scheme: string, userinfo: string): string {
  const colon = userinfo.indexOf(':');
  return colon === -1 ? `${scheme}${MASK}@` : `${scheme}${userinfo.slice(0, colon)}:${MASK}@`;
}

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
