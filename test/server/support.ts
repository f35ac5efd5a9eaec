/** A feature server for a test: the program's own `serve` in this process, on a free port, before a real Redis. */
import { request as httpRequest } from 'node:http';
import { freePort } from '../../scripts/free-port.js';
import type { Desk } from '../support/desk.ts';
import type { RunResult } from '../support/run.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into it and fails where it is of another shape
  readonly json: any;
}

export interface Served {
  readonly url: string;
  readonly port: number;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** As SIGTERM would; gives what the command ended with. */
  stop(): Promise<RunResult>;
}

/** `argv` behind `serve`. Resolves when /health/live answers; `isReady`: when /health/ready does. */
export async function serve(desk: Desk, argv: readonly string[], isReady = true): Promise<Served> {
  const port = await freePort();
  const interrupt = new AbortController();
  let ended: RunResult | null = null;
  const done = desk
    .run(['serve', ...argv, '--port', String(port)], { signal: interrupt.signal })
    .then((result) => {
      ended = result;
      return result;
    });
  const url = `http://127.0.0.1:${port}`;
  const stop = (): Promise<RunResult> => {
    interrupt.abort(143);
    return done;
  };
  await until(async () => {
    if (ended !== null) throw new Error(`serve ended with ${ended.code}: ${ended.stderr}`);
    return (await fetch(`${url}/health/${isReady ? 'ready' : 'live'}`)).ok;
  });
  return { url, port, stop, ...client(url) };
}

export function client(url: string): Pick<Served, 'get' | 'post'> {
  return {
    get: async (path, headers = {}) => answerOf(await fetch(url + path, { headers })),
    post: async (path, body, headers = {}) =>
      answerOf(
        await fetch(url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
        }),
      ),
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Asks until it is so, for up to 10 s; what asking throws counts as no, unless it is the last time. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      if (await isSo()) return;
      if (attempt >= 400) throw new Error('it did not become so in 10 s');
    } catch (error) {
      if (attempt >= 400 || /^serve ended/.test(String((error as Error).message))) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** One request whose body may be sent piece by piece; gives the status, 0 where the connection was closed. */
export function slowPost(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  send: (write: (piece: string) => void, end: () => void) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const request = httpRequest({ port, path, method: 'POST', headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', () => resolve(0));
    send(
      (piece) => void request.write(piece),
      () => void request.end(),
    );
  });
}
