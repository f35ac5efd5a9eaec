/** Redis addresses as a user writes them: redis://, rediss:// and unix://. */
import { FeaturectlError } from '../core/errors.ts';

export interface RedisAddress {
  /** Null for a unix socket. */
  readonly host: string | null;
  readonly port: number;
  /** Further nodes of the same Cluster, host:port each, as in redis://a:7000,b:7000. */
  readonly others: readonly string[];
  /** Path of the unix socket, or null. */
  readonly path: string | null;
  readonly tls: boolean;
  readonly username: string | null;
  readonly password: string | null;
  readonly db: number;
  /** The address without its password, for people. */
  readonly shown: string;
}

const FORM =
  'redis://[user:password@]host[:port][/db], rediss://... or unix://[user:password@]/path[?db=N]; ' +
  'for a Cluster also redis://host1:port,host2:port';

/** The address without password; text that is no URL loses all that stands before its last '@'. */
export function redactUrl(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0] ?? '';
  const rest = url.slice(scheme.length);
  const at = rest.lastIndexOf('@');
  const user = /^([^:@/]*):/.exec(rest)?.[1] ?? '';
  const shown = at < 0 ? rest : `${scheme && user ? `${user}:***@` : '***@'}${rest.slice(at + 1)}`;
  return scheme + shown.replace(/([?&]password=)[^&]*/gi, '$1***');
}

/** Throws USAGE when the text is no such URL; the message never holds a password. */
export function parseAddress(url: string): RedisAddress {
  const shown = redactUrl(url);
  const parts = split(url);
  if (parts === null) {
    throw new FeaturectlError(
      'USAGE',
      `The Redis address is not a URL that featurectl knows: expected ${FORM}; found ${shown}${meant(url) || '.'} Characters such as @ / : # ? % in a password must be percent-encoded.`,
    );
  }
  const path = parts.scheme === 'unix' ? parts.path.replace(/\?.*$/, '') : null;
  return {
    host: path === null ? parts.host || '127.0.0.1' : null,
    port: parts.port,
    others: parts.others,
    path,
    tls: parts.scheme === 'rediss',
    username: parts.username || null,
    password: parts.password || null,
    db: database(parts.db, shown),
    shown,
  };
}

/** A host, with a port or a database, that lacks the scheme only. */
function meant(url: string): string {
  const isHost = /^(?:[a-z\d][a-z\d.-]*|\[[\da-f:]+\])(?::\d+)?(?:\/\d*)?$/i.test(url);
  if (isHost) return `; did you mean redis://${url}?`;
  return /^\/[^@]+$/.test(url) ? `; did you mean unix://${url}?` : '';
}

interface Parts {
  scheme: string;
  username: string;
  password: string;
  host: string;
  port: number;
  others: readonly string[];
  path: string;
  db: string;
}

function split(url: string): Parts | null {
  const unix = /^unix:\/\/(?:([^@/]*)@)?(\/[^?]+)(?:\?(.*))?$/.exec(url);
  try {
    return unix
      ? unixParts(unix[1] ?? '', unix[2] ?? '', new URLSearchParams(unix[3] ?? ''))
      : severalParts(url);
  } catch {
    return null;
  }
}

function unixParts(user: string, path: string, query: URLSearchParams): Parts {
  const colon = user.indexOf(':');
  return {
    scheme: 'unix',
    username: decodeURIComponent(colon < 0 ? user : user.slice(0, colon)),
    password: colon < 0 ? '' : decodeURIComponent(user.slice(colon + 1)),
    host: '',
    port: 0,
    others: [],
    path,
    db: query.get('db') ?? '0',
  };
}

/** Hosts joined by commas: the first one as a URL knows it, the others by name and port. */
function severalParts(text: string): Parts | null {
  const [, head = '', hosts = '', tail = ''] =
    /^([a-z]+:\/\/(?:[^@/?#]*@)?)([^/?#]*)(.*)$/is.exec(text) ?? [];
  const [first = '', ...others] = hosts.split(',');
  const parts = tcpParts(new URL(others.length === 0 ? text : `${head}${first}${tail}`));
  const names = others.map((host) => new URL(`redis://${host}`));
  // "a,,b" or "a,": a host that is missing is no wish for localhost.
  if (parts === null || others.includes('')) return null;
  return { ...parts, others: names.map((url) => `${bare(url)}:${url.port || DEFAULT_PORT}`) };
}

const DEFAULT_PORT = 6379;

/** An IPv6 address without its brackets. */
function bare(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function tcpParts(url: URL): Parts | null {
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'redis' && scheme !== 'rediss') return null;
  // An @ behind the host: a / ? or # of the password ended it, and the rest of it would be shown as host or database.
  if (/@/.test(url.pathname + url.search + url.hash)) return null;
  return {
    scheme,
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    host: bare(url),
    port: Number(url.port || DEFAULT_PORT),
    others: [],
    path: '',
    db: url.searchParams.get('db') ?? (url.pathname.replace(/^\//, '') || '0'),
  };
}

function database(text: string, shown: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new FeaturectlError(
    'USAGE',
    `The database in ${shown} must be a number from 0, such as redis://host:6379/2.`,
  );
}
