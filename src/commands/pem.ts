/** PEM files of TLS: read and tried before anything is connected or listens. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { FeaturectlError } from '../core/errors.ts';
import { whyUnread } from '../core/unread.ts';

/** A file by its flag. Throws USAGE where it cannot be read or holds no PEM block of that kind. */
export async function readPem(flag: string, path: string, kind: 'certificate' | 'key'): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(flag, path, kind, `but ${whyUnread(error)}`, error);
  });
  const isFit = /-----BEGIN [A-Z0-9 ]*(CERTIFICATE|PRIVATE KEY)-----/.exec(text)?.[1];
  if (kind === 'key' && isFit === 'PRIVATE KEY') return text;
  if (kind === 'certificate' && text.includes('CERTIFICATE-----')) return text;
  const begin = `-----BEGIN ${kind === 'key' ? 'PRIVATE KEY' : 'CERTIFICATE'}-----`;
  throw unusable(flag, path, kind, `found no ${begin} in it; name the right file`);
}

export interface PemFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Throws USAGE where they are damaged or do not belong together; `flags` names them. */
export function assertPems(flags: string, pems: PemFiles): void {
  try {
    createSecureContext(pems);
  } catch (error) {
    throw new FeaturectlError('USAGE', `${flags}: expected ${whyUnfit(error)}`, { cause: error });
  }
}

function whyUnfit(error: unknown): string {
  const code = String((error as NodeJS.ErrnoException).code);
  if (/KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH/.test(code)) {
    return 'the key of the certificate, found that of another; name the two files that belong together';
  }
  if (/PASSWORD|INTERRUPTED_OR_CANCELLED|BAD_DECRYPT/.test(code)) {
    return 'a key without a passphrase, found an encrypted one; decrypt it with: openssl pkey -in KEY -out NEW';
  }
  return `PEM that can be decoded, found damage (${code}); check it with openssl x509 and openssl pkey`;
}

function unusable(flag: string, path: string, kind: string, why: string, cause?: unknown): FeaturectlError {
  return new FeaturectlError('USAGE', `${flag} ${path}: expected a PEM ${kind}, ${why}`, { cause });
}
