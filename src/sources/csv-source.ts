import type { FeaturectlError } from '../core/errors.ts';
import type { ColumnBatch, ColumnInfo, Source, SourceInfo } from '../core/types.ts';
import type { ByteStream } from './bytes.ts';
import type { CsvOptions } from './csv-errors.ts';
import { decodeHeader, noHeader, refuseUnnamed, unnamedWarnings } from './csv-header.ts';
import { createParseReader } from './csv-parse-reader.ts';
import type { CsvHeader, CsvLayout, CsvReader, PullBatch } from './csv-reader.ts';
import { createScanReader } from './csv-scan-reader.ts';

export interface CsvInput {
  readonly info: SourceInfo;
  /** UTF-8 without a byte order mark. */
  readonly chunks: ByteStream;
  readonly reader: CsvReader;
  readonly batchRows: number;
  bytesRead(): number;
  close(): Promise<void>;
}

/** The scanner where the delimiter is one byte; csv-parse takes any. */
export function createCsvReader(options: CsvOptions): CsvReader {
  return Buffer.byteLength(options.delimiter) === 1 ? createScanReader(options) : createParseReader(options);
}

/** Reads the header. Throws CSV_HEADER where there is none or a name stands twice. */
export async function openCsv(input: CsvInput): Promise<Source> {
  const { info, chunks, reader, batchRows } = input;
  const header = await readHeader(chunks, reader);
  if (header === null) throw noHeader(info.name);
  const names = decodeHeader(info.name, header);
  const columns: ColumnInfo[] = names.map((name) => ({ name, type: 'text' }));
  return {
    info,
    columns,
    recordColumns: () => names,
    warnings: unnamedWarnings(names),
    bytesRead: () => input.bytesRead(),
    batches: (selected) => {
      refuseUnnamed(info.name, names, selected);
      return readBatches(chunks, reader, { names, selected, batchRows });
    },
    close: async () => {
      await chunks.return();
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
