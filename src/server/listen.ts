/** The server on its port, and its end. */
import type { AddressInfo } from 'node:net';
import { type AppOptions, createApp } from './app.ts';

export interface ListenOptions extends AppOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface FeatureServer {
  readonly url: string;
  /**
   * Takes no more connections, answers what is on the way (with Connection: close) for up to `graceMs`, then ends
   * what is left. Never throws.
   */
  close(graceMs: number): Promise<void>;
}

/** Throws an ordinary error where the port cannot be had. */
export async function startServer(options: ListenOptions): Promise<FeatureServer> {
  const app = await createApp(options);
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${options.tls === null ? 'http' : 'https'}://${host}:${port}`,
    close: async (graceMs) => {
      const end = setTimeout(() => app.server.closeAllConnections(), graceMs);
      // A connection that was busy at first stays open behind its answer.
      const sweep = setInterval(() => app.server.closeIdleConnections(), 20);
      await app.close().catch(() => {});
      clearInterval(sweep);
      clearTimeout(end);
    },
  };
}
