import { FeaturectlError } from '../../src/core/errors.ts';
import type { ColumnBatch, Source } from '../../src/core/types.ts';
import { type OpenOptions, openSource } from '../../src/sources/index.ts';
import { checkSlots } from './slots.ts';

/** Cuts bytes into chunks; `size` may be a list that is used round and round. */
export async function* inChunks(
  bytes: Uint8Array,
  size: number | readonly number[],
): AsyncGenerator<Uint8Array> {
  const sizes = typeof size === 'number' ? [size] : size;
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = sizes[turn % sizes.length]!;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

export function openFile(path: string, options: OpenOptions = {}): Promise<Source> {
  return openSource({ kind: 'file', name: path, path }, options);
}

export function openBytes(
  bytes: Uint8Array | string,
  options: OpenOptions = {},
  size: number | readonly number[] = 1 << 20,
): Promise<Source> {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
  return openSource({ kind: 'stdin', name: '-', path: '' }, { ...options, stdin: inChunks(buffer, size) });
}

/** Column indexes that can be read: all but unnamed ones. */
export function named(source: Source): readonly number[] {
  return source.columns.flatMap((column, index) => (column.name === '' ? [] : [index]));
}

export interface ReadResult {
  readonly batches: readonly ColumnBatch[];
  readonly error: FeaturectlError | null;
}

/** Reads to the end or the error; any error but a FeaturectlError is thrown on. */
export async function readAll(
  source: Source,
  selected: readonly number[] = named(source),
): Promise<ReadResult> {
  const batches: ColumnBatch[] = [];
  try {
    for await (const batch of source.batches(selected)) {
      checkSlots(batch);
      batches.push(batch);
    }
  } catch (error) {
    if (!(error instanceof FeaturectlError)) throw error;
    return { batches, error };
  } finally {
    await source.close();
  }
  return { batches, error: null };
}

/** What went wrong, as a code; null where nothing did. */
export async function failureCode(open: Promise<Source>): Promise<string | null> {
  try {
    return (await readAll(await open)).error?.code ?? null;
  } catch (error) {
    if (error instanceof FeaturectlError) return error.code;
    throw error;
  }
}

/** Each row as `line: cells`, a quoted cell in double quotes, null as ∅; a faulty row ends in its code. */
export function rowsText(batches: readonly ColumnBatch[]): string[] {
  return batches.flatMap((batch) =>
    Array.from({ length: batch.rowCount }, (_, row) => {
      const cells = batch.record(row).map(({ text, quoted }) => (quoted ? `"${text}"` : (text ?? '∅')));
      const fault = batch.faults?.get(row);
      const suffix =
        fault === undefined ? '' : ` !${fault.code}${fault.column === null ? '' : ` ${fault.column}`}`;
      return `${batch.line(row)}: ${cells.join('|')}${suffix}`;
    }),
  );
}

/** Opens and reads: the column names, then each row, then the error as `code message`. */
export async function transcript(
  bytes: Uint8Array | string,
  options: OpenOptions = {},
  size: number | readonly number[] = 1 << 20,
): Promise<string[]> {
  const lines: string[] = [];
  try {
    const source = await openBytes(bytes, options, size);
    lines.push(source.columns.map((column) => column.name).join('|'));
    const { batches, error } = await readAll(source);
    lines.push(...rowsText(batches));
    if (error !== null) throw error;
  } catch (error) {
    if (!(error instanceof FeaturectlError)) throw error;
    lines.push(`${error.code} ${error.message}`);
  }
  return lines;
}
