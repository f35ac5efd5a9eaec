import { FeaturectlError } from '../core/errors.ts';
import type { SourceFormat } from '../core/types.ts';

/** What the first bytes of a file show it to be; `text` where no signature of a binary format is found. */
export type Magic =
  | 'empty'
  | 'text'
  | 'json'
  | 'gzip'
  | 'zstd'
  | 'zip'
  | 'xls'
  | 'xz'
  | 'bzip2'
  | 'parquet'
  | 'parquet-encrypted'
  | 'arrow-file'
  | 'arrow-stream'
  | 'feather-v1';

/** Bytes that `sniffMagic` wants to see, fewer only at the end of the source. */
export const MAGIC_BYTES = 8;

const EXTENSIONS: Readonly<Record<string, SourceFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  parquet: 'parquet',
  arrow: 'arrow',
  arrows: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
};

export type Compression = 'gzip' | 'zstd' | 'brotli';

const COMPRESSIONS: Readonly<Record<string, Compression>> = {
  '.gz': 'gzip',
  '.zst': 'zstd',
  '.br': 'brotli',
};

export const KNOWN_EXTENSIONS = Object.keys(EXTENSIONS).map((name) => `.${name}`);

const NAMES: Readonly<Record<Magic, string>> = {
  empty: 'an empty file',
  text: 'text or data of no known kind',
  json: 'a JSON object',
  gzip: 'gzip data',
  zstd: 'zstd data',
  zip: 'a zip archive',
  xls: 'an old Microsoft Office file, such as an Excel workbook',
  xz: 'xz data',
  bzip2: 'bzip2 data',
  parquet: 'Parquet',
  'parquet-encrypted': 'encrypted Parquet',
  'arrow-file': 'an Arrow IPC file',
  'arrow-stream': 'an Arrow IPC stream',
  'feather-v1': 'a Feather version 1 file',
};

export interface NameHint {
  /** By the extension, with `.gz`, `.zst` or `.br` taken off first; null: the name does not tell. */
  readonly format: SourceFormat | null;
  readonly compression: Compression | null;
}

export function formatFromName(name: string): NameHint {
  const lower = name.toLowerCase();
  const [suffix, compression] = Object.entries(COMPRESSIONS).find(([end]) => lower.endsWith(end)) ?? [
    '',
    null,
  ];
  const inner = lower.slice(0, lower.length - suffix.length);
  const extension = inner.slice(inner.lastIndexOf('.') + 1);
  const known = inner.includes('.') && Object.hasOwn(EXTENSIONS, extension);
  return { format: known ? (EXTENSIONS[extension] ?? null) : null, compression };
}

/** Words for a message: `found an Arrow IPC file`. */
export function describeMagic(magic: Magic): string {
  return NAMES[magic];
}

/**
 * Tells the format from the first bytes (at least MAGIC_BYTES where the source has them). A signature of
 * printable letters counts only with the bytes that follow it, so a CSV column named PAR1 is text.
 */
export function sniffMagic(head: Buffer): Magic {
  if (head.length === 0) return 'empty';
  if (startsWith(head, '1f8b')) return 'gzip';
  if (startsWith(head, '28b52ffd') || isSkippableZstd(head)) return 'zstd';
  if (startsWith(head, '504b0304')) return 'zip';
  if (startsWith(head, 'd0cf11e0a1b11ae1')) return 'xls';
  if (startsWith(head, 'fd377a585a00')) return 'xz';
  if (startsWith(head, '425a68') && head.length > 4 && startsWith(head.subarray(4), '314159')) return 'bzip2';
  if (startsWith(head, 'ffffffff')) return 'arrow-stream';
  if (startsWith(head, '4152524f5731')) return hasBinary(head, 6) ? 'arrow-file' : 'text';
  if (startsWith(head, '46454131')) return hasBinary(head, 4) ? 'feather-v1' : 'text';
  if (startsWith(head, '50415231')) return hasBinary(head, 4) ? 'parquet' : 'text';
  if (startsWith(head, '50415245')) return hasBinary(head, 4) ? 'parquet-encrypted' : 'text';
  return JSON_START.test(head.subarray(0, MAGIC_BYTES).latin1Slice()) ? 'json' : 'text';
}

/** A brace and then a quote: as CSV that would be a quote in the middle of a bare field, which is an error. */
const JSON_START = /^(?:\xef\xbb\xbf)?\s*\{\s*["}]/;

/** A frame that holds no data may come first. */
function isSkippableZstd(head: Buffer): boolean {
  return (head[0] ?? 0) >> 4 === 5 && startsWith(head.subarray(1), '2a4d18');
}

function startsWith(head: Buffer, hex: string): boolean {
  const magic = Buffer.from(hex, 'hex');
  return head.length >= magic.length && head.compare(magic, 0, magic.length, 0, magic.length) === 0;
}

/** A control byte other than tab and line ends, or the end: no text goes on like that. */
function hasBinary(head: Buffer, from: number): boolean {
  const next = head.subarray(from, MAGIC_BYTES);
  return next.length === 0 || next.some((byte) => byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13);
}

export function encryptedError(name: string): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_ENCRYPTED',
    `${name}: expected plain Parquet, found an encrypted file, which featurectl cannot decrypt; write it without encryption`,
  );
}
