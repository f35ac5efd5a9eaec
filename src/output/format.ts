/** Numbers and texts as a person reads them. Pure; ASCII only, so that any terminal and log shows them. */

/** 1234567 → `1,234,567`. */
export function formatCount(count: number): string {
  return String(Math.trunc(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Bytes in binary units with one decimal from KiB on: `512 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes;
  let unit = 0;
  // 1023.95 KiB would round to "1024.0 KiB".
  while (size >= (unit === 0 ? 1024 : 1023.95) && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** Seconds as a clock that a person reads: `0.4s`, `32s`, `3m05s`, `2h03m`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m${pad2(whole % 60)}s`;
  return `${Math.floor(minutes / 60)}h${pad2(minutes % 60)}m`;
}

function pad2(number: number): string {
  return String(number).padStart(2, '0');
}

/** Rows a second, whole; 0 before any time has passed. */
export function rowsPerSecond(rows: number, elapsedMs: number): number {
  return elapsedMs > 0 ? Math.round((rows * 1000) / elapsedMs) : 0;
}

/** Share done, 0–1; null where the total is unknown or zero. */
export function fractionDone(bytesRead: number, bytesTotal: number | null): number | null {
  return bytesTotal === null || bytesTotal <= 0 ? null : Math.min(1, Math.max(0, bytesRead / bytesTotal));
}

/** Seconds left at the speed so far; null where that cannot be known yet. */
export function etaSeconds(fraction: number | null, elapsedMs: number): number | null {
  if (fraction === null || fraction <= 0 || elapsedMs <= 0) return null;
  return ((elapsedMs / 1000) * (1 - fraction)) / fraction;
}

/** `[====>     ]`, `width` characters between the brackets. */
export function formatBar(fraction: number, width: number): string {
  const filled = Math.floor(Math.min(1, Math.max(0, fraction)) * width);
  const tip = filled > 0 && filled < width ? '>' : '';
  return `[${('='.repeat(filled - tip.length) + tip).padEnd(width)}]`;
}

/** 0.478 → `47%`: rounded down, so that 100% means done. */
export function formatPercent(fraction: number): string {
  return `${Math.floor(fraction * 100)}%`;
}

/** One line without control characters: text from a data file must not steer a terminal or fake a log line. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escapeChar);
}

function escapeChar(char: string): string {
  const code = char.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
}

/** Columns padded to one width, the ones in `right` to the right; without spaces at a line's end. */
export function alignRows(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  const padded = (cell: string, index: number): string =>
    right.has(index) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0);
  return rows.map((row) => row.map(padded).join('  ').trimEnd());
}
