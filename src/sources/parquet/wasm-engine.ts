import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** parquet-wasm, ready to be instantiated in any thread. */
export interface WasmEngine {
  /** A WebAssembly.Module, which can be posted to a worker; compiled once. */
  readonly module: Promise<object>;
  /** URL of the package's JavaScript side. */
  readonly glue: string;
}

// Node has the global; its types come with the DOM library, which this program does not use.
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/**
 * Memory that one Parquet reader may use: 768 MiB, in WebAssembly pages of 64 KiB. Some hundred bytes of a
 * damaged file can ask for gigabytes; with a limit the request fails, and so does the reading, cleanly.
 */
const MAX_PAGES = 12_288;
const MEMORY_SECTION = 5;

let engine: WasmEngine | null = null;

export function loadWasmEngine(): WasmEngine {
  const { resolve } = createRequire(import.meta.url);
  engine ??= {
    module: compileFile(resolve('parquet-wasm/esm/parquet_wasm_bg.wasm')),
    glue: pathToFileURL(resolve('parquet-wasm/esm')).href,
  };
  return engine;
}

async function compileFile(path: string): Promise<object> {
  return WebAssembly.compile(limitMemory(await readFile(path), MAX_PAGES));
}

/**
 * Declares a maximum for the module's one memory.
 * https://webassembly.github.io/spec/core/binary/modules.html#memory-section
 */
export function limitMemory(wasm: Buffer, maxPages: number): Buffer {
  for (let at = 8; at < wasm.length; ) {
    const id = wasm[at]!;
    const size = readLeb(wasm, at + 1);
    const end = size.end + size.value;
    if (id === MEMORY_SECTION) {
      const section = memorySection(readLeb(wasm, size.end + 2).value, maxPages);
      return Buffer.concat([wasm.subarray(0, at), section, wasm.subarray(end)]);
    }
    at = end;
  }
  throw new Error('parquet-wasm declares no memory');
}

function memorySection(minPages: number, maxPages: number): Buffer {
  const body = Buffer.concat([Buffer.from([1, 1]), writeLeb(minPages), writeLeb(maxPages)]);
  return Buffer.concat([Buffer.from([MEMORY_SECTION]), writeLeb(body.length), body]);
}

function readLeb(bytes: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  let end = start;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[end++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end };
  }
}

function writeLeb(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
