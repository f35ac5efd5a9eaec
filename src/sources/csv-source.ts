import type { FeaturectlError } from '../core/errors.ts';
import type {
  ColumnBatch,
  ColumnInfo,
  Source,
  SourceInfo,
  SourcePosition,
  SourceRange,
} from '../core/types.ts';
import { type ByteStream, skipped, upTo } from './bytes.ts';
import type { CsvOptions } from './csv-errors.ts';
import { decodeHeader, noHeader, refuseUnnamed, unnamedWarnings } from './csv-header.ts';
import type { CsvHeader, CsvLayout, CsvReader, PullBatch } from './csv-reader.ts';
import { createScanReader } from './csv-scan-reader.ts';

export interface CsvInput {
  readonly info: SourceInfo;
  /** UTF-8 without a byte order mark. */
  readonly chunks: ByteStream;
  /** The same text from this byte on; null: it can only be read from its start. */
  readonly textFrom: ((byte: number) => ByteStream) | null;
  readonly options: CsvOptions;
  readonly batchRows: number;
  /** Throws SOURCE_CHANGED where the file is no longer what it was; what reads to the end finds it by itself. */
  assertSame(): Promise<void>;
  bytesRead(): number;
  close(): Promise<void>;
}

/** The scanner where the delimiter is one byte; csv-parse, loaded when needed, takes any. */
async function createCsvReader(options: CsvOptions, start: SourcePosition | null): Promise<CsvReader> {
  if (Buffer.byteLength(options.delimiter) === 1) return createScanReader(options, start);
  return (await import('./csv-parse-reader.ts')).createParseReader(options, start);
}

/** Reads the header. Throws CSV_HEADER where there is none or a name stands twice. */
export async function openCsv(input: CsvInput): Promise<Source> {
  const { info, batchRows } = input;
  const chunks = remembering(input.chunks);
  const reader = await createCsvReader(input.options, null);
  const header = await readHeader(chunks.stream, reader);
  if (header === null) throw noHeader(info.name);
  const names = decodeHeader(info.name, header);
  const columns: ColumnInfo[] = names.map((name) => ({ name, type: 'text' }));
  return {
    info,
    columns,
    isSeekable: input.textFrom !== null,
    recordColumns: () => names,
    warnings: unnamedWarnings(names),
    bytesRead: () => input.bytesRead(),
    batches: (selected, range) => {
      refuseUnnamed(info.name, names, selected);
      const layout = { names, selected, batchRows };
      const seen = chunks.forget();
      if (range) return readRange(input, seen, layout, range);
      return readBatches(input.chunks, reader, layout);
    },
    close: async () => {
      await input.chunks.return();
      await input.close();
    },
  };
}

async function readHeader(chunks: ByteStream, reader: CsvReader): Promise<CsvHeader | null> {
  for (let ended = false; ; ) {
    const header = reader.header();
    if (header instanceof Error) throw header;
    if (header !== null || ended) return header;
    ended = await pushNext(chunks, reader);
  }
}

/** Gives the reader the next chunk or the end; true: it was the end. */
async function pushNext(chunks: ByteStream, reader: CsvReader): Promise<boolean> {
  const step = await chunks.next();
  reader.push(step.done ? null : step.value);
  return step.done === true;
}

async function* readBatches(
  chunks: ByteStream,
  reader: CsvReader,
  layout: CsvLayout,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const pull = reader.rows(layout);
  let failure: { readonly error: unknown } | null = null;
  for (let ended = false; !ended; ) {
    yield* pulled(pull, false);
    try {
      ended = await pushNext(chunks, reader);
    } catch (error) {
      failure = { error };
      ended = true;
    }
  }
  yield* pulled(pull, true);
  if (failure !== null) throw failure.error;
}

function* pulled(pull: PullBatch, flush: boolean): Generator<ColumnBatch, void, undefined> {
  for (let step = pull(flush); step !== null; step = pull(flush)) {
    if (isBatch(step)) yield step;
    else throw step;
  }
}

function isBatch(step: ColumnBatch | FeaturectlError): step is ColumnBatch {
  return !(step instanceof Error);
}

/** What the header was read from, which may hold rows of a range. */
interface Remembering {
  readonly stream: ByteStream;
  /** The chunks given out so far. Later ones are not kept. */
  forget(): readonly Buffer[];
}

/** Keeps a header and one chunk at most: reading stops at the first record. */
function remembering(chunks: ByteStream): Remembering {
  let seen: Buffer[] = [];
  async function* stream(): ByteStream {
    for (;;) {
      const step = await chunks.next();
      if (step.done) return;
      seen.push(step.value);
      yield step.value;
    }
  }
  return {
    stream: stream(),
    forget: () => {
      const kept = seen;
      seen = [];
      return kept;
    },
  };
}

async function* readRange(
  input: CsvInput,
  seen: readonly Buffer[],
  layout: CsvLayout,
  { from, to }: SourceRange,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const start = from?.byte ?? 0;
  const text = input.textFrom?.(start) ?? skipped(after(seen, input.chunks), start);
  const part = to === null ? text : upTo(text, to.byte - start);
  const reader = await createCsvReader(input.options, from);
  if (from === null) await readHeader(part, reader);
  yield* readBatches(part, reader, layout);
  if (to !== null) await input.assertSame();
}

async function* after(seen: readonly Buffer[], rest: ByteStream): ByteStream {
  yield* seen;
  yield* rest;
}
