/** Opens Parquet files, and chooses who decodes them. What only parquet-wasm needs is loaded while its thread starts. */
import { type FileHandle, open } from 'node:fs/promises';
import { FeaturectlError } from '../../core/errors.ts';
import type { Source } from '../../core/types.ts';
import { assertUnchanged, type ByteStream, type FileState, readError } from '../bytes.ts';
import { encryptedError } from '../format.ts';
import type { RawInput } from '../input.ts';
import { spoolToFile } from '../spool.ts';
import { typedColumns } from '../typed-columns.ts';
import { decodeError } from './errors.ts';
import { isWhole, type ParquetFooter, readFooter } from './footer.ts';
import type { LeafColumn } from './leaf-columns.ts';
import { withIntactPages } from './page-checks.ts';
import { decodableChunks, pageRows } from './page-rows.ts';
import { type OpenParquet, parquetSource } from './source.ts';
import { loadWasmEngine } from './wasm-engine.ts';
import { type ParquetThread, startParquetThread } from './wasm-thread.ts';

/** The length of the footer and PAR1. */
const TAIL_BYTES = 8;

/**
 * Opens a Parquet file; a pipe is first written to a private temporary file, as the footer is at the end.
 * Throws SOURCE_TRUNCATED where the end is missing, SOURCE_ENCRYPTED, and SOURCE_CORRUPT for the rest.
 */
export async function openParquet(
  raw: RawInput,
  chunks: ByteStream,
  batchRows: number,
  signal: AbortSignal | undefined,
): Promise<Source> {
  const spool = raw.path === null ? await spoolToFile(chunks, raw.name) : null;
  const path = spool?.path ?? raw.path!;
  const wasm = createWasm(path, signal);
  let handle: FileHandle | null = null;
  const close = async (): Promise<void> => {
    await wasm.stop();
    await handle?.close();
    await chunks.return();
    await spool?.remove();
    await raw.close();
  };
  try {
    handle = await openFile(path, raw.name);
    const atOpen = await handle.stat();
    const file = await readFileFooter(handle, atOpen.size, raw.name);
    const { footer, size } = file;
    const check = (now: FileState): void => assertUnchanged(raw.name, atOpen, now);
    const { columns, rows } =
      footer.columns === null
        ? await byWasm(raw.name, file, wasm, signal)
        : byPages(raw.name, file, footer.columns, wasm, check);
    return parquetSource({ raw, path, atOpen, footer, size, columns, batchRows, signal, rows, close });
  } catch (error) {
    await close();
    throw error;
  }
}

type Rows = Pick<OpenParquet, 'columns' | 'rows'>;

/** parquet-wasm says what the columns are and decodes all of them. */
async function byWasm(
  name: string,
  { handle, footer, rewritten }: ParquetFile,
  wasm: Wasm,
  signal: AbortSignal | undefined,
): Promise<Rows> {
  const thread = wasm.start(rewritten);
  try {
    const { wasmColumns, wasmRows } = await import('./wasm-rows.ts');
    const columns = await wasmColumns(name, footer, thread);
    const rows: Rows['rows'] = (selected, groups) => {
      const decoded = wasmRows(thread, footer, columns, selected, groups);
      return withIntactPages(decoded, handle, footer, columns.select(selected), groups);
    };
    return { columns, rows };
  } catch (error) {
    signal?.throwIfAborted();
    throw decodeError(name, 0, error);
  }
}

/** The footer says what the columns are; parquet-wasm decodes them where their pages are not read here. */
function byPages(
  name: string,
  { handle, footer, rewritten, start }: ParquetFile,
  flat: readonly LeafColumn[],
  wasm: Wasm,
  check: (now: FileState) => void,
): Rows {
  const names = flat.map((column) => column.name);
  const columns = typedColumns(name, names, flat, []);
  return {
    columns,
    rows: async function* (selected, groups) {
      const all = groups ?? [...footer.groupRows.keys()];
      const chunks = isWhole(footer) ? decodableChunks(footer, flat, selected, all, start) : null;
      if (chunks !== null) {
        const wanted = selected.map((index) => flat[index]!);
        yield* pageRows({ handle, check }, wanted, chunks);
        return;
      }
      const thread = wasm.start(rewritten);
      const { wasmRows } = await import('./wasm-rows.ts');
      const decoded = wasmRows(thread, footer, columns, selected, groups);
      yield* withIntactPages(decoded, handle, footer, columns.select(selected), groups);
    },
  };
}

interface Wasm {
  start(rewritten: RewrittenEnd | null): ParquetThread;
  stop(): Promise<void>;
}

/** The decoder of one file, whose thread is started where it is needed. */
function createWasm(path: string, signal: AbortSignal | undefined): Wasm {
  let thread: ParquetThread | null = null;
  const onAbort = (): void => void thread?.stop();
  return {
    start: (rewritten) => {
      const { module, glue } = loadWasmEngine();
      thread = startParquetThread({ glue, path, footer: rewritten }, module);
      // The decoder may be busy for long; ending its thread makes every answer fail at once.
      signal?.addEventListener('abort', onAbort);
      return thread;
    },
    stop: async () => {
      signal?.removeEventListener('abort', onAbort);
      await thread?.stop();
    },
  };
}

/** Bytes of the file, and what is to be read in place of those after them. */
interface RewrittenEnd {
  readonly start: number;
  readonly bytes: Buffer;
}

interface ParquetFile {
  readonly handle: FileHandle;
  readonly footer: ParquetFooter;
  readonly size: number;
  /** Bytes before the footer. */
  readonly start: number;
  /** A whole new end; null: its own will do. */
  readonly rewritten: RewrittenEnd | null;
}

async function openFile(path: string, name: string): Promise<FileHandle> {
  return open(path).catch((error: unknown) => {
    throw readError(name, error);
  });
}

async function readFileFooter(handle: FileHandle, size: number, name: string): Promise<ParquetFile> {
  const tail = await readAt(handle, Math.max(size - TAIL_BYTES, 0), Math.min(size, TAIL_BYTES));
  checkTail(name, tail, size);
  const length = tail.readUInt32LE(0);
  const start = size - TAIL_BYTES - length;
  if (start < 4)
    throw footerError(name, `its footer to have ${length} bytes, found only ${size} in the file`);
  const footer = parseFooter(name, await readAt(handle, start, length));
  const rewritten = footer.rewritten && { start, bytes: withTail(footer.rewritten) };
  return { handle, footer, size, start, rewritten };
}

async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, at);
  return buffer.subarray(0, bytesRead);
}

function checkTail(name: string, tail: Buffer, size: number): void {
  const magic = tail.subarray(-4).toString('latin1');
  if (magic === 'PARE') throw encryptedError(name);
  if (magic !== 'PAR1' || size < 12)
    throw footerError(name, 'PAR1 after a footer at its end, found other bytes');
}

function footerError(name: string, expected: string): FeaturectlError {
  return new FeaturectlError(
    'SOURCE_TRUNCATED',
    `${name}: expected ${expected}: the file is cut or was not finished; copy or write it again`,
  );
}

function parseFooter(name: string, bytes: Buffer): ParquetFooter {
  let footer: ParquetFooter;
  try {
    footer = readFooter(bytes);
  } catch (error) {
    throw decodeError(name, 0, error);
  }
  if (footer.encrypted) throw encryptedError(name);
  return footer;
}

function withTail(footer: Buffer): Buffer {
  const tail = Buffer.from('\0\0\0\0PAR1', 'latin1');
  tail.writeUInt32LE(footer.length);
  return Buffer.concat([footer, tail]);
}
