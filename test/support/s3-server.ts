/** A server that speaks S3, in this process, with a proxy in front of it that cuts answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type FileServer, serveFiles } from './file-server.ts';

/** What is used of s3rver, which has no types. */
interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}
type S3rverClass = new (options: Readonly<Record<string, unknown>>) => S3rver;
const S3rver = createRequire(import.meta.url)('s3rver') as S3rverClass;

export const BUCKET = 'features';

export interface TestS3 {
  /** For the program under test: keys, and the proxy as the endpoint. */
  readonly env: NodeJS.ProcessEnv;
  /** What was asked, with ranges. */
  readonly requests: string[];
  /** Ends the nth object's answer (from 0) after so many bytes; null: never. */
  cutAfter: ((answer: number) => number | undefined) | null;
  put(key: string, body: string | Buffer, contentEncoding?: string): Promise<void>;
  close(): Promise<void>;
}

export async function startS3(): Promise<TestS3> {
  const directory = mkdtempSync(join(tmpdir(), 'featurectl-s3-'));
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: BUCKET }],
  });
  const { port } = await server.run();
  let answers = 0;
  const s3: { cutAfter: TestS3['cutAfter'] } = { cutAfter: null };
  const proxy: FileServer = await serveFiles((request, response) => {
    const isObject = request.method === 'GET' && !request.url?.includes('list-type');
    const cut = isObject ? s3.cutAfter?.(answers++) : undefined;
    passOn(request, response, port, cut);
  });
  const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  return Object.assign(s3, {
    env: { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER', AWS_ENDPOINT_URL_S3: proxy.url },
    requests: proxy.requests,
    put: async (key: string, body: string | Buffer, contentEncoding?: string) => {
      const encoded = contentEncoding === undefined ? {} : { ContentEncoding: contentEncoding };
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, ...encoded }));
    },
    close: async () => {
      client.destroy();
      await proxy.close();
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
}

/** The host goes along: it is signed. */
function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  cut: number | undefined,
): void {
  const { method, url, headers } = request;
  const onward = forward({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    if (cut === undefined) return void answer.pipe(response);
    answer.once('data', (chunk: Buffer) => {
      answer.destroy();
      response.write(chunk.subarray(0, cut), () => response.destroy());
    });
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}
