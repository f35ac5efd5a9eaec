/** Connection options as users give them → what src/redis takes: PEM files are read here. */
import { FeaturectlError } from '../core/errors.ts';
import type { ConnectOptions } from '../redis/index.ts';
import type { ConnectionOptions } from './options.ts';
import { assertPems, type PemFiles, readPem } from './pem.ts';

/** Throws USAGE where a certificate file cannot be used or --sentinel lacks its name or goes with --cluster. */
export async function connectOptions(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<ConnectOptions> {
  const { cluster, sentinels, sentinelName } = options;
  if (cluster && sentinels.length > 0) {
    throw new FeaturectlError(
      'USAGE',
      '--cluster: cannot go with --sentinel; a Cluster finds its masters itself',
    );
  }
  if (sentinels.length > 0 && sentinelName === null) {
    throw new FeaturectlError('USAGE', '--sentinel: expected --sentinel-name NAME beside it, found none');
  }
  const tls = await tlsFiles(options);
  return {
    url: options.redis,
    retryForMs: options.retryForMs,
    cluster,
    signal,
    ...(sentinelName === null ? {} : { sentinels, sentinelName }),
    ...(tls === null ? {} : { tls }),
  };
}

async function tlsFiles({ tlsCa, tlsCert, tlsKey }: ConnectionOptions): Promise<PemFiles | null> {
  if (tlsCa === null && tlsCert === null && tlsKey === null) return null;
  const pems = {
    ...(tlsCa === null ? {} : { ca: await readPem('--tls-ca', tlsCa, 'certificate') }),
    ...(tlsCert === null ? {} : { cert: await readPem('--tls-cert', tlsCert, 'certificate') }),
    ...(tlsKey === null ? {} : { key: await readPem('--tls-key', tlsKey, 'key') }),
  };
  const names = Object.keys(pems).map((name) => `--tls-${name}`);
  assertPems(names.join(' and '), pems);
  return pems;
}

/** As `connectOptions`; with --retry-for 0, the default of commands that only read, one try. */
export async function oneTryOptions(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<ConnectOptions> {
  return { ...(await connectOptions(options, signal)), failFast: options.retryForMs === 0 };
}
