/** Compares what Redis holds of a value with what the corpus expects of it (kinds: see the corpus README). */

/** `stored` is latin1 (one char a byte), undefined where the hash has no such field. */
export function storedMatches(stored: string | undefined, expected: unknown, kind: string): boolean {
  // An unquoted empty CSV cell is null by default.
  if (stored === undefined) return expected === null || (kind === 'text' && expected === '');
  if (expected === null) return false;
  const text = Buffer.from(stored, 'latin1').toString('utf8');
  switch (kind) {
    case 'float':
    case 'double':
      return isSameNumber(text, expected, kind);
    case 'boolean':
      return text === (expected ? '1' : '0');
    case 'timestamp_ns':
      return timestampNs(text) === expected;
    case 'time_ns':
      return timeNs(text) === expected;
    case 'binary_hex':
      return Buffer.from(stored, 'latin1').toString('hex') === expected;
    case 'nested':
      return isSameJson(JSON.parse(exactNumbers(text)), expected);
    default:
      return text === String(expected);
  }
}

function isSameNumber(text: string, expected: unknown, kind: string): boolean {
  if (typeof expected === 'string') return text === (NONFINITE[expected] ?? expected);
  if (kind === 'float') return Math.fround(Number(text)) === Math.fround(expected as number);
  return Number(text) === expected;
}

/** RFC 3339 UTC → epoch nanoseconds as text. */
function timestampNs(text: string): string {
  const match = /^(.*?)(?:\.(\d+))?Z$/.exec(text);
  const ms = Date.parse(`${match?.[1]}Z`);
  return String(BigInt(ms) * 1_000_000n + BigInt((match?.[2] ?? '').padEnd(9, '0')));
}

function timeNs(text: string): string {
  const [, hours, minutes, seconds, fraction = ''] = /^(\d\d):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(text) ?? [];
  const whole = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return String(BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0')));
}

/** Numbers that JSON.parse would round become strings, as the corpus writes them. */
function exactNumbers(json: string): string {
  return json.replace(
    /("(?:[^"\\]|\\.)*")|(-?\d{16,}(?:\.\d+)?)/g,
    (_all, string, number) => string ?? `"${number}"`,
  );
}

/** Leaves are compared as text: the corpus writes 64-bit integers and decimals as strings, bytes as hex. */
function isSameJson(found: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    const items = asArray(found, expected);
    return items.length === expected.length && items.every((item, i) => isSameJson(item, expected[i]));
  }
  if (typeof expected === 'object' && expected !== null) {
    const entries = Object.entries(expected);
    return (
      typeof found === 'object' &&
      found !== null &&
      Object.keys(found).length === entries.length &&
      entries.every(([name, value]) => isSameJson((found as Record<string, unknown>)[name], value))
    );
  }
  return isSameLeaf(found, expected);
}

/** A map with text keys is stored as an object; the corpus lists its pairs. */
function asArray(found: unknown, expected: readonly unknown[]): readonly unknown[] {
  if (Array.isArray(found)) return found;
  if (typeof found !== 'object' || found === null) return [Symbol('no array')];
  return Object.keys(found).length === expected.length ? Object.entries(found) : [Symbol('another length')];
}

const NONFINITE: Readonly<Record<string, string>> = { NaN: 'nan', Infinity: 'inf', '-Infinity': '-inf' };

function isSameLeaf(found: unknown, expected: unknown): boolean {
  if (typeof expected === 'string' && NONFINITE[expected] === found) return true;
  if (found === expected || String(found) === String(expected)) return true;
  if (typeof expected === 'number') return Math.fround(Number(found)) === Math.fround(expected);
  if (typeof expected !== 'string' || typeof found !== 'string') return false;
  if (/^\d{4}-\d\d-\d\dT/.test(found)) return timestampNs(found) === expected;
  return Buffer.from(found, 'base64').toString('hex') === expected;
}
