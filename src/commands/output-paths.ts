/** Sees to it that no output of a run is a file that the run reads, or another output. */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FeaturectlError } from '../core/errors.ts';
import type { IngestOptions } from './options.ts';

interface Named {
  /** As the user knows it, such as `--report`. */
  readonly role: string;
  readonly path: string;
}

/** Throws USAGE where an output would overwrite a source, the schema, a certificate or another output. */
export function refuseOverwriting(
  options: Pick<IngestOptions, 'connection' | 'schema'> & Partial<IngestOptions>,
  sources: readonly string[],
): void {
  const { tlsCa, tlsCert, tlsKey } = options.connection;
  const inputs = [
    ...sources.filter((path) => path !== '-').map((path) => ({ role: 'the source', path })),
    ...named('--schema', options.schema.file),
    ...named('--tls-ca', tlsCa),
    ...named('--tls-cert', tlsCert),
    ...named('--tls-key', tlsKey),
  ];
  const outputs = [
    ...named('--rejects', options.rejects),
    ...named('--checkpoint', options.checkpoint),
    ...named('--report', options.report === '-' ? null : options.report),
    ...named('--report-html', options.reportHtml),
    ...named('--metrics', options.metrics),
  ];
  outputs.forEach((output, i) => {
    if (output.path === '-') {
      throw new FeaturectlError(
        'USAGE',
        `${output.role} -: expected a file, found - (standard output); name a file`,
      );
    }
    refuse(output, [...inputs, ...outputs.slice(0, i)]);
  });
}

function named(role: string, path: string | null | undefined): Named[] {
  return path == null ? [] : [{ role, path }];
}

function refuse(output: Named, others: readonly Named[]): void {
  const same = others.find((other) => isSameFile(output.path, other.path));
  if (same === undefined) return;
  throw new FeaturectlError(
    'USAGE',
    `${output.role} ${output.path} is also ${same.role} ${same.path}, and would overwrite it; name another file`,
  );
}

/** By name, and by device and inode through links. A device such as /dev/null may be both. */
function isSameFile(a: string, b: string): boolean {
  const [statA, statB] = [a, b].map(statOf);
  if (statA && statB) return statA.isFile() && statA.dev === statB.dev && statA.ino === statB.ino;
  return !statA && !statB && finalPath(a) === finalPath(b);
}

/** Null where there is none, or none that can be looked at: whoever opens it says why. */
function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function finalPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
