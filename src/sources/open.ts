import { FeaturectlError } from '../core/errors.ts';
import type { Source, SourceFormat, SourceInfo } from '../core/types.ts';
import { type ByteStream, peek } from './bytes.ts';
import { openCsv } from './csv-source.ts';
import { plainTextStart, SNIFF, type TextEncoding, toUtf8 } from './encoding.ts';
import {
  type Compression,
  describeMagic,
  encryptedError,
  formatFromName,
  MAGIC_BYTES,
  type Magic,
  type NameHint,
  sniffMagic,
} from './format.ts';
import { gunzip } from './gzip.ts';
import { type InputOptions, openRaw, type RawInput } from './input.ts';
import type { MappedColumns } from './ndjson-source.ts';
import type { SourceLocation } from './source-location.ts';

export interface OpenOptions extends InputOptions {
  /** Default: by the extension, then by the content. */
  readonly format?: SourceFormat;
  /** Default: a byte order mark decides, else UTF-8. */
  readonly encoding?: TextEncoding;
  /**
   * Default `,` and for tsv a tab. One ASCII character is read by the scanner; several, or another one, by
   * csv-parse.
   */
  readonly delimiter?: string;
  /** What a schema asks for; a ndjson source lists its columns by it. */
  readonly mapped?: MappedColumns;
  /** Bytes of one CSV record or line of ndjson; default 1 MiB. */
  readonly maxRecordSize?: number;
  /** Rows of a batch at most; default 1024. */
  readonly batchRows?: number;
}

const DEFAULT_MAX_RECORD = 1024 * 1024;
const DEFAULT_BATCH_ROWS = 1024;

/**
 * Opens a source: finds its format, checks it against the content and reads the columns. Throws
 * SOURCE_MISSING, SOURCE_READ, SOURCE_FORMAT (both formats named), and what the format's reader throws.
 */
export async function openSource(location: SourceLocation, options: OpenOptions = {}): Promise<Source> {
  const raw = await openAny(location, options);
  try {
    return await openByContent(raw, options);
  } catch (error) {
    await raw.close();
    throw error;
  }
}

/** The present state of a remote source, without reading it. Throws as `openSource` does. */
export async function remoteState(
  location: SourceLocation,
  options: OpenOptions,
): Promise<Pick<SourceInfo, 'totalBytes' | 'version'>> {
  const { totalBytes, version = null, close } = await openAny(location, options);
  await close();
  return { totalBytes, version };
}

async function openAny(location: SourceLocation, options: OpenOptions): Promise<RawInput> {
  switch (location.kind) {
    case 'http':
      return (await import('./http-source.ts')).openHttp(location, options);
    case 's3':
      return (await import('./s3-source.ts')).openS3(location, options);
    default:
      return openRaw(location, options);
  }
}

interface Content {
  readonly magic: Magic;
  readonly compression: Compression | null;
  readonly chunks: ByteStream;
}

async function openByContent(raw: RawInput, options: OpenOptions): Promise<Source> {
  const hint =
    raw.hint ?? (raw.name === '-' ? { format: null, compression: null } : formatFromName(raw.name));
  const content = await readContent(raw, hint);
  const format = decideFormat(raw, options.format ?? hint.format, content);
  if (format === 'csv' || format === 'tsv') return openText(raw, format, content, options);
  if (format === 'ndjson') return openJson(raw, content, options);
  if (format === 'parquet') {
    const { openParquet } = await import('./parquet/open.ts');
    return openParquet(raw, content.chunks, options.batchRows ?? DEFAULT_BATCH_ROWS, options.signal);
  }
  const { openArrow } = await import('./arrow-source.ts');
  const kind = content.magic === 'arrow-file' ? 'file' : 'stream';
  return openArrow(raw, content.chunks, kind, options.batchRows ?? DEFAULT_BATCH_ROWS, options.signal);
}

/** Looks at the first bytes, through the compression where there is one. Brotli has no signature of its own. */
async function readContent(raw: RawInput, hint: NameHint): Promise<Content> {
  const outer = await peek(raw.chunks, MAGIC_BYTES);
  const magic = sniffMagic(outer.head);
  const found = magic === 'gzip' || magic === 'zstd' ? magic : null;
  const compression = hint.compression === 'brotli' ? 'brotli' : found;
  if (hint.compression !== null && hint.compression !== compression)
    throw mismatch(raw.name, `${hint.compression} data as its name says`, magic);
  if (compression === null) return { magic, compression, chunks: outer.chunks };
  const inner = await peek(await decompressed(compression, outer.chunks, raw.name), MAGIC_BYTES);
  return { magic: sniffMagic(inner.head), compression, chunks: inner.chunks };
}

async function decompressed(compression: Compression, chunks: ByteStream, name: string): Promise<ByteStream> {
  switch (compression) {
    case 'gzip':
      return gunzip(chunks, name);
    case 'zstd':
      return (await import('./zstd.ts')).unzstd(chunks, name);
    case 'brotli':
      return (await import('./brotli.ts')).unbrotli(chunks, name);
  }
}

function decideFormat(raw: RawInput, declared: SourceFormat | null, content: Content): SourceFormat {
  const { magic } = content;
  const found = formatOf(magic);
  if (magic === 'parquet-encrypted' && (declared ?? 'parquet') === 'parquet') throw encryptedError(raw.name);
  if (content.compression !== null && (found === 'parquet' || magic === 'arrow-file')) {
    throw new FeaturectlError(
      'SOURCE_FORMAT',
      `${raw.name}: expected ${describeMagic(magic)} as it is, found it inside ${content.compression}, where it cannot be read in parts; decompress it first`,
    );
  }
  if (declared === null)
    return found === 'text' ? undeclaredText(raw, magic) : (found ?? unreadable(raw.name, magic));
  if (magic === 'empty' && (declared === 'parquet' || declared === 'arrow'))
    throw emptyFile(raw.name, declared);
  const agrees = found === 'text' ? TEXT_FORMATS.includes(declared) : found === declared;
  if (!agrees) throw mismatch(raw.name, `${FORMAT_NAMES[declared]} as its name or --format says`, magic);
  return declared;
}

const TEXT_FORMATS: readonly SourceFormat[] = ['csv', 'tsv', 'ndjson'];

const FORMAT_NAMES: Readonly<Record<SourceFormat, string>> = {
  csv: 'CSV text',
  tsv: 'TSV text',
  ndjson: 'JSON of one object a line',
  parquet: 'Parquet (PAR1 at the start)',
  arrow: 'Arrow IPC',
};

function formatOf(magic: Magic): SourceFormat | 'text' | null {
  if (magic === 'text' || magic === 'empty') return 'text';
  if (magic === 'json') return 'ndjson';
  if (magic === 'parquet' || magic === 'parquet-encrypted') return 'parquet';
  return magic === 'arrow-file' || magic === 'arrow-stream' ? 'arrow' : null;
}

/** Text that comes through a pipe is CSV; a file has a name that ought to say so. */
function undeclaredText(raw: RawInput, magic: Magic): SourceFormat {
  if (raw.path === null && raw.hint === undefined) return 'csv';
  throw new FeaturectlError(
    'SOURCE_FORMAT',
    `${raw.name}: expected a name that ends in a known extension, found ${describeMagic(magic)} under a name that does not say its format; give --format csv, tsv or ndjson`,
  );
}

function unreadable(name: string, magic: Magic): never {
  throw mismatch(name, 'CSV, ndjson, Parquet or Arrow, plain or in gzip or zstd', magic);
}

function mismatch(name: string, expected: string, magic: Magic): FeaturectlError {
  const isWorkbook = magic === 'xls' || (magic === 'zip' && /\.(?:xls[xmb]?|ods)$/i.test(name));
  const found =
    isWorkbook && magic === 'zip'
      ? 'a spreadsheet (an Excel or OpenDocument workbook)'
      : describeMagic(magic);
  return new FeaturectlError(
    'SOURCE_FORMAT',
    `${name}: expected ${expected}, found ${found}; ${isWorkbook ? 'save the sheet as CSV first' : remedyFor(magic)}`,
  );
}

function remedyFor(magic: Magic): string {
  if (magic === 'zip') return 'unzip it first (an Excel workbook is one too: save its sheet as CSV)';
  return magic === 'xz' || magic === 'bzip2' ? 'decompress it first' : 'rename it or give the right --format';
}

function emptyFile(name: string, format: SourceFormat): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_TRUNCATED',
    `${name}: expected ${FORMAT_NAMES[format]}, found an empty file; write it again`,
  );
}

async function openText(
  raw: RawInput,
  format: 'csv' | 'tsv',
  content: Content,
  options: OpenOptions,
): Promise<Source> {
  const delimiter = options.delimiter ?? (format === 'tsv' ? '\t' : ',');
  refuseDelimiter(delimiter);
  const text = await textOf(raw, content, options);
  return openCsv({
    info: { name: raw.name, format, totalBytes: raw.totalBytes, version: raw.version ?? null },
    ...text,
    options: {
      name: raw.name,
      delimiter,
      maxRecordSize: options.maxRecordSize ?? DEFAULT_MAX_RECORD,
    },
    assertSame: raw.assertSame,
    batchRows: options.batchRows ?? DEFAULT_BATCH_ROWS,
    bytesRead: () => raw.counter.bytes,
    close: raw.close,
  });
}

async function openJson(raw: RawInput, content: Content, options: OpenOptions): Promise<Source> {
  const { openNdjson } = await import('./ndjson-source.ts');
  return openNdjson({
    info: { name: raw.name, format: 'ndjson', totalBytes: raw.totalBytes, version: raw.version ?? null },
    ...(await textOf(raw, content, options)),
    mapped: options.mapped,
    maxRecordSize: options.maxRecordSize ?? DEFAULT_MAX_RECORD,
    assertSame: raw.assertSame,
    batchRows: options.batchRows ?? DEFAULT_BATCH_ROWS,
    bytesRead: () => raw.counter.bytes,
    close: raw.close,
  });
}

/** The text in UTF-8, and where it can be had from any byte on, that too. */
async function textOf(
  raw: RawInput,
  content: Content,
  { encoding }: OpenOptions,
): Promise<{ chunks: ByteStream; textFrom: ((byte: number) => ByteStream) | null }> {
  const { head, chunks } = await peek(content.chunks, SNIFF);
  const start = content.compression !== null ? null : plainTextStart(head, encoding);
  const { readFrom } = raw;
  return {
    chunks: toUtf8(chunks, raw.name, encoding),
    textFrom: readFrom === null || start === null ? null : (byte) => readFrom(start + byte),
  };
}

function refuseDelimiter(delimiter: string): void {
  if (delimiter !== '' && !/["\r\n\p{Surrogate}]/u.test(delimiter)) return;
  throw new FeaturectlError(
    'USAGE',
    `--delimiter: expected one or more characters other than a quote or line end, found ${JSON.stringify(delimiter)}`,
  );
}
