/** Connection options as users give them → what src/redis takes: PEM files are read here. */
import { readFile } from 'node:fs/promises';
import { FeaturectlError } from '../core/errors.ts';
import type { ConnectOptions } from '../redis/index.ts';
import type { ConnectionOptions } from './options.ts';

/** Throws USAGE where a certificate file cannot be read or --sentinel lacks its name or goes with --cluster. */
export async function connectOptions(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<ConnectOptions> {
  const { tlsCa, tlsCert, tlsKey, cluster, sentinels, sentinelName } = options;
  if (cluster && sentinels.length > 0) {
    throw new FeaturectlError(
      'USAGE',
      '--cluster: cannot go with --sentinel; a Cluster finds its masters itself',
    );
  }
  if (sentinels.length > 0 && sentinelName === null) {
    throw new FeaturectlError('USAGE', '--sentinel: expected --sentinel-name NAME beside it, found none');
  }
  const ca = await pem('--tls-ca', tlsCa);
  const cert = await pem('--tls-cert', tlsCert);
  const key = await pem('--tls-key', tlsKey);
  return {
    url: options.redis,
    retryForMs: options.retryForMs,
    cluster,
    signal,
    ...(sentinelName === null ? {} : { sentinels, sentinelName }),
    ...(ca || cert || key ? { tls: { ...ca, ...cert, ...key } } : {}),
  };

  async function pem(flag: string, path: string | null): Promise<Record<string, string> | null> {
    if (path === null) return null;
    try {
      return { [flag.replace('--tls-', '')]: await readFile(path, 'utf8') };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new FeaturectlError('USAGE', `${flag} ${path}: cannot be read: ${reason}`, { cause: error });
    }
  }
}

/** As `connectOptions`; with --retry-for 0, the default of commands that only read, one try. */
export async function oneTryOptions(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<ConnectOptions> {
  return { ...(await connectOptions(options, signal)), failFast: options.retryForMs === 0 };
}
