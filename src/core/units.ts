/** Numbers with units as users write them in options and schemas. */

const DURATION_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
]);

const BYTES: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1000],
  ['mb', 1e6],
  ['gb', 1e9],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['gib', 1024 ** 3],
]);

/** `24h` → milliseconds; whole numbers with ms, s, m, h, d or w only. Null where it is not of that form. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,15})(ms|s|m|h|d|w)$/.exec(text);
  if (!match) return null;
  return Number(match[1]) * (DURATION_MS.get(match[2] ?? '') ?? 0);
}

/** `256KiB`, `1MB`, `4096` → bytes. Null where it is not of that form. */
export function parseBytes(text: string): number | null {
  const match = /^(\d{1,12})\s?([A-Za-z]*)$/.exec(text);
  const unit = BYTES.get((match?.[2] ?? '?').toLowerCase());
  return match && unit !== undefined ? Number(match[1]) * unit : null;
}

/** `50000`, `50000/s`, `50k/s` → rows a second. Null where it is not of that form or zero. */
export function parseRate(text: string): number | null {
  const match = /^(\d{1,9})(k?)(?:\/s)?$/.exec(text);
  if (!match || Number(match[1]) === 0) return null;
  return Number(match[1]) * (match[2] ? 1000 : 1);
}

/** A whole number within bounds (inclusive), in decimal digits. Null where it is not. */
export function parseCount(text: string, min: number, max: number): number | null {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return count >= min && count <= max ? count : null;
}

/** `5%` → 0.05. Null where it is no share from 0% to 100%. */
export function parseShare(text: string): number | null {
  const match = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text);
  const share = match ? Number(match[1]) / 100 : Number.NaN;
  return share >= 0 && share <= 1 ? share : null;
}

/** `1 bad row`, `2,000 bad rows`. */
export function counted(count: number, noun: string): string {
  return `${String(count).replace(/\B(?=(\d{3})+$)/g, ',')} ${noun}${count === 1 ? '' : 's'}`;
}
