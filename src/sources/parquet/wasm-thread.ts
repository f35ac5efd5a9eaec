import { type MessagePort, Worker } from 'node:worker_threads';

/**
 * The Parquet decoder in a thread of its own. parquet-rs panics on some damaged files; in WebAssembly that
 * is an exception outside of any promise, which would end the process. Here it ends the thread, and the
 * request that was waiting fails. The thread also decodes while this one encodes.
 */
export interface ParquetThread {
  /** The Arrow schema of the file, as an IPC stream. */
  readonly schema: Promise<Uint8Array>;
  /** Chooses what `next` gives; once. `rowGroups` null: all. */
  select(columns: readonly string[], batchSize: number, rowGroups: readonly number[] | null): void;
  /** The next record batch as an IPC stream; null after the last. Fails with the decoder's message. */
  next(): Promise<Uint8Array | null>;
  stop(): Promise<void>;
}

/** What the thread is started with. */
interface ThreadData {
  /** URL of parquet-wasm's JavaScript side. */
  readonly glue: string;
  readonly path: string;
  /** Bytes of the file before its footer, and the footer to read instead; null: the file as it is. */
  readonly footer: { readonly start: number; readonly bytes: Uint8Array } | null;
}

interface Batch {
  intoIPCStream(): Uint8Array;
}
interface File {
  schema(): Batch;
  stream(options: object): Promise<{ getReader(): { read(): Promise<{ done: boolean; value: Batch }> } }>;
}
interface Glue {
  initSync(options: { module: object }): void;
  ParquetFile: { fromFile(blob: Blob): Promise<File> };
}

interface Selection {
  readonly columns: readonly string[];
  readonly batchSize: number;
  readonly rowGroups?: readonly number[];
}
type Request = { readonly module: object } | Selection | 'next' | 'stop';
type Reply = { readonly bytes: Uint8Array | null } | { readonly failure: string };

/** `import()` stands in the text because test runners and bundlers rewrite the one of a source file. */
const THREAD = `const { workerData } = require('node:worker_threads');
(${serveParquet.toString()})(require, import(workerData.glue));`;

/** Time for one answer: far above what the largest batch takes, and not for ever. */
const ANSWER_MS = 120_000;

/**
 * Time for the thread to end by itself between two steps. Terminated in the middle of a read of the file, Node 20
 * now and then takes the whole process along.
 */
const STOP_MS = 2000;

/** `module`: parquet-wasm's, which is compiled while the thread starts. */
export function startParquetThread(data: ThreadData, module: Promise<object>): ParquetThread {
  const worker = new Worker(THREAD, { eval: true, workerData: data });
  const waiting: { resolve(bytes: Uint8Array | null): void; reject(error: Error): void }[] = [];
  let broken: Error | null = null;
  const breakAll = (error: Error): void => {
    broken ??= error;
    for (const one of waiting.splice(0)) one.reject(broken);
  };
  worker.on('message', (reply: Reply) => {
    const one = waiting.shift();
    if ('failure' in reply) one?.reject(new Error(reply.failure));
    else one?.resolve(reply.bytes);
  });
  worker.on('error', breakAll);
  module.then((compiled) => worker.postMessage({ module: compiled } satisfies Request), breakAll);
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('exit', () => breakAll(new Error('the decoder ended before the data did')));
  const answer = (): Promise<Uint8Array | null> => {
    if (broken !== null) return Promise.reject(broken);
    const reply = new Promise<Uint8Array | null>((resolve, reject) => waiting.push({ resolve, reject }));
    return withLimit(reply, () => worker.terminate());
  };
  const schema = answer() as Promise<Uint8Array>;
  // It may fail before it is asked for.
  schema.catch(() => undefined);
  return {
    schema,
    select: (columns, batchSize, rowGroups) => {
      const groups = rowGroups === null ? {} : { rowGroups };
      worker.postMessage({ columns, batchSize, ...groups } satisfies Request);
    },
    next: () => {
      worker.postMessage('next' satisfies Request);
      return answer();
    },
    stop: async () => {
      if (broken !== null) return;
      worker.postMessage('stop' satisfies Request);
      const late = setTimeout(() => void worker.terminate(), STOP_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

async function withLimit<T>(reply: Promise<T>, stop: () => void): Promise<T> {
  const timer = setTimeout(stop, ANSWER_MS);
  try {
    return await reply;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs in the thread, which gets this function as text and no other code: it may use what it declares
 * itself, `load` (node's `require`) and `glue` (parquet-wasm's JavaScript side).
 */
function serveParquet(load: (name: string) => never, glue: Promise<Glue>): void {
  const { parentPort, workerData } = load('node:worker_threads') as {
    parentPort: MessagePort;
    workerData: ThreadData;
  };
  const { openAsBlob } = load('node:fs') as { openAsBlob(path: string): Promise<Blob> };
  const post = (bytes: Uint8Array | null): void => {
    parentPort.postMessage({ bytes }, bytes === null ? [] : [bytes.buffer as ArrayBuffer]);
  };
  const openBlob = async (): Promise<Blob> => {
    const blob = await openAsBlob(workerData.path);
    const { footer } = workerData;
    return footer === null
      ? blob
      : new Blob([blob.slice(0, footer.start), footer.bytes as Uint8Array<ArrayBuffer>]);
  };
  const openFile = async (): Promise<File> => {
    const { initSync, ParquetFile } = await glue;
    initSync({ module: await module.given });
    return ParquetFile.fromFile(await openBlob());
  };

  const awaited = <T>(): { given: Promise<T>; give(value: T): void } => {
    let give = (_value: T): void => {};
    const given = new Promise<T>((resolve) => {
      give = resolve;
    });
    return { given, give };
  };
  const module = awaited<object>();
  const selection = awaited<Selection>();

  // Each step waits for the one before it, so that answers come in the order of the requests.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (step: () => Promise<void>): void => {
    last = last.then(step).catch((error: unknown) => parentPort.postMessage({ failure: String(error) }));
  };
  const file = openFile();
  const reader = (async () => (await (await file).stream(await selection.given)).getReader())();
  reader.catch(() => undefined);
  inTurn(async () => post((await file).schema().intoIPCStream()));
  parentPort.on('message', (request: Request) => {
    if (request === 'stop') last = last.then(() => parentPort.close());
    else if (request === 'next') {
      inTurn(async () => {
        const { done, value } = await (await reader).read();
        post(done ? null : value.intoIPCStream());
      });
    } else if ('module' in request) module.give(request.module);
    else selection.give(request);
  });
}
