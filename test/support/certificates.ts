/** Certificates for a server at localhost and for a client, of a CA of their own, made by openssl into a folder. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificates {
  /** Options of redis-server: paths. */
  readonly config: Readonly<Record<string, string>>;
  /** What a client needs: PEM texts. */
  readonly client: { readonly ca: string; readonly cert: string; readonly key: string };
}

export function certificates(dir: string): Certificates {
  const at = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
    '-subj',
    '/CN=test CA',
    '-days',
    '2',
  );
  for (const name of ['localhost', 'loader']) {
    openssl('req', ...key, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`);
    const ca = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', at(`${name}.csr`), ...ca, '-out', at(`${name}.crt`));
  }
  const text = (name: string): string => readFileSync(at(name), 'utf8');
  return {
    config: {
      'tls-cert-file': at('localhost.crt'),
      'tls-key-file': at('localhost.key'),
      'tls-ca-cert-file': at('ca.crt'),
    },
    client: { ca: text('ca.crt'), cert: text('loader.crt'), key: text('loader.key') },
  };
}
