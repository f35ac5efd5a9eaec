/** http(s) sources on real servers: whole or a clear error, whatever the connection does. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { FeaturectlError } from '../../src/core/errors.ts';
import { expandSources, type OpenOptions, openSource } from '../../src/sources/index.ts';
import { type FileServer, type Handler, type Serving, serveFiles, serving } from '../support/file-server.ts';
import { failureCode, readAll, rowsText } from './support.ts';

let server: FileServer;
afterEach(() => server?.close());

const CSV = 'id,x\n1,a\n2,b\n3,c\n';
const ROWS = ['2: 1|a', '3: 2|b', '4: 3|c'];
const QUICK: OpenOptions = { retryForMs: 300 };

async function open(path: string, options: OpenOptions = QUICK) {
  const [location] = await expandSources([path.startsWith('http') ? path : server.url + path]);
  if (location === undefined) throw new Error('expected a location');
  return openSource(location, options);
}

/** The rows, then the code of what went wrong; a small file is looked at whole when it is opened. */
async function outcome(path: string, options: OpenOptions = QUICK): Promise<string[]> {
  try {
    const { batches, error } = await readAll(await open(path, options));
    return [...rowsText(batches), ...(error ? [error.code] : [])];
  } catch (error) {
    if (error instanceof FeaturectlError) return [error.code];
    throw error;
  }
}

describe('a connection that is cut after every number of bytes', () => {
  const cuts = Array.from({ length: CSV.length + 1 }, (_, bytes) => bytes);
  test.each<[name: string, serving: Serving]>([
    ['with ranges', {}],
    ['with ranges, by Last-Modified', { headers: { 'last-modified': 'Wed, 25 Nov 2026 10:00:00 GMT' } }],
    ['without ranges: from the start, passing over what is known', { ranges: false }],
    [
      'with a weak ETag beside Last-Modified',
      { headers: { etag: 'W/"v1"', 'last-modified': 'Wed, 25 Nov 2026 10:00:00 GMT' } },
    ],
  ])('%s', async (_, options) => {
    for (const bytes of cuts) {
      server = await serveFiles(
        serving(CSV, { ...options, cutAfter: (answer) => (answer === 0 ? bytes : undefined) }),
      );
      expect([bytes, await outcome('/a.csv')]).toEqual([bytes, ROWS]);
      await server.close();
    }
  });

  test('one byte an answer, each from where the last one ended', async () => {
    server = await serveFiles(serving(CSV, { cutAfter: () => 1 }));
    expect(await outcome('/a.csv', { retryForMs: 5000 })).toEqual(ROWS);
    expect(server.requests.slice(0, 3)).toEqual(['GET /a.csv', 'GET /a.csv bytes=1-', 'GET /a.csv bytes=2-']);
  });

  test('no ETag and no Last-Modified: the rest could be of another file', async () => {
    server = await serveFiles(serving(CSV, { headers: {}, cutAfter: () => 12 }));
    expect(await outcome('/a.csv')).toEqual(['SOURCE_TRUNCATED']);
  });

  test('nothing read yet: asked for anew without any mark', async () => {
    server = await serveFiles(
      serving(CSV, { headers: {}, cutAfter: (answer) => (answer === 0 ? 0 : undefined) }),
    );
    expect(await outcome('/a.csv')).toEqual(ROWS);
  });
});

describe('never short, never of two versions', () => {
  test.each<[name: string, handler: () => Handler, code: string]>([
    [
      'a body always shorter than its length',
      () => serving(CSV, { length: (right) => right + 10 }),
      'SOURCE_TRUNCATED',
    ],
    [
      'without ranges too',
      () => serving(CSV, { length: (right) => right + 10, ranges: false }),
      'SOURCE_TRUNCATED',
    ],
    [
      'another version after the cut',
      () => {
        let answers = 0;
        const first = serving(CSV, { cutAfter: () => 12 });
        const second = serving(CSV.replace('3,c', '3,d'), { headers: { etag: '"v2"' } });
        return (request, response) => (answers++ === 0 ? first : second)(request, response);
      },
      'SOURCE_CHANGED',
    ],
    [
      'another length of the same mark',
      () => serving(CSV, { cutAfter: () => 12, body: (answer) => Buffer.from(CSV + '4,d\n'.repeat(answer)) }),
      'SOURCE_CHANGED',
    ],
    [
      'a range of another place',
      () => (request, response) => {
        if (!request.headers.range) return serving(CSV, { cutAfter: () => 12 })(request, response);
        response.writeHead(206, { etag: '"v1"', 'content-range': `bytes 3-${CSV.length - 1}/${CSV.length}` });
        response.end(CSV.slice(3));
      },
      'SOURCE_READ',
    ],
    [
      'gone after the cut',
      () => (request, response) => {
        if (!request.headers.range) return serving(CSV, { cutAfter: () => 12 })(request, response);
        response.writeHead(416).end();
      },
      'SOURCE_CHANGED',
    ],
    [
      'chunks without their end',
      () => (_request, response) => void response.write(CSV, () => response.destroy()),
      'SOURCE_TRUNCATED',
    ],
  ])('%s', async (_, handler, code) => {
    server = await serveFiles(handler());
    expect((await outcome('/a.csv')).at(-1)).toBe(code);
  });

  test('a body that ends with its connection is refused', async () => {
    server = await serveFiles((request, response) => {
      request.socket.end(`HTTP/1.0 200 OK\r\n\r\n${CSV}`);
      response.destroy();
    });
    expect(await failureCode(open('/a.csv'))).toBe('SOURCE_READ');
  });

  test('chunks with their end are whole', async () => {
    server = await serveFiles((_request, response) => {
      response.write(CSV.slice(0, 7));
      response.end(CSV.slice(7));
    });
    expect(await outcome('/a.csv')).toEqual(ROWS);
  });
});

describe('answers that are no file', () => {
  test.each<[status: number, code: string, message: RegExp]>([
    [404, 'SOURCE_MISSING', /404/],
    [410, 'SOURCE_MISSING', /410/],
    [401, 'SOURCE_READ', /user:password/],
    [403, 'SOURCE_READ', /credentials/],
    [400, 'SOURCE_READ', /400/],
    [204, 'SOURCE_READ', /204/],
    [500, 'SOURCE_READ', /500.*retry-for|retry-for.*500/],
  ])('%i is %s', async (status, code, message) => {
    server = await serveFiles((_request, response) => void response.writeHead(status).end());
    await expect(open('/a.csv')).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test.each([408, 429, 500, 502, 503, 504])('%i and then the file', async (status) => {
    let answers = 0;
    const file = serving(CSV);
    server = await serveFiles((request, response) => {
      if (answers++ > 0) file(request, response);
      else response.writeHead(status, { 'retry-after': '0' }).end();
    });
    const notes: string[] = [];
    expect(await outcome('/a.csv', { retryForMs: 5000, retrying: (note) => notes.push(note) })).toEqual(ROWS);
    expect(notes).toHaveLength(1);
  });

  test('nobody listens', async () => {
    server = await serveFiles(() => {});
    const { url } = server;
    await server.close();
    expect(await failureCode(open(`${url}/a.csv`))).toBe('SOURCE_READ');
  });

  test.each<[name: string, handler: Handler, code: string]>([
    ['before the headers', () => {}, 'SOURCE_READ'],
    [
      'in the body',
      (_request, response) =>
        void response.writeHead(200, { 'content-length': 100, etag: '"v1"' }).write(CSV),
      'SOURCE_TRUNCATED',
    ],
  ])('a server that falls silent %s', async (_, handler, code) => {
    server = await serveFiles(handler);
    expect(await failureCode(open('/a.csv', { retryForMs: 1000 }))).toBe(code);
  });

  test('silence, and then the rest from another connection', async () => {
    let answers = 0;
    const file = serving(CSV);
    server = await serveFiles((request, response) => {
      if (answers++ > 0) file(request, response);
      else response.writeHead(200, { 'content-length': CSV.length, etag: '"v1"' }).write(CSV.slice(0, 12));
    });
    expect(await outcome('/a.csv', { retryForMs: 500 })).toEqual(ROWS);
  });

  test('a slow reader is not a silent server', async () => {
    server = await serveFiles(serving(`id\n${'1\n'.repeat(1_000_000)}`));
    const source = await open('/a.csv', { retryForMs: 200, batchRows: 200_000 });
    let rows = 0;
    for await (const batch of source.batches([0])) {
      if (rows === 0) await new Promise((resolve) => setTimeout(resolve, 600));
      rows += batch.rowCount;
    }
    await source.close();
    expect(rows).toBe(1_000_000);
    expect(server.requests).toHaveLength(1);
  });

  test('an abort ends the waiting', async () => {
    server = await serveFiles(() => {});
    const controller = new AbortController();
    const opening = open('/a.csv', { retryForMs: 60_000, signal: controller.signal });
    setTimeout(() => controller.abort(130), 50);
    await expect(opening).rejects.toBe(130);
  });
});

describe('redirects', () => {
  const redirecting = (target: (url: string) => string): Handler => {
    const file = serving(CSV, { cutAfter: (answer) => (answer === 0 ? 12 : undefined) });
    return (request, response) =>
      request.url === '/file.csv'
        ? file(request, response)
        : response.writeHead(302, { location: target(request.url ?? '') }).end();
  };

  test('are followed, anew after a cut; the first URL tells the format', async () => {
    server = await serveFiles(redirecting((url) => (url === '/a.csv' ? '/b' : '/file.csv')));
    expect(await outcome('/a.csv')).toEqual(ROWS);
    expect(server.requests).toEqual([
      'GET /a.csv',
      'GET /b',
      'GET /file.csv',
      'GET /a.csv bytes=12-',
      'GET /b bytes=12-',
      'GET /file.csv bytes=12-',
    ]);
  });

  test.each<[name: string, target: string]>([
    ['in a circle', '/a.csv'],
    ['to another scheme', 'ftp://127.0.0.1/a.csv'],
    ['to nowhere', 'http://'],
  ])('%s', async (_, target) => {
    server = await serveFiles(redirecting(() => target));
    expect(await failureCode(open('/a.csv'))).toBe('SOURCE_READ');
  });

  test('a password goes to its own host only, and into no message', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serveFiles((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(403).end();
    });
    server = await serveFiles((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(307, { location: `${other.url}/b.csv` }).end();
    });
    const url = server.url.replace('http://', 'http://ann:s%40cret@');
    const error: unknown = await open(`${url}/a.csv?X-Amz-Signature=feed`).catch(
      (failure: unknown) => failure,
    );
    await other.close();
    expect(seen).toEqual([`Basic ${Buffer.from('ann:s@cret').toString('base64')}`, undefined]);
    expect(String(error)).toContain('http://ann:***@');
    expect(String(error)).not.toMatch(/s%40cret|feed/);
  });
});

describe('the format', () => {
  const NDJSON = '{"id":1,"x":"a"}\n';
  test.each<
    [name: string, path: string, headers: Record<string, string>, body: Buffer | string, format: string]
  >([
    ['the extension', '/a.csv', {}, CSV, 'csv'],
    ['the extension before a query', '/a.tsv?x=1.parquet', {}, 'id\tx\n', 'tsv'],
    ['an escaped extension', '/a%2Ecsv', {}, CSV, 'csv'],
    ['the content type', '/export', { 'content-type': 'text/csv; charset=utf-8' }, CSV, 'csv'],
    ['the extension before the content type', '/a.tsv', { 'content-type': 'text/csv' }, 'id\tx\n', 'tsv'],
    ['ndjson by type', '/export', { 'content-type': 'application/x-ndjson' }, NDJSON, 'ndjson'],
    ['ndjson by content', '/export', {}, NDJSON, 'ndjson'],
    ['text of no known kind', '/export', { 'content-type': 'text/plain' }, CSV, 'SOURCE_FORMAT'],
    [
      'a page instead of Parquet',
      '/a.parquet',
      { 'content-type': 'text/html' },
      '<html></html>',
      'SOURCE_FORMAT',
    ],
    ['gzip by name', '/a.csv.gz', {}, gzipSync(CSV), 'csv'],
    ['gzip by encoding', '/a.csv', { 'content-encoding': 'gzip' }, gzipSync(CSV), 'csv'],
    ['gzip by both, once', '/a.csv.gz', { 'content-encoding': 'gzip' }, gzipSync(CSV), 'csv'],
    ['brotli by encoding', '/a.csv', { 'content-encoding': 'br' }, brotliCompressSync(CSV), 'csv'],
    ['another encoding', '/a.csv', { 'content-encoding': 'compress' }, CSV, 'SOURCE_FORMAT'],
  ])('%s', async (_, path, headers, body, format) => {
    server = await serveFiles(serving(body, { headers: { etag: '"v1"', ...headers } }));
    const source = await open(path).catch((error: { code: string }) => error);
    if ('code' in source) expect(source.code).toBe(format);
    else {
      expect(source.info.format).toBe(format);
      await source.close();
    }
  });

  test('an unencoded body is asked for, and its length is known', async () => {
    let encoding: string | undefined;
    const file = serving(CSV);
    server = await serveFiles((request, response) => {
      encoding = String(request.headers['accept-encoding']);
      file(request, response);
    });
    const source = await open('/a.csv');
    await readAll(source);
    expect([encoding, source.info.totalBytes, source.bytesRead()]).toEqual([
      'identity',
      CSV.length,
      CSV.length,
    ]);
  });
});

test('a place in a large file is gone to by a range', async () => {
  const rows = Array.from({ length: 200_000 }, (_, row) => `${row},x\n`);
  const text = `id,x\n${rows.join('')}`;
  server = await serveFiles(serving(text));
  const byte = text.indexOf('150000,x');
  const source = await open('/a.csv');
  let read = 0;
  for await (const batch of source.batches([0], { from: { row: 150_000, line: 150_002, byte }, to: null }))
    read += batch.rowCount;
  await source.close();
  expect([read, server.requests.at(-1)]).toEqual([50_000, `GET /a.csv bytes=${byte}-`]);
});
