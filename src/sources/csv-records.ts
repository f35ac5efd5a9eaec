import { isUtf8 } from 'node:buffer';
import { Parser } from 'csv-parse';
import { FeaturectlError } from '../core/errors.ts';
import type { ByteString, SourcePosition } from '../core/types.ts';
import { type CsvOptions, quoteError, sizeError } from './csv-errors.ts';
import { findQuoteFault } from './csv-quotes.ts';

/** One record of CSV. */
export interface CsvRecord {
  readonly cells: readonly ByteString[];
  /** 1 where the cell stood in quotes; null when none did. */
  readonly quoted: Uint8Array | null;
  /** Physical line (from 1) that it starts on; CR LF, LF and CR each end a line, also inside quotes. */
  readonly line: number;
  /** Bytes of the text before it, and up to the end of its line end. */
  readonly start: number;
  readonly end: number;
  /** The line after it. */
  readonly nextLine: number;
  /** True: somewhere near the record is a byte that is not UTF-8; the cells must be looked at. */
  readonly suspect: boolean;
}

/**
 * A synchronous reader of records: bytes in, records out, no matter how the bytes are cut. Returns the
 * records that the bytes completed and the error that ends the reading, if there is one; the records come
 * before it. `null` says that there are no more bytes.
 */
export type RecordReader = (bytes: Buffer | null) => RecordStep;

export interface RecordStep {
  readonly records: readonly CsvRecord[];
  readonly error: FeaturectlError | null;
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** A quote, an escape and a line end of two. */
const LOOK_AHEAD = 4;

/**
 * Reads with csv-parse: strict quotes, records of any length, empty lines left out. The fields come from
 * csv-parse; what it does not tell cheaply (line, quotes, size in bytes) is read off the same bytes, and
 * only where a quote stands in them.
 */
export function createRecordReader(options: CsvOptions, from: SourcePosition | null): RecordReader {
  const parser = createParser(options);
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  /** Offset in what was read of the first pending byte, and the line it is on. */
  let base = 0;
  let line = from?.line ?? 1;

  function keep(rest: Buffer): void {
    pending = rest.length > 0 ? [rest] : [];
    pendingBytes = rest.length;
  }

  return (bytes) => {
    const { fields, ends, failure } = parser(bytes);
    if (bytes !== null) {
      pending.push(bytes);
      pendingBytes += bytes.length;
    }
    if (ends.length === 0 && failure === null && pendingBytes <= holdAtMost(options)) {
      return { records: [], error: null };
    }
    const region = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
    const walk = walkRecords(region, base, line, fields, ends, options, from?.byte ?? 0);
    line = walk.line;
    base += walk.consumed;
    const rest = region.subarray(walk.consumed);
    keep(rest);
    const error = walk.fault ?? failureOf(failure, rest, line, options);
    return { records: walk.records, error };
  };
}

/**
 * Bytes that may wait for the end of their record. csv-parse looks some bytes ahead before it gives a
 * record out: those behind a whole record do not make it too long.
 */
function holdAtMost(options: CsvOptions): number {
  return options.maxRecordSize + LOOK_AHEAD + Buffer.byteLength(options.delimiter);
}

interface Parsed {
  readonly fields: readonly (readonly ByteString[])[];
  /** Offset in the source after each record's line end. */
  readonly ends: readonly number[];
  readonly failure: Error | null;
}

/**
 * csv-parse as a synchronous core. Its stream would push one object a record; `_transform` and `_flush`,
 * the two hooks of node's Transform, do the same work without the queue. `bom` stays off: csv-parse
 * switches to UTF-8 decoding when it finds one, and these cells must stay bytes (toUtf8 took it away).
 */
function createParser(options: CsvOptions): (bytes: Buffer | null) => Parsed {
  const parser = new Parser({
    bom: false,
    encoding: 'latin1',
    delimiter: Buffer.from(options.delimiter, 'utf8'),
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: options.maxRecordSize,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  let fields: ByteString[][] = [];
  let ends: number[] = [];
  parser.push = (record: ByteString[] | null) => {
    if (record === null) return false;
    fields.push(record);
    ends.push(parser.info.bytes);
    return true;
  };
  return (bytes) => {
    fields = [];
    ends = [];
    let failure: Error | null = null;
    const done = (error?: Error | null): void => {
      failure = error ?? null;
    };
    if (bytes === null) parser._flush(done);
    else parser._transform(bytes, 'buffer' as BufferEncoding, done);
    return { fields, ends, failure };
  };
}

interface Walk {
  readonly records: readonly CsvRecord[];
  readonly consumed: number;
  readonly line: number;
  readonly fault: FeaturectlError | null;
}

/** Finds each record's place and quotes in the bytes it was read from; `skipped` bytes stand before those. Stops at a record that is too long. */
function walkRecords(
  region: Buffer,
  base: number,
  firstLine: number,
  fields: Parsed['fields'],
  ends: readonly number[],
  options: CsvOptions,
  skipped: number,
): Walk {
  const total = ends.length > 0 ? ends[ends.length - 1]! - base : 0;
  const complete = region.subarray(0, total);
  const suspect = !isUtf8(complete);
  const hasQuote = complete.includes(QUOTE);
  const separator = Buffer.byteLength(options.delimiter);
  const records: CsvRecord[] = [];
  let at = 0;
  let line = firstLine;
  for (let index = 0; index < fields.length; index++) {
    const end = ends[index]! - base;
    const blank = skipBlank(region, at, end);
    line += blank.lines;
    if (end - blank.at > options.maxRecordSize) {
      return { records, consumed: at, line, fault: sizeError(options, line) };
    }
    const cells = fields[index]!;
    const quoted = hasQuote ? quotedFlags(region, blank.at, cells, separator) : null;
    if (quoted === 'mismatch') {
      const fault = findQuoteFault(region.subarray(blank.at), options.delimiter);
      return { records, consumed: at, line, fault: quoteError(options, line, fault) };
    }
    const nextLine = line + 1 + (quoted === null ? 0 : innerLines(cells, quoted));
    const start = skipped + base + blank.at;
    records.push({ cells, quoted, line, start, end: skipped + ends[index]!, nextLine, suspect });
    line = nextLine;
    at = end;
  }
  return leadingBlank(region, at, line, records);
}

/** Takes empty lines that stand before the next record off, so that they do not count as its bytes. */
function leadingBlank(region: Buffer, at: number, line: number, records: CsvRecord[]): Walk {
  // The last CR is left: the LF that makes one line end of the two may be the next byte to come.
  const end = region[region.length - 1] === CR ? region.length - 1 : region.length;
  const blank = at < end ? skipBlank(region, at, end) : { at, lines: 0 };
  return { records, consumed: blank.at, line: line + blank.lines, fault: null };
}

function skipBlank(region: Buffer, from: number, end: number): { at: number; lines: number } {
  let at = from;
  let lines = 0;
  while (at < end) {
    const byte = region[at];
    if (byte !== LF && byte !== CR) break;
    at += byte === CR && region[at + 1] === LF ? 2 : 1;
    lines++;
  }
  return { at, lines };
}

/**
 * The flags of a record that starts at `start`. `mismatch`: the bytes do not spell these cells, which
 * happens where csv-parse takes a NUL after a closing quote for the end of the data.
 */
function quotedFlags(
  region: Buffer,
  start: number,
  cells: readonly string[],
  separator: number,
): Uint8Array | null | 'mismatch' {
  let flags: Uint8Array | null = null;
  let at = start;
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index]!;
    if (region[at] === QUOTE) {
      flags ??= new Uint8Array(cells.length);
      flags[index] = 1;
      at += cell.length + 2 + countQuotes(cell);
      if (region[at - 1] !== QUOTE) return 'mismatch';
    } else {
      at += cell.length;
    }
    at += separator;
  }
  return flags;
}

function countQuotes(cell: string): number {
  let count = 0;
  for (let at = cell.indexOf('"'); at !== -1; at = cell.indexOf('"', at + 1)) count++;
  return count;
}

function innerLines(cells: readonly string[], quoted: Uint8Array): number {
  let lines = 0;
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index]!;
    if (quoted[index] === 1 && (cell.includes('\n') || cell.includes('\r'))) {
      lines += cell.match(/\r\n|\n|\r/g)?.length ?? 0;
    }
  }
  return lines;
}

/** The error for what is left of a source: csv-parse's own, or a record that has grown too long. */
function failureOf(
  failure: Error | null,
  rest: Buffer,
  line: number,
  options: CsvOptions,
): FeaturectlError | null {
  const blank = skipBlank(rest, 0, rest.length);
  const start = line + blank.lines;
  if (failure === null) return rest.length > holdAtMost(options) ? sizeError(options, start) : null;
  const code = (failure as Error & { code?: string }).code;
  if (code === 'CSV_MAX_RECORD_SIZE') return sizeError(options, start);
  const fault = findQuoteFault(rest.subarray(blank.at), options.delimiter);
  if (fault !== null) return quoteError(options, start, fault);
  return new FeaturectlError('INTERNAL', `${options.name}, line ${start}: ${failure.message}`, {
    cause: failure,
  });
}
