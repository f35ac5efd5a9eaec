import { isUtf8 } from 'node:buffer';
import { FeaturectlError } from '../core/errors.ts';
import type {
  ByteString,
  ColumnBatch,
  Source,
  SourceInfo,
  SourcePosition,
  SourceRange,
} from '../core/types.ts';
import { type ByteStream, peek, skipped, upTo } from './bytes.ts';
import { skipBlank } from './json-skip.ts';
import { addLine, createNdjsonBatch, finishNdjsonBatch } from './ndjson-batch.ts';
import { createRecordScanner } from './ndjson-record.ts';

/** Text whose keys become the columns; more where a line may be longer. */
export const HEAD_BYTES = 1024 * 1024;

/** Text of one batch; with long lines a batch has fewer rows than asked for. */
const BATCH_BYTES = 1024 * 1024;

/** What a schema asks of a source that does not list its columns. */
export interface MappedColumns {
  readonly names: readonly string[];
  /** Of these, the ones that must be in the source. */
  readonly required: readonly string[];
}

export interface NdjsonInput {
  readonly info: SourceInfo;
  /** UTF-8 without a byte order mark. */
  readonly chunks: ByteStream;
  /** The same text from this byte on; null: it can only be read from its start. */
  readonly textFrom: ((byte: number) => ByteStream) | null;
  /** Undefined: every key is a column, and one that the head does not have is a fault of its row. */
  readonly mapped: MappedColumns | undefined;
  readonly maxRecordSize: number;
  readonly batchRows: number;
  /** Throws SOURCE_CHANGED where the file is no longer what it was; what reads to the end finds it by itself. */
  assertSame(): Promise<void>;
  bytesRead(): number;
  close(): Promise<void>;
}

/**
 * Opens JSON of one object a line. The columns are the keys of the first HEAD_BYTES, in order of appearance, and
 * the mapped ones that need not be there. Throws SOURCE_FORMAT where none of these lines is an object. A line
 * above `maxRecordSize` is RECORD_SIZE, after all rows before it.
 */
export async function openNdjson(input: NdjsonInput): Promise<Source> {
  const { lines, chunks } = await peekLines(input);
  const names = columnNames(input, lines);
  return {
    info: input.info,
    columns: names.map((name) => ({ name, type: 'text' })),
    recordColumns: (selected) => selected.map((index) => names[index] ?? ''),
    warnings: [],
    bytesRead: input.bytesRead,
    batches: (selected, range = WHOLE) => readRange({ ...input, chunks }, names, selected, range),
    close: async () => {
      await chunks.return();
      await input.close();
    },
  };
}

/** The whole lines of the first HEAD_BYTES, or the first line where it is longer. Holds these at most twice. */
async function peekLines(input: NdjsonInput): Promise<{ lines: Buffer; chunks: ByteStream }> {
  let size = HEAD_BYTES;
  let { head, chunks } = await peek(input.chunks, size);
  while (head.length >= size && size <= input.maxRecordSize && !head.includes(0x0a)) {
    size *= 2;
    ({ head, chunks } = await peek(chunks, size));
  }
  if (head.length < HEAD_BYTES) return { lines: head, chunks };
  const end = head.lastIndexOf(0x0a, HEAD_BYTES - 1) + 1 || head.indexOf(0x0a) + 1;
  return { lines: head.subarray(0, end || (head.length < size ? head.length : 0)), chunks };
}

function columnNames(input: NdjsonInput, lines: Buffer): readonly string[] {
  const { names = [], required = [] } = input.mapped ?? {};
  const found = headKeys(input.info.name, lines);
  if (found === null) return names;
  const optional = names.filter((name) => !required.includes(name));
  return [...new Set([...found, ...optional])];
}

/** The keys of those of these lines that are objects; null: there is no line but blank ones. */
function headKeys(name: string, lines: Buffer): readonly string[] | null {
  const text = lines.latin1Slice();
  const scanner = createRecordScanner([], false);
  const keys = new Set<ByteString>();
  let isBlank = true;
  let objects = 0;
  for (let at = 0; at < text.length; at = lineEnd(text, at) + 1) {
    if (skipBlank(text, at) >= lineEnd(text, at)) continue;
    isBlank = false;
    if (scanner.scan(text, at) !== null) continue;
    objects++;
    for (const key of scanner.keys()) keys.add(key);
  }
  if (isBlank) return null;
  if (objects === 0) throw noObjects(name, text);
  const bytes = [...keys].map((key) => Buffer.from(key, 'latin1'));
  return bytes.filter((key) => isUtf8(key)).map((key) => key.toString('utf8'));
}

function lineEnd(text: ByteString, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function noObjects(name: string, text: ByteString): FeaturectlError {
  const isList = text.charCodeAt(skipBlank(text, 0)) === 0x5b;
  const found = isList
    ? 'a JSON array; make lines of its items: jq -c ".[]"'
    : 'no line that is one; if objects go over several lines, join them: jq -c .';
  return new FeaturectlError('SOURCE_FORMAT', `${name}: expected a JSON object in each line, found ${found}`);
}

const WHOLE: SourceRange = { from: null, to: null };

async function* readRange(
  input: NdjsonInput,
  names: readonly string[],
  selected: readonly number[],
  { from, to }: SourceRange,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const start = from?.byte ?? 0;
  const text = from === null ? input.chunks : (input.textFrom?.(start) ?? skipped(input.chunks, start));
  const part = to === null ? text : upTo(text, to.byte - start);
  yield* readBatches({ ...input, chunks: part }, names, selected, from ?? { row: 0, line: 1, byte: 0 });
  if (to !== null) await input.assertSame();
}

async function* readBatches(
  input: NdjsonInput,
  names: readonly string[],
  selected: readonly number[],
  place: SourcePosition,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const keys = names.map((name) => Buffer.from(name, 'utf8').latin1Slice());
  const scanner = createRecordScanner(keys, input.mapped === undefined);
  const start = (firstRow: number) => createNdjsonBatch(names, selected, input.batchRows, firstRow);
  let batch = start(place.row + 1);
  let { line, byte: base } = place;
  for await (const block of endOrError(wholeLines(input, line))) {
    if (block instanceof Error) {
      if (batch.rows > 0) yield finishNdjsonBatch(batch);
      throw block;
    }
    const text = block.latin1Slice();
    const isClean = isUtf8(block);
    for (let at = 0; at < text.length; line++) {
      const end = lineEnd(text, at);
      if (skipBlank(text, at) < end)
        addLine(batch, scanner, { text, start: at, end, line, base, isUtf8: isClean });
      at = end + 1;
      if (batch.rows < batch.capacity && batch.bytes < BATCH_BYTES) continue;
      yield finishNdjsonBatch(batch);
      batch = start(batch.firstRow + batch.rows);
    }
    base += block.length;
  }
  if (batch.rows > 0) yield finishNdjsonBatch(batch);
}

/** The stream, with what it throws as its last item, so that the rows before it can be given out first. */
async function* endOrError(blocks: ByteStream): AsyncGenerator<Buffer | Error, void, undefined> {
  try {
    yield* blocks;
  } catch (error) {
    yield error instanceof Error ? error : new Error(String(error));
  }
}

/** Blocks of whole lines, the last one perhaps without its end. Holds at most one line and one chunk. */
async function* wholeLines({ info, chunks, maxRecordSize }: NdjsonInput, firstLine: number): ByteStream {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let line = firstLine;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(0x0a) + 1;
    if (end === 0) {
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes > maxRecordSize) throw tooLong(info.name, line, maxRecordSize);
      continue;
    }
    const block =
      held.length === 0 ? chunk.subarray(0, end) : Buffer.concat([...held, chunk.subarray(0, end)]);
    const long = findLong(block, line, maxRecordSize);
    if (long.at > 0) yield block.subarray(0, long.at);
    if (long.at < block.length) throw tooLong(info.name, long.line, maxRecordSize);
    line = long.line;
    held = end < chunk.length ? [chunk.subarray(end)] : [];
    heldBytes = chunk.length - end;
    if (heldBytes > maxRecordSize) throw tooLong(info.name, line, maxRecordSize);
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}

/** Where the first line above the limit begins, and its number; the end and the next number where none is. */
function findLong(block: Buffer, firstLine: number, limit: number): { at: number; line: number } {
  let line = firstLine;
  for (let at = 0; at < block.length; line++) {
    const next = block.indexOf(0x0a, at) + 1;
    if (next - at > limit) return { at, line };
    at = next;
  }
  return { at: block.length, line };
}

function tooLong(name: string, line: number, limit: number): FeaturectlError {
  return new FeaturectlError(
    'RECORD_SIZE',
    `${name}, line ${line}: expected lines of at most ${limit} bytes, found a longer one; end it or raise --max-record-size`,
  );
}
