/** `serve --workers N`: processes that share one port, by node:cluster. The first process only watches. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { EXIT, FeaturectlError } from '../core/errors.ts';
import { metricsOfWorkers } from '../server/index.ts';

/** What goes between the processes. */
type Message =
  | { readonly featurectl: 'stop' }
  | { readonly featurectl: 'metrics?'; readonly id: number }
  | { readonly featurectl: 'metrics'; readonly id: number; readonly text: string };

/** A worker that ends sooner after its start did not come up. */
const YOUNG_MS = 2000;
const PAUSE_MS = 1000;
/** A worker that is starting does not hear that it is to stop: it is told again. */
const TOLD_AGAIN_MS = 200;

/** Resolves with the exit code when the signal has ended all workers. Throws USAGE or LISTEN where the first do not come up. */
export async function runWorkers(
  count: number,
  signal: AbortSignal,
  tell: (message: string) => void,
): Promise<number> {
  const collect = metricsOfWorkers();
  let failed: number | null = null;
  let served = false;
  const fork = (): void => {
    const worker = cluster.fork();
    const startedAt = Date.now();
    worker.on('listening', () => {
      served = true;
    });
    worker.on('message', (message: Message) => answer(worker, message, collect));
    worker.on('exit', (code, killedBy) => {
      if (signal.aborted || failed !== null) return;
      tell(`worker ${worker.process.pid} ended with ${killedBy ?? code}; another is started`);
      if (!served) {
        failed = code || EXIT.fatal;
        return stopAll();
      }
      setTimeout(() => !signal.aborted && fork(), Date.now() - startedAt < YOUNG_MS ? PAUSE_MS : 0);
    });
  };
  for (let i = 0; i < count; i += 1) fork();
  signal.addEventListener('abort', stopAll);
  const again = setInterval(() => (signal.aborted || failed !== null) && stopAll(), TOLD_AGAIN_MS);
  await allGone(signal, () => failed !== null);
  clearInterval(again);
  // Its own message said why.
  if (failed !== null)
    throw new FeaturectlError(failed === EXIT.usage ? 'USAGE' : 'LISTEN', 'no worker came up; see above');
  return EXIT.ok;
}

function stopAll(): void {
  for (const worker of Object.values(cluster.workers ?? {})) {
    const stop: Message = { featurectl: 'stop' };
    if (worker) tellWorker(worker, stop);
  }
}

/** One that is ending may not take it any more; its exit is seen elsewhere. */
function tellWorker(worker: Worker, message: Message): void {
  if (worker.isConnected()) worker.send(message, () => {});
}

async function allGone(signal: AbortSignal, hasFailed: () => boolean): Promise<void> {
  for (;;) {
    const isLast = Object.keys(cluster.workers ?? {}).length === 0;
    if ((signal.aborted || hasFailed()) && isLast) return;
    await Promise.race([once(cluster, 'exit'), signal.aborted ? never : once(signal, 'abort')]);
  }
}

const never = new Promise<void>(() => {});

function answer(worker: Worker, message: Message, collect: () => Promise<string>): void {
  if (message.featurectl !== 'metrics?') return;
  void collect().then((text) => {
    const reply: Message = { featurectl: 'metrics', id: message.id, text };
    tellWorker(worker, reply);
  });
}

/** In a worker or alone: resolves when this process is to end. A worker is told by signal or by the first process. */
export function stopAsked(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (!cluster.isWorker) return;
    process.on('message', (message: Message) => {
      if (message.featurectl === 'stop') resolve();
    });
  });
}

let lastId = 0;

/** In a worker: /metrics of all workers together. */
export function collectFromAll(): Promise<string> {
  lastId += 1;
  const id = lastId;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      process.off('message', take);
      reject(new Error('the first process did not give the metrics in 5 s'));
    }, 5000);
    const take = (message: Message): void => {
      if (message.featurectl !== 'metrics' || message.id !== id) return;
      clearTimeout(timer);
      process.off('message', take);
      resolve(message.text);
    };
    process.on('message', take);
    const question: Message = { featurectl: 'metrics?', id };
    process.send?.(question);
  });
}
