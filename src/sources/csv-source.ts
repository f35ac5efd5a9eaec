import { isUtf8 } from 'node:buffer';
import { FeaturectlError } from '../core/errors.ts';
import type {
  ByteString,
  Column,
  ColumnBatch,
  ColumnInfo,
  RawCell,
  RowFault,
  Source,
  SourceInfo,
} from '../core/types.ts';
import type { ByteStream } from './bytes.ts';
import { type CsvOptions, type CsvRecord, createRecordReader, type RecordReader } from './csv-records.ts';

/** Text of one batch; with long cells a batch has fewer rows than asked for. */
const BATCH_BYTES = 1024 * 1024;

export interface CsvInput {
  readonly info: SourceInfo;
  /** UTF-8 without a byte order mark. */
  readonly chunks: ByteStream;
  readonly options: CsvOptions;
  readonly batchRows: number;
  bytesRead(): number;
  close(): Promise<void>;
}

/** Reads the header. Throws CSV_HEADER where there is none or a name stands twice. */
export async function openCsv(input: CsvInput): Promise<Source> {
  const feed = recordFeed(input.chunks, createRecordReader(input.options));
  const first = (await nextStep(feed))?.records ?? [];
  const header = first[0];
  if (header === undefined) throw noHeader(input.info.name);
  const names = decodeHeader(input.info.name, header);
  const columns: ColumnInfo[] = names.map((name) => ({ name, type: 'text' }));
  return {
    info: input.info,
    columns,
    recordColumns: () => names,
    warnings: unnamedWarnings(names),
    bytesRead: () => input.bytesRead(),
    batches: (selected) => {
      refuseUnnamed(input.info.name, names, selected);
      return readBatches(input, names, selected, first.slice(1), feed);
    },
    close: async () => {
      await feed.return();
      await input.close();
    },
  };
}

interface FeedStep {
  readonly records: readonly CsvRecord[];
  /** Bytes of text read for this step. */
  readonly bytes: number;
}

type RecordFeed = AsyncGenerator<FeedStep, void, undefined>;

/** Records as the chunks complete them; throws the reader's error after the records before it. */
async function* recordFeed(chunks: ByteStream, read: RecordReader): RecordFeed {
  for await (const chunk of chunks) {
    const { records, error } = read(chunk);
    if (records.length > 0) yield { records, bytes: chunk.length };
    if (error !== null) throw error;
  }
  const { records, error } = read(null);
  if (records.length > 0) yield { records, bytes: 0 };
  if (error !== null) throw error;
}

async function nextStep(feed: RecordFeed): Promise<FeedStep | null> {
  const step = await feed.next();
  return step.done ? null : step.value;
}

async function* readBatches(
  input: CsvInput,
  names: readonly string[],
  selected: readonly number[],
  first: readonly CsvRecord[],
  feed: RecordFeed,
): AsyncGenerator<ColumnBatch, void, undefined> {
  let waiting: CsvRecord[] = [...first];
  let waitingBytes = 0;
  let firstRow = 1;
  const take = (count: number): ColumnBatch => {
    const batch = makeBatch(waiting.slice(0, count), firstRow, names, selected);
    waiting = waiting.slice(count);
    firstRow += count;
    waitingBytes = 0;
    return batch;
  };
  let failure: unknown = null;
  for (let ended = false; !ended; ) {
    try {
      const step = await nextStep(feed);
      ended = step === null;
      for (const record of step?.records ?? []) waiting.push(record);
      waitingBytes += step?.bytes ?? 0;
    } catch (error) {
      failure = error;
      ended = true;
    }
    while (waiting.length >= input.batchRows) yield take(input.batchRows);
    if (waiting.length > 0 && (ended || waitingBytes >= BATCH_BYTES)) yield take(waiting.length);
  }
  if (failure !== null) throw failure;
}

function makeBatch(
  records: readonly CsvRecord[],
  firstRow: number,
  names: readonly string[],
  selected: readonly number[],
): ColumnBatch {
  return {
    rowCount: records.length,
    firstRow,
    columns: selected.map((index) => textColumn(records, index)),
    faults: findFaults(records, names, selected),
    line: (row) => records[row]!.line,
    record: (row) => rawRecord(records[row]!),
  };
}

function textColumn(records: readonly CsvRecord[], index: number): Column {
  const cells = new Array<ByteString>(records.length);
  let quoted: Uint8Array | null = null;
  for (let row = 0; row < records.length; row++) {
    const record = records[row]!;
    cells[row] = record.cells[index] ?? '';
    if (record.quoted?.[index] === 1) {
      quoted ??= new Uint8Array(records.length);
      quoted[row] = 1;
    }
  }
  return { kind: 'text', cells, quoted };
}

function rawRecord(record: CsvRecord): readonly RawCell[] {
  return record.cells.map((text, index) => ({ text, quoted: record.quoted?.[index] === 1 }));
}

function findFaults(
  records: readonly CsvRecord[],
  names: readonly string[],
  selected: readonly number[],
): ReadonlyMap<number, RowFault> | null {
  let faults: Map<number, RowFault> | null = null;
  for (let row = 0; row < records.length; row++) {
    const record = records[row]!;
    const wrongCount = record.cells.length !== names.length;
    if (!wrongCount && !record.suspect) continue;
    const fault = wrongCount ? countFault(record, names.length) : encodingFault(record, names, selected);
    if (fault === null) continue;
    faults ??= new Map();
    faults.set(row, fault);
  }
  return faults;
}

function countFault(record: CsvRecord, expected: number): RowFault {
  const reason = `expected ${fieldCount(expected)} as in the header, found ${record.cells.length}`;
  return { code: 'FIELD_COUNT', column: null, reason };
}

function fieldCount(count: number): string {
  return count === 1 ? '1 field' : `${count} fields`;
}

function encodingFault(
  record: CsvRecord,
  names: readonly string[],
  selected: readonly number[],
): RowFault | null {
  for (const index of selected) {
    const bytes = Buffer.from(record.cells[index]!, 'latin1');
    if (isUtf8(bytes)) continue;
    const reason = `invalid UTF-8: expected UTF-8, found bytes ${bytes.subarray(0, 16).toString('hex')}; convert the file or give --encoding latin1`;
    return { code: 'INVALID_UTF8', column: names[index]!, reason };
  }
  return null;
}

function decodeHeader(source: string, header: CsvRecord): readonly string[] {
  const names = header.cells.map((cell) => {
    const bytes = Buffer.from(cell, 'latin1');
    if (isUtf8(bytes)) return bytes.toString('utf8');
    throw new FeaturectlError(
      'SOURCE_ENCODING',
      `${source}, line ${header.line}: expected column names in UTF-8, found bytes ${bytes.subarray(0, 16).toString('hex')}; convert the file or give --encoding`,
    );
  });
  refuseDuplicates(source, header.line, names);
  return names;
}

function refuseDuplicates(source: string, line: number, names: readonly string[]): void {
  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const before = seen.get(name);
    if (before !== undefined && name !== '') {
      throw new FeaturectlError(
        'CSV_HEADER',
        `${source}, line ${line}: duplicate column ${JSON.stringify(name)}: expected each name once, found it as column ${before + 1} and ${index + 1}; rename one`,
      );
    }
    seen.set(name, index);
  }
}

function noHeader(source: string): FeaturectlError {
  return new FeaturectlError(
    'CSV_HEADER',
    `${source}: no header: expected a first line of column names, found no text; write a header line`,
  );
}

function unnamedWarnings(names: readonly string[]): readonly string[] {
  return names.flatMap((name, index) =>
    name === '' ? [`column ${index + 1} has no name in the header and is not read`] : [],
  );
}

function refuseUnnamed(source: string, names: readonly string[], selected: readonly number[]): void {
  const index = selected.find((column) => names[column] === '');
  if (index === undefined) return;
  throw new FeaturectlError(
    'CSV_HEADER',
    `${source}: column ${index + 1} is to be read but has no name in the header; name it or map another column`,
  );
}
