/** An HTTP server of files that fails in the ways that servers and the networks before them do. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface FileServer {
  readonly url: string;
  /** What was asked, as `GET /path` with ` bytes=…` where a range was. */
  readonly requests: string[];
  close(): Promise<void>;
}

export async function serveFiles(handler: Handler): Promise<FileServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    requests.push(`${request.method} ${request.url}${range ? ` ${range}` : ''}`);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

export interface Serving {
  /** Default: an ETag. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default true. */
  readonly ranges?: boolean;
  /** Bytes after which the nth answer (from 0) is cut; absent: never. */
  readonly cutAfter?: (answer: number) => number | undefined;
  /** Length of the nth answer that is said, instead of the right one. */
  readonly length?: (right: number) => number;
  /** The body of the nth answer. */
  readonly body?: (answer: number) => Buffer;
}

/** Answers as a static file server does: ranges, If-Range and ETag. */
export function serving(body: Buffer | string, options: Serving = {}): Handler {
  let answers = 0;
  return (request, response) => {
    const answer = answers++;
    const whole = options.body?.(answer) ?? Buffer.from(body);
    const headers = options.headers ?? { etag: '"v1"' };
    const from = options.ranges === false ? 0 : rangeOf(request, headers);
    const part = whole.subarray(from);
    const said = options.length?.(part.length) ?? part.length;
    response.writeHead(from > 0 ? 206 : 200, {
      ...headers,
      'content-length': said,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${from + said - 1}/${from + said}` } : {}),
    });
    const cut = options.cutAfter?.(answer);
    if (cut === undefined && said === part.length) response.end(part);
    else response.write(part.subarray(0, cut ?? part.length), () => response.destroy());
    // Of nothing at all the headers alone are sent.
    if (cut === 0) response.flushHeaders();
  };
}

function rangeOf(request: IncomingMessage, headers: Readonly<Record<string, string>>): number {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const condition = request.headers['if-range'];
  return condition === undefined || Object.values(headers).includes(String(condition)) ? from : 0;
}
